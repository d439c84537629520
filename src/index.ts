/** What Cloudflare loads: the app and the objects. */
import { app } from './app.ts';
import type { Env } from './env.ts';

export { Machine } from './machine.ts';

export default { fetch: app.fetch } satisfies ExportedHandler<Env>;
