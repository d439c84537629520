/** How the client asks for a turn, and waits for it: by requests, or over a WebSocket. */
import { type ClientOptions, type Connection, path } from './client-connection.ts';
import { errorOf, StateServiceError } from './client-error.ts';
import { canOpen, openSocket } from './client-socket.ts';

/** A state, and the caller who asks for it. */
interface Ask {
  readonly state: string;
  readonly by: string | undefined;
}

/**
 * Whether a state is current, may become current, or cannot any more. `again`: not yet, and when to ask again if no change
 * comes, in ms.
 */
type Turn = 'yes' | 'never' | { readonly again: number };

/** What ends a request: its caller, or the time, ms since the epoch. */
interface Ends {
  readonly signal?: AbortSignal | undefined;
  readonly until?: number;
}

export class Turns {
  readonly #options: ClientOptions;
  readonly #connection: Connection;

  constructor(options: ClientOptions, connection: Connection) {
    this.#options = options;
    this.#connection = connection;
  }

  /**
   * Waits until the answer is yes or never.
   *
   * @param until ms since the epoch.
   * @returns whether it was yes before that time.
   */
  async wait(ask: Ask, until: number, signal: AbortSignal | undefined): Promise<boolean> {
    let backoff = FIRST_BACKOFF;
    for (;;) {
      const began = Date.now();
      const isLong = until - began > LONGEST_WAIT && canOpen(this.#options);
      let turn = isLong ? await this.#bySocket(ask, until, signal) : NOT_YET;
      if (typeof turn === 'object') {
        if (Date.now() - began > LONGEST_WAIT) backoff = FIRST_BACKOFF;
        // A request that waits is also the pause between two connections: it misses nothing.
        const longest = isLong ? backoff * (0.5 + Math.random() / 2) : LONGEST_WAIT;
        turn = await this.ask(ask, Math.min(Math.max(0, until - Date.now()), longest), { signal, until });
        backoff = Math.min(2 * backoff, LONGEST_WAIT);
      }
      if (typeof turn !== 'object') return turn === 'yes';
      if (Date.now() >= until) return false;
    }
  }

  /**
   * Asks once.
   *
   * @param wait how long the request may wait, in ms.
   */
  async ask(ask: Ask, wait: number, ends: Ends = {}): Promise<Turn> {
    const query = { ...ask, wait: wait === 0 ? undefined : `${Math.ceil(wait)}ms` };
    const response = await this.#connection.send({ method: 'GET', path: path('state', query), ...ends });
    if (response.status === 200) {
      await response.body?.cancel();
      return 'yes';
    }
    const refusal = await errorOf(response);
    if (response.status !== 406) throw refusal;
    const later = response.headers.get('Retry-After');
    if (later === null) return 'never';
    return PASSES.has(refusal.code) ? { again: Math.min(Number(later) * 1_000, LONGEST_WAIT) } : NOT_YET;
  }

  /**
   * Waits over a WebSocket.
   *
   * @param until ms since the epoch.
   * @returns not yet also if the WebSocket does not open, or is lost.
   */
  async #bySocket(ask: Ask, until: number, signal?: AbortSignal): Promise<Turn> {
    signal?.throwIfAborted();
    const socket = await openSocket(`${this.#connection.base}/watch`, this.#options, signal);
    if (socket === undefined) return NOT_YET;
    try {
      // That the state was entered, perhaps only briefly, does not mean that a caller may go.
      const awaited = ask.by === undefined ? ask.state : undefined;
      for (let asked = 1; ; asked++) {
        const turn = await this.ask(ask, 0, { signal, until });
        // The answer can overtake the news of the commit that has entered the state and left it again.
        if (turn === 'never' && asked > 1 && awaited !== undefined)
          return (await socket.hasEntered(awaited, NEWS_WITHIN)) ? 'yes' : 'never';
        if (typeof turn !== 'object' || Date.now() >= until) return turn;
        const news = await socket.next(awaited, Math.min(until - Date.now(), turn.again));
        if (news === 'entered') return 'yes';
        if (news === 'deleted') throw new StateServiceError(404, 'no-chart', 'The machine was deleted.');
        if (news === 'lost') return NOT_YET;
      }
    } finally {
      socket.close();
    }
  }
}

/** The shortest time between two WebSockets, ms. It grows with each that is lost or does not open. */
const FIRST_BACKOFF = 1_000;

/** The longest wait of one request, ms: the service's own bound. */
const LONGEST_WAIT = 60_000;

const NOT_YET: Turn = { again: LONGEST_WAIT };

/** The refusals that end by the clock, without a change of the machine. */
const PASSES: ReadonlySet<string> = new Set(['closed', 'slots-taken']);

/** How long after an answer the news of an earlier commit may come, ms. */
const NEWS_WITHIN = 500;
