import type { Grant } from '../grant.ts';
import type { MachineEnv } from '../objects/chart-source.ts';
import type { AdmissionBindings } from './admission.ts';
import type { LogBindings } from './request-log.ts';
import type { WaitBindings } from './wait-budget.ts';

/** What `wrangler.toml`, or `npm start`, binds to the Worker. */
export interface Env extends MachineEnv, AdmissionBindings, LogBindings, WaitBindings {}

/** What hono is told of the Worker. */
export interface AppEnv {
  readonly Bindings: Env;
  readonly Variables: {
    /** What the request's token allows; there is none where the service is open. */
    grant?: Grant;
  };
}
