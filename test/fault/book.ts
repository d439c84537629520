import type { Stage } from './clients.ts';
import type { Operation } from './history.ts';
import { type Answer, isQuery, isRepeatedByEdges, type Request } from './requests.ts';

type Call = Pick<Operation<Request, Answer>, 'client' | 'request' | 'called'>;
type How = Parameters<Stage['died']>[3];

/**
 * How long after its end a call can still take effect, in ms. Its bytes are at the object or lost by then, and the object's queue is
 * some ms long: too short a bound can only reject a good run. Without it, a long run has too many open outcomes at once.
 */
const EFFECT_WITHIN = 5_000;

/** How long an edge goes on with a call whose client has hung up, in ms, and makes it again after a cut. */
const GOES_ON_FOR = 2_000;

/** Records the outcome of each call of a run. Times are ms since the epoch. */
export class Book {
  readonly now: () => number;
  readonly #answered: Operation<Request, Answer>[] = [];
  readonly #died: (Call & { readonly how: How; readonly at: number })[] = [];
  readonly #servers: { readonly from: number; to: number }[] = [];
  /** When the connections between edges and objects were cut. */
  readonly #cuts: number[] = [];

  constructor(now: () => number) {
    this.now = now;
  }

  /** The number of calls that were cut off by a kill, or between an edge and its objects. */
  get cutOff(): number {
    return this.#died.filter(({ how }) => how !== 'hung up').length;
  }

  get count(): number {
    return this.#answered.length;
  }

  /** Notes that a server is about to start. */
  serverStarts(): void {
    this.#servers.push({ from: this.now(), to: Number.POSITIVE_INFINITY });
  }

  /** Notes that the server has ended. */
  serverEnded(): void {
    const server = this.#servers.at(-1);
    if (server !== undefined) server.to = this.now();
  }

  isCut(): void {
    this.#cuts.push(this.now());
  }

  answered(client: string, request: Request, called: number, answer: Answer): void {
    this.#answered.push({ client, request, called, outcome: { known: true, answer, returned: this.now() } });
  }

  died(client: string, request: Request, called: number, how: How): void {
    // A query without an answer shows nothing.
    if (!isQuery(request)) this.#died.push({ client, request, called, how, at: this.now() });
  }

  history(): Operation<Request, Answer>[] {
    const died = this.#died.map(({ client, request, called, at }) =>
      unknown({ client, request, called }, this.#endOf(at)),
    );
    return [...this.#answered, ...died, ...this.#lost()];
  }

  /**
   * Returns calls that an edge may have made, and made again: a call that was in flight when its connection was cut. The
   * first one may have taken effect as well, as the repetition does.
   */
  #lost(): Operation<Request, Answer>[] {
    const answered = this.#answered.map(({ outcome, ...call }) => ({
      ...call,
      over: outcome.known ? outcome.returned : 0,
    }));
    const died = this.#died.map(({ at, how, ...call }) => ({
      ...call,
      over: how === 'hung up' ? at + GOES_ON_FOR : at,
    }));
    return [...answered, ...died].flatMap(({ client, request, called, over }) => {
      const cut = this.#cuts.find((when) => called <= when && when <= over);
      if (cut === undefined || !isRepeatedByEdges(request)) return [];
      return [unknown({ client: `${client}, before a cut`, request, called }, this.#endOf(cut))];
    });
  }

  /** Returns until when a call can have taken effect that died at a moment: at most until the last server that ran then has ended. */
  #endOf(at: number): number {
    return Math.min(at + EFFECT_WITHIN, this.#servers.findLast(({ from }) => from <= at)?.to ?? at);
  }
}

function unknown(call: Call, until: number): Operation<Request, Answer> {
  return { ...call, outcome: { known: false, until } };
}
