import type { StateNumber } from '../chart/chart.ts';
import { WAITERS } from '../limits.ts';

/**
 * The waits at one machine, in memory: each costs a promise. Commits end them, and so does one timer for all of them. A
 * client that disconnects does not, because the object does not learn of it. So waits are bounded in number and in time.
 */
export class Waits {
  readonly #byCondition = new Map<Condition, Set<Wait>>();
  /** By the tick at which they end. */
  readonly #byTick = new Map<number, Set<Wait>>();
  #size = 0;
  #clock: ReturnType<typeof setInterval> | undefined;

  get size(): number {
    return this.#size;
  }

  get full(): boolean {
    return this.#size >= WAITERS;
  }

  /** The states that waits are for. */
  *states(): Iterable<StateNumber> {
    for (const condition of this.#byCondition.keys()) if (typeof condition === 'number') yield condition;
  }

  /** The states for whose slots waits are. */
  statesWithSlots(): Iterable<StateNumber> {
    return this.#statesOf(SLOTS);
  }

  /** The states that waits are in, held back until they are left or the time of the wait is over. */
  statesToLeave(): Iterable<StateNumber> {
    return this.#statesOf(LEFT);
  }

  /**
   * Waits for a condition. It must not hold yet: the caller has checked that in the same turn of the event loop.
   *
   * @param until ms since the epoch; kept to within `TICK`.
   */
  wait(condition: Condition, until: number): Promise<WaitEnd> {
    const { promise, resolve } = Promise.withResolvers<WaitEnd>();
    const wait = { condition, tick: Math.ceil(until / TICK), end: resolve };
    setOf(this.#byCondition, condition).add(wait);
    setOf(this.#byTick, wait.tick).add(wait);
    this.#size += 1;
    this.#clock ??= setInterval(() => this.#endOverdue(Date.now()), TICK);
    return promise;
  }

  /** Ends the waits for `condition`; at most `most` of them, the oldest. */
  wake(condition: Condition, reason: WaitEnd = 'changed', most = Number.POSITIVE_INFINITY): void {
    let left = most;
    for (const wait of this.#byCondition.get(condition) ?? []) {
      if (left <= 0) return;
      left -= 1;
      this.#end(wait, reason);
    }
  }

  /** Ends all waits: the machine has another chart, or was erased. */
  wakeAll(): void {
    for (const condition of [...this.#byCondition.keys()]) this.wake(condition);
  }

  *#statesOf(kind: typeof SLOTS | typeof LEFT): Iterable<StateNumber> {
    for (const condition of this.#byCondition.keys()) {
      if (typeof condition === 'string' && condition.startsWith(kind))
        yield Number(condition.slice(kind.length));
    }
  }

  #endOverdue(now: number): void {
    for (const [tick, waits] of this.#byTick) {
      if (tick * TICK <= now) for (const wait of waits) this.#end(wait, 'timeout');
    }
  }

  #end(wait: Wait, reason: WaitEnd): void {
    removeFrom(this.#byCondition, wait.condition, wait);
    removeFrom(this.#byTick, wait.tick, wait);
    this.#size -= 1;
    if (this.#size === 0) {
      clearInterval(this.#clock);
      this.#clock = undefined;
    }
    wait.end(reason);
  }
}

/** How a wait has ended: the state became current, the machine must be checked again, or the time is over. */
export type WaitEnd = 'current' | 'changed' | 'timeout';

/** The condition of a wait: a state becomes current, the machine is resumed, a slot of a state becomes free, a state is left, or anything changes. */
export type Condition = StateNumber | 'change' | 'resumed' | `${typeof SLOTS | typeof LEFT}${StateNumber}`;

const SLOTS = 'slots/';
const LEFT = 'left/';

/** Returns the condition that a slot of `state` is free, or that the state is left. */
export function slotsFreeIn(state: StateNumber): Condition {
  return `${SLOTS}${state}`;
}

/** Returns the condition that `state` is left. */
export function leftIn(state: StateNumber): Condition {
  return `${LEFT}${state}`;
}

interface Wait {
  readonly condition: Condition;
  readonly tick: number;
  readonly end: (reason: WaitEnd) => void;
}

/** How exactly the end of a wait is kept, ms. */
const TICK = 100;

function setOf<Key>(sets: Map<Key, Set<Wait>>, key: Key): Set<Wait> {
  let set = sets.get(key);
  if (set === undefined) {
    set = new Set();
    sets.set(key, set);
  }
  return set;
}

function removeFrom<Key>(sets: Map<Key, Set<Wait>>, key: Key, wait: Wait): void {
  const set = sets.get(key);
  set?.delete(wait);
  if (set?.size === 0) sets.delete(key);
}
