/** What Cloudflare loads: the app, the objects, and the binding for other Workers. */
import { answer } from './edge/app.ts';
import { overHttps } from './edge/cloudflare.ts';
import type { Env } from './edge/env.ts';

export { ChartBinding } from './edge/binding.ts';
export { Machine } from './objects/machine.ts';
export { Tenant } from './objects/tenant.ts';

export default { fetch: overHttps(answer) } satisfies ExportedHandler<Env>;
