import type { StateNumber } from '../chart/chart.ts';
import { WAITERS } from '../limits.ts';

/** Why a wait has ended: what was waited for has come, things have changed so that it is to be seen, or time is up. */
export type WaitEnd = 'came' | 'changed' | 'timeout';

/** What is waited for: that a state becomes current, or that anything changes at all. */
export type Awaited = StateNumber | 'change';

interface Waiter {
  readonly awaited: Awaited;
  readonly tick: number;
  readonly end: (reason: WaitEnd) => void;
}

/**
 * Requests that wait at one machine, in memory: each costs a promise. They are woken by commits and by one timer
 * for all of them, never by their clients' leaving: an object is not told of that. So they are bounded, in number
 * and in time.
 */
export class Waits {
  readonly #byAwaited = new Map<Awaited, Set<Waiter>>();
  /** By the tick at which their time is up. */
  readonly #byTick = new Map<number, Set<Waiter>>();
  #size = 0;
  #clock: ReturnType<typeof setInterval> | undefined;

  get size(): number {
    return this.#size;
  }

  get full(): boolean {
    return this.#size >= WAITERS;
  }

  /** States that somebody waits for. */
  *states(): Iterable<StateNumber> {
    for (const awaited of this.#byAwaited.keys()) if (awaited !== 'change') yield awaited;
  }

  /**
   * Waits. What is waited for must not be so now: the caller has looked, in the same turn of the event loop.
   *
   * @param until ms since the epoch; kept to within `TICK`.
   */
  wait(awaited: Awaited, until: number): Promise<WaitEnd> {
    const { promise, resolve } = Promise.withResolvers<WaitEnd>();
    const waiter = { awaited, tick: Math.ceil(until / TICK), end: resolve };
    setOf(this.#byAwaited, awaited).add(waiter);
    setOf(this.#byTick, waiter.tick).add(waiter);
    this.#size += 1;
    this.#clock ??= setInterval(() => this.#endOverdue(Date.now()), TICK);
    return promise;
  }

  /** Ends the waits for `awaited`. */
  wake(awaited: Awaited, reason: WaitEnd = 'changed'): void {
    for (const waiter of this.#byAwaited.get(awaited) ?? []) this.#end(waiter, reason);
  }

  /** Ends all waits: nothing is as it was. */
  wakeAll(): void {
    for (const awaited of [...this.#byAwaited.keys()]) this.wake(awaited);
  }

  #endOverdue(now: number): void {
    for (const [tick, waiters] of this.#byTick) {
      if (tick * TICK <= now) for (const waiter of waiters) this.#end(waiter, 'timeout');
    }
  }

  #end(waiter: Waiter, reason: WaitEnd): void {
    removeFrom(this.#byAwaited, waiter.awaited, waiter);
    removeFrom(this.#byTick, waiter.tick, waiter);
    this.#size -= 1;
    if (this.#size === 0) {
      clearInterval(this.#clock);
      this.#clock = undefined;
    }
    waiter.end(reason);
  }
}

/** How exactly a wait's time is kept, in ms. */
const TICK = 100;

function setOf<Key>(sets: Map<Key, Set<Waiter>>, key: Key): Set<Waiter> {
  let set = sets.get(key);
  if (set === undefined) {
    set = new Set();
    sets.set(key, set);
  }
  return set;
}

function removeFrom<Key>(sets: Map<Key, Set<Waiter>>, key: Key, waiter: Waiter): void {
  const set = sets.get(key);
  set?.delete(waiter);
  if (set?.size === 0) sets.delete(key);
}
