/** What Cloudflare loads: the app, the objects, and the binding for other Workers. */
import { answer } from './app.ts';
import type { Env } from './env.ts';

export { ChartBinding } from './binding.ts';
export { Machine } from './machine.ts';
export { Tenant } from './tenant.ts';

export default { fetch: answer } satisfies ExportedHandler<Env>;
