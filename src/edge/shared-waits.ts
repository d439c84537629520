/**
 * Coalesces waits: the requests of one isolate that wait for the same thing at one machine share one call to its object.
 * Each request keeps its own deadline and its own client.
 */
import { waitUntil } from 'cloudflare:workers';
import { faultOf, troubleOf } from '../objects/faults.ts';
import { Coalescer, MAY_SHARE } from './coalesce.ts';
import type { StaleAnswers } from './recent-answers.ts';
import {
  isNotYet,
  isOlder,
  revisionOf,
  type SharedCall,
  type WaitAnswer,
  Waiter,
  type WaitQuery,
} from './waiter.ts';

/** Makes one call. The query is built when the call is sent: its wait is what is left then. */
export type MakeCall = (query: () => WaitQuery) => Promise<WaitAnswer>;

/**
 * The shared waits of an isolate, by machine and thing: the query without its times. For `is` that is the state, for
 * `status` the revisions that the client knows. Queries for different callers are different things.
 */
export class SharedWaits {
  readonly #waits = new Map<string, SharedWait>();

  /**
   * Waits for the answer to a query.
   *
   * @param name of the machine.
   * @param until the deadline, ms since the epoch.
   * @param make bound to the request's own stub: another request's must not be used.
   * @param stale the answers that a request with `max-stale` accepts in place of an ask of its own.
   * @throws what `make` throws.
   */
  async wait(
    name: string,
    query: WaitQuery,
    until: number,
    make: MakeCall,
    stale?: StaleAnswers,
  ): Promise<WaitAnswer> {
    const { wait: _, ...thing } = query;
    if (!MAY_SHARE) return make(() => ({ ...thing, wait: timeUntil(until) }));
    const key = `${name} ${JSON.stringify(thing)}`;
    let shared = this.#waits.get(key);
    if (shared === undefined) {
      this.#dropOver();
      shared = new SharedWait(key, thing);
      this.#waits.set(key, shared);
    }
    try {
      return await shared.wait(until, make, stale);
    } finally {
      if (shared.isIdle && this.#waits.get(key) === shared) this.#waits.delete(key);
    }
  }

  /** Drops the oldest shared wait if it is over, else makes it the newest: requests that stop do not drop it. */
  #dropOver(): void {
    const [oldest] = this.#waits;
    if (oldest === undefined) return;
    const [key, shared] = oldest;
    this.#waits.delete(key);
    if (!shared.isOver(Date.now())) this.#waits.set(key, shared);
  }
}

/**
 * The requests that wait for one thing, and the call that waits for all of them.
 *
 * **The leader** of a call is the request that makes it. `waitUntil` keeps its code running for 30 s after its client has
 * left or was answered (https://developers.cloudflare.com/workers/runtime-apis/context/#waituntil), so the other requests
 * rely on a call for `LEASE` at most. Then, or if a call ends before their deadlines, the first of them whose code runs
 * makes the next call. A request whose client has left runs no code, so it is never chosen.
 *
 * **An answer is never older than its request.** The first request makes its call at once, and the object looks before it
 * waits. A request that finds a call under way asks without waiting first. If it is told "not yet, at revision 17", an
 * answer to the call is an answer to this request too if its revision is greater than 17: then the object gave it later.
 *
 * **A request misses nothing**, also no state that was entered and left in one commit. If the call was at the object when
 * the request asked, that commit ends the call, at a revision greater than 17. Else (the request has overtaken the call,
 * or one call has ended and the next has not arrived, or the leader is gone) the next call has `since: 17`, and the object
 * finds the state in its history. A call has the least `since` of its requests; its answer then has the revision at
 * which the state was last entered, so a request that asked after that goes on waiting.
 *
 * A request with `max-stale` takes a kept answer in place of what it would ask: it may be older by so much, and `since` is
 * the revision of that answer.
 *
 * **A deadline** is a request's own: it asks once more, in one call with the others whose deadlines end then, and its
 * answer has the facts of that moment.
 */
class SharedWait {
  readonly #key: string;
  readonly #thing: WaitQuery;
  /** Requests that have asked, and the one whose call asks. */
  readonly #waiters = new Set<Waiter>();
  /** The newest call; undefined if none is under way. */
  #call: SharedCall | undefined;
  /** Calls made so far. */
  #calls = 0;
  /** Requests that ask before they join. */
  #asking = 0;
  /** The last deadline, ms since the epoch. */
  #last = 0;

  constructor(key: string, thing: WaitQuery) {
    this.#key = key;
    this.#thing = thing;
  }

  get isIdle(): boolean {
    return this.#waiters.size === 0 && this.#asking === 0 && this.#call === undefined;
  }

  /** Whether it is idle, or its requests have stopped. @param now ms since the epoch */
  isOver(now: number): boolean {
    return this.isIdle || now > this.#last + PATIENCE;
  }

