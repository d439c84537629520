/**
 * A Worker whose object is far away: during a call, the Worker's own thread is idle. A real machine shares a process
 * with its Worker, so that thread is never idle, and fewer faults can occur than at Cloudflare.
 */
import { DurableObject } from 'cloudflare:workers';
import { DEFAULT } from '../../src/address.ts';
import type { Command, Outcome } from '../../src/commands.ts';
import { RemoteMachine } from '../../src/edge/remote-machine.ts';
import { faultOf } from '../../src/objects/faults.ts';
import type { Answer, Query } from '../../src/objects/results.ts';
import type { MachineMethods, ObjectBindings } from '../../src/objects/stubs.ts';

/** The delay of an answer, ms. */
const FAR = 30;

/** Concurrent callers in each round. */
const CALLERS = 8;

/**
 * Answers with the number of its calls so far. It takes a minute for `slow`, and fails for `fault`.
 */
export class Machine extends DurableObject implements MachineMethods {
  #calls = 0;

  async execute(commands: readonly Command[]): Promise<Outcome[]> {
    throw new Error(`the test sends no commands, not ${commands.length}`);
  }

  read(queries: readonly Query[]): Promise<Answer[]> {
    this.#calls += 1;
    return Promise.all(queries.map((query) => this.#answerLater(query)));
  }

  async #answerLater(query: Query): Promise<Answer> {
    const calls = this.#calls;
    const name = query.type === 'is' ? query.state : '';
    await scheduler.wait(name === 'slow' ? 60_000 : FAR);
    if (name === 'fault') return faultOf(new Error('fault'), 'the test');
    return { ok: true, revision: calls };
  }
}

/** The configuration requires this class. */
export class Tenant extends DurableObject {}

export default {
  async fetch(request, env) {
    const query = new URL(request.url).searchParams;
    const state = query.get('state');
    // The check whether the server has started.
    if (state === null) return new Response();
    const askOnce = () => new RemoteMachine(env, DEFAULT).read({ type: 'is', state });
    let answer = await askOnce();
    // Callers that call again as soon as they have their answers.
    for (let round = 0; round < Number(query.get('rounds')); round++)
      [answer = answer] = await Promise.all(Array.from({ length: CALLERS }, askOnce));
    return answer.ok ? new Response(String(answer.revision)) : new Response(answer.code, { status: 500 });
  },
} satisfies ExportedHandler<ObjectBindings>;
