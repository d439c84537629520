/** The namespace of a kind of objects, as the service is given it: stubs by name, whose calls are delayed, and may be lost. */
import { type Home, type Settled, shortOf } from './homes.ts';
import { lostError } from './platform-errors.ts';
import type { Scheduler } from './scheduler.ts';
import type { PlatformBugs } from './trouble.ts';

/** A stub's channel: calls over one stub arrive in the order in which they were made. */
interface Channel {
  last: number;
}

export class Namespace {
  readonly all = new Map<string, Home>();
  readonly #scheduler: Scheduler;
  readonly #make: (name: string) => Home;
  readonly #bugs: PlatformBugs;

  constructor(scheduler: Scheduler, make: (name: string) => Home, bugs: PlatformBugs) {
    this.#scheduler = scheduler;
    this.#make = make;
    this.#bugs = bugs;
  }

  home(name: string): Home {
    let home = this.all.get(name);
    if (home === undefined) {
      home = this.#make(name);
      this.all.set(name, home);
    }
    return home;
  }

  /** Returns a stub: an object whose methods are calls. */
  getByName(name: string): object {
    const channel: Channel = { last: 0 };
    const methods = new Map<string, (...argument: readonly unknown[]) => Promise<unknown>>();
    return new Proxy(
      {},
      {
        get: (_, method) => {
          // A stub is no promise.
          if (typeof method !== 'string' || method === 'then') return undefined;
          let call = methods.get(method);
          if (call === undefined) {
            call = (...argument) => this.#call(channel, name, method, argument);
            methods.set(method, call);
          }
          return call;
        },
      },
    );
  }

  #call(channel: Channel, name: string, method: string, argument: readonly unknown[]): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const scheduler = this.#scheduler;
    const { context } = scheduler;
    if (context === undefined) throw new Error('a call needs a caller');
    const { random } = context;
    const home = this.home(name);
    const { trouble } = home;
    const label = `${method} ${shortOf(name)}`;
    const back = (settled: Settled) =>
      scheduler.schedule(`answer ${label}`, home.latency(random), context, () => {
        if ('error' in settled) reject(settled.error);
        else resolve(settled.result);
      });
    // Of this moment: the caller may change what it has sent.
    const sent = structuredClone(argument);
    const deliver = (reply: (settled: Settled) => void) => home.receive(method, sent, reply);
    const send = () => {
      if (trouble.loseCalls > 0) {
        trouble.loseCalls -= 1;
        back({ error: lostError() });
        return;
      }
      const arrival = Math.max(channel.last + 0.001, scheduler.now + home.latency(random));
      channel.last = arrival;
      scheduler.schedule(`call ${label}`, arrival - scheduler.now, undefined, () => {
        deliver((settled) => {
          const isLost = trouble.loseAnswers > 0;
          if (isLost) trouble.loseAnswers -= 1;
          back(isLost ? { error: lostError() } : settled);
        });
        if (this.#bugs.repeatsCalls && random.below(1) < 0.1) deliver(() => {});
      });
    };
    if (context.gate === undefined) send();
    else context.gate(send);
    return promise;
  }
}
