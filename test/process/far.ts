/**
 * A Worker whose object is far away: while it is asked, nothing else happens in the Worker's own thread. In one process
 * with its object a real machine never leaves the thread idle, and there is less to go wrong than at Cloudflare.
 */
import { DurableObject } from 'cloudflare:workers';
import { DEFAULT } from '../../src/address.ts';
import { type Call, type CallOutcome, performAll } from '../../src/commands.ts';
import { ask } from '../../src/edge/coalesce.ts';
import type { Machine as RealMachine } from '../../src/objects/machine.ts';

interface Env {
  readonly MACHINES: DurableObjectNamespace<RealMachine>;
}

/** How long an answer is under way, ms. */
const FAR = 30;

/** Who ask in rounds. */
const CALLERS = 8;

/** Answers how often it was called by then; asked for `together`, whether others could have come along. */
export class Machine extends DurableObject {
  #calls = 0;

  is(name: string): Promise<number> {
    this.#calls += 1;
    return this.#answerLater(name, false);
  }

  answer(calls: readonly Call[]): Promise<CallOutcome[]> {
    this.#calls += 1;
    const each = (name: string) => this.#answerLater(name, true);
    return performAll({ is: each, update: each }, calls);
  }

  /** Takes very long for `slow`, and throws for `fault`. */
  async #answerLater(name: string, isTogether: boolean): Promise<number> {
    const calls = this.#calls;
    await scheduler.wait(name === 'slow' ? 60_000 : FAR);
    if (name === 'fault') throw new Error('fault');
    return name === 'together' ? Number(isTogether) : calls;
  }
}

/** The configuration names one. */
export class Tenant extends DurableObject {}

export default {
  async fetch(request, env) {
    const query = new URL(request.url).searchParams;
    const name = query.get('state');
    // Whether it is there.
    if (name === null) return new Response();
    const askOnce = () => ask(env.MACHINES.getByName('far'), DEFAULT, ['is', name]);
    try {
      let answer = await askOnce();
      // As callers do who come again as soon as they are answered.
      for (let round = 0; round < Number(query.get('rounds')); round++)
        [answer = answer] = await Promise.all(Array.from({ length: CALLERS }, askOnce));
      return new Response(String(answer));
    } catch (error) {
      return new Response(String(error), { status: 500 });
    }
  },
} satisfies ExportedHandler<Env>;
