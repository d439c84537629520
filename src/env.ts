import type { CatalogBindings } from './catalog.ts';
import type { Machine } from './machine.ts';

/** What `wrangler.toml`, or `npm start`, binds to the Worker. */
export interface Env extends CatalogBindings {
  readonly MACHINES: DurableObjectNamespace<Machine>;
}
