/** A request that shares a wait, and which answers are answers to it. */
import type { Answer, IsQuery, StatusQuery } from '../objects/results.ts';
import { statusOf } from '../refusal.ts';

/** A query that can wait. */
export type WaitQuery = IsQuery | StatusQuery;
export type WaitAnswer = Answer<WaitQuery>;

/** A call that waits at the object, for all requests that share it. */
export interface SharedCall {
  /** Counts the calls for one thing, from 1. */
  readonly number: number;
  /** The request whose code makes the call. */
  readonly leader: Waiter;
  /** The object also looks for changes after this revision; undefined if the call looks at the present only. */
  readonly since: number | undefined;
  /** When the object ends the wait, ms since the epoch. */
  readonly until: number;
  /** When the requests must rely on another call, ms since the epoch. */
  readonly renewed: number;
}

/** A request that waits. Its code stops when its client leaves, and nothing here tells that it has. */
export class Waiter {
  /** The deadline, ms since the epoch. */
  readonly until: number;
  /** When it asks by itself, ms since the epoch. */
  end: number;
  /** The revision at which it was told "not yet"; undefined if it was not told yet. */
  since: number | undefined;
  /** The number of the last call that was made before it joined. */
  joined = 0;
  /** Whether its own call is under way. */
  isLeading = false;
  /** Until when its code runs if its client has left, ms since the epoch; undefined before it has led a call. */
  runsUntil: number | undefined;
  /** Returns the answer, or throws the error; undefined while it waits. */
  outcome: (() => WaitAnswer) | undefined;
  /** Spreads what requests do at the same moment, ms. */
  readonly spread = Math.random() * SPREAD;
  #wake: (() => void) | undefined;

  constructor(until: number) {
    this.until = until;
    this.end = Math.ceil(until / TICK) * TICK;
  }

  settle(outcome: () => WaitAnswer): void {
    this.outcome = outcome;
    this.wake();
  }

  /** Waits for `wake`, or for `ms`. Only its own request may call it: a timer belongs to a request. */
  async pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
  }

  wake(): void {
    this.#wake?.();
  }

  /** Whether the answer of a call is an answer to this request as well. @param now ms since the epoch */
  accepts(call: SharedCall, answer: WaitAnswer, now: number): boolean {
    const isSentAfter = this.joined < call.number;
    if (isNotYet(answer)) {
      // One that comes early is the object's last word.
      const isOver = now >= this.until || now < call.until - EARLY;
      return isOver && (isSentAfter || this.#isNews(answer));
    }
    if (this.#isNews(answer)) return true;
    return isSentAfter && !isOlder(answer, this.since, call.since);
  }

  /** The object's last "not yet" is of a later moment. */
  learn(call: SharedCall, answer: WaitAnswer): void {
    const revision = revisionOf(answer);
    if (this.joined < call.number && revision !== undefined) {
      this.since = Math.max(this.since ?? revision, revision);
    }
  }

  /** Whether an answer is later than the "not yet" that this request was told. */
  #isNews(answer: WaitAnswer): boolean {
    const revision = revisionOf(answer);
    return this.since !== undefined && revision !== undefined && revision > this.since;
  }
}

/** How long requests that do the same at the same moment are spread over, ms. */
const SPREAD = 5_000;

/** How exactly a deadline is kept, ms, as at the object. */
const TICK = 100;

/** How much too early an object may end a wait, ms: its clock is another one. */
const EARLY = 1_000;

/** Whether an answer leaves the request waiting: 406 with `Retry-After`, or the revision is known. */
export function isNotYet(answer: WaitAnswer): boolean {
  if (answer.ok) return 'unchanged' in answer && answer.unchanged;
  return answer.retryAfter !== undefined && statusOf(answer.code) === 406;
}

/** The revision at which an answer was given, or at which the state was entered. */
export function revisionOf(answer: WaitAnswer): number | undefined {
  return answer.ok ? answer.revision : answer.machine?.revision;
}

/**
 * Whether the state was entered before the request was told "not yet".
 *
 * @param since the revision at which it was told.
 * @param asked the revision after which the object has looked.
 */
export function isOlder(answer: WaitAnswer, since: number | undefined, asked: number | undefined): boolean {
  if (!answer.ok || since === undefined || asked === undefined) return false;
  return asked < since && answer.revision <= since;
}
