import type { MachineEnv } from './charts.ts';

/** What `wrangler.toml`, or `npm start`, binds to the Worker. */
export interface Env extends MachineEnv {}
