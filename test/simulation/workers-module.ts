/** The module `cloudflare:workers` of a simulated world. */
export { waitUntil } from './platform-globals.ts';

export class DurableObject<Env> {
  readonly ctx: DurableObjectState;
  readonly env: Env;

  constructor(ctx: DurableObjectState, env: Env) {
    this.ctx = ctx;
    this.env = env;
  }
}