  async wait(until: number, make: MakeCall, stale?: StaleAnswers): Promise<WaitAnswer> {
    this.#last = Math.max(this.#last, until);
    const waiter = new Waiter(until);
    if (this.#waiters.size > 0 || this.#isCovered(Date.now())) {
      const answer = await (stale?.ask(() => this.#askFirst(make)) ?? this.#askFirst(make));
      if (!isNotYet(answer) || Date.now() >= until) return answer;
      waiter.since = revisionOf(answer);
    }
    waiter.joined = this.#calls;
    this.#waiters.add(waiter);
    try {
      return await this.#outcomeOf(waiter, make, stale);
    } finally {
      this.#waiters.delete(waiter);
    }
  }

  async #askFirst(make: MakeCall): Promise<WaitAnswer> {
    this.#asking += 1;
    try {
      return (await this.#ask(undefined, make)).answer;
    } finally {
      this.#asking -= 1;
    }
  }

  async #outcomeOf(waiter: Waiter, make: MakeCall, stale?: StaleAnswers): Promise<WaitAnswer> {
    while (waiter.outcome === undefined) {
      const now = Date.now();
      if (now >= waiter.end) {
        const kept = stale?.find();
        if (kept !== undefined && isNotYet(kept)) return kept;
        const { since } = waiter;
        const { answer, asked } = await this.#ask(since, make);
        if (waiter.outcome === undefined && !isOlder(answer, since, asked)) return answer;
      } else {
        if (!waiter.isLeading && !this.#isCovered(now)) this.#lead(waiter, make, now);
        await waiter.pause(this.#nextStep(waiter) - now);
      }
    }
    return waiter.outcome();
  }

  /** When a request must act if nothing wakes it before, ms since the epoch. */
  #nextStep({ isLeading, end, spread }: Waiter): number {
    if (isLeading || this.#call === undefined) return end;
    return Math.min(end, this.#call.renewed + spread);
  }

  /** Whether requests can rely on the call that is under way. @param now ms since the epoch */
  #isCovered(now: number): boolean {
    return this.#call !== undefined && now < this.#call.renewed;
  }

  /** Makes the call that all requests rely on from now on. @param now ms since the epoch */
  #lead(leader: Waiter, make: MakeCall, now: number): void {
    let since: number | undefined;
    let last = leader.until;
    for (const waiter of this.#waiters) {
      if (now > waiter.end + PATIENCE) this.#waiters.delete(waiter);
      since = Math.min(since ?? Number.POSITIVE_INFINITY, waiter.since ?? Number.POSITIVE_INFINITY);
      last = Math.max(last, waiter.until);
    }
    const until = Math.max(leader.until, Math.min(last, now + LEASE));
    leader.runsUntil ??= now + LEASE;
    leader.isLeading = true;
    // The call's own answer comes soon after.
    if (until === leader.until) leader.end = until + PATIENCE;
    this.#calls += 1;
    const renewed = Math.min(leader.runsUntil, until + PATIENCE);
    const call: SharedCall = {
      number: this.#calls,
      leader,
      since: since === Number.POSITIVE_INFINITY ? undefined : since,
      until,
      renewed,
    };
    this.#call = call;
    waitUntil(this.#make(call, make));
  }

  async #make(call: SharedCall, make: MakeCall): Promise<void> {
    const { since, until } = call;
    try {
      const answer = await make(() => ({ ...withSince(this.#thing, since), wait: timeUntil(until) }));
      this.#returned(call);
      this.#tell(call, answer);
    } catch (error) {
      const isCurrent = this.#call === call;
      this.#returned(call);
      if (troubleOf(error) === undefined) this.#tell(call, faultOf(error, 'a shared wait'));
      else if (isCurrent) this.#fail(error);
    }
  }

  #returned(call: SharedCall): void {
    call.leader.isLeading = false;
    if (this.#call === call) this.#call = undefined;
  }

  /** Answers the requests that the answer is for. The others go on: the first that wakes makes the next call. */
  #tell(call: SharedCall, answer: WaitAnswer): void {
    const now = Date.now();
    const isLast = !isNotYet(answer);
    for (const waiter of this.#waiters) {
      if (waiter.accepts(call, answer, now)) {
        this.#waiters.delete(waiter);
        waiter.settle(() => answer);
      } else {
        if (!isLast) waiter.learn(call, answer);
        if (this.#call === undefined || waiter === call.leader) waiter.wake();
      }
    }
  }

  /** Tells all requests that the platform has lost their call. */
  #fail(error: unknown): void {
    for (const waiter of this.#waiters) {
      waiter.settle(() => {
        throw error;
      });
    }
    this.#waiters.clear();
  }

  /**
   * Asks without waiting, in one call with others that ask.
   *
   * @param since undefined if the request was told nothing yet.
   * @returns the answer, and the revision after which the object has looked.
   */
  #ask(since: number | undefined, make: MakeCall): Promise<Asked> {
    // Only a request that was told nothing yet begins a machine.
    const name = `${this.#key} ${since === undefined ? 'first' : 'last'}`;
    return asks.call(name, since, async (all) => {
      const asked = since === undefined ? undefined : leastOf(all, since);
      const answer = await make(() => withSince(this.#thing, asked));
      return all.map(() => ({ answer, asked }));
    });
  }
}

/** How long requests rely on a call that another request makes, ms: `waitUntil` gives 30 s, `Waiter.spread` takes 5. */
const LEASE = 20_000;

/** How late a call may return, ms. Then the requests go on without it. */
const PATIENCE = 5_000;

/** Calls for one thing that may be under way without waiting: first and last asks each have as many. */
const ASKS = 16;

interface Asked {
  readonly answer: WaitAnswer;
  readonly asked: number | undefined;
}

/** The queues of this isolate. A batch is one query, however many ask. */
const asks = new Coalescer<number | undefined, Asked>({ size: Number.POSITIVE_INFINITY, inFlight: ASKS });

function leastOf(all: readonly (number | undefined)[], since: number): number {
  return all.reduce<number>((least, one) => Math.min(least, one ?? least), since);
}

function withSince(thing: WaitQuery, since: number | undefined): WaitQuery {
  return since === undefined ? thing : { ...thing, since };
}

/** @param until ms since the epoch. @returns ms, at least 0. */
function timeUntil(until: number): number {
  return Math.max(0, until - Date.now());
}
