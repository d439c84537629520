/**
 * Long work in slices: other requests run between two of them. Workers' clock stands still while code runs, so a slice
 * is bounded by counted units and not by time.
 */
import { SLICE_UNITS } from './limits.ts';
import type { LruCache } from './lru-cache.ts';
import type { Sliced } from './sliced.ts';

/** Between two slices, in ms: other requests run in it. */
const SLICE_REST = 2;

/** A request looks so many times for room at this interval, then less and less often: many that wait must not fill the rests. */
const EAGER_LOOKS = 8;
const LOOK_MOST = 64;

/** The units of the present slice, the clock when it was worked on last, and the end of the rest after it. */
let spent = 0;
let workedAt = 0;
let restUntil = 0;

/** Work that has begun. Any request may go on with it: the request that began it may have been cancelled. */
export class Task<Result> {
  readonly #work: Sliced<Result>;
  /** The units of the next part. */
  #next = 0;

  constructor(work: Sliced<Result>) {
    this.#work = work;
  }

  /**
   * Works until the slice is full. Call it after `nextSlice`, without an await between the two.
   *
   * @returns the result if the work is done.
   */
  advance(): { readonly result: Result } | undefined {
    // A part that costs more than a slice is a slice of its own.
    while (spent === 0 || spent + this.#next <= SLICE_UNITS) {
      spent += this.#next;
      this.#next = 0;
      const { done, value } = this.#work.next();
      if (done) return { result: value };
      this.#next = value;
    }
    spent = SLICE_UNITS;
    return undefined;
  }
}

/**
 * Does work that is not divided, when there is room in a slice: many such works at once leave room for other requests.
 *
 * @param unitsOf what it has cost, from its result.
 */
export async function inSlice<Result>(
  work: () => Result,
  unitsOf: (result: Result) => number,
): Promise<Result> {
  for (let looks = 1; !hasRoom(performance.now()); looks++) await scheduler.wait(pauseAfter(looks));
  const result = work();
  spent += unitsOf(result);
  return result;
}

/** Waits for room in a slice, and takes it: for work that follows at once. @param units what it costs. */
export function roomFor(units: number): Promise<number> {
  return inSlice(
    () => units,
    () => units,
  );
}

/** Does work in slices. */
export async function inSlices<Result>(work: Sliced<Result>): Promise<Result> {
  const task = new Task(work);
  for (;;) {
    await nextSlice();
    const done = task.advance();
    if (done !== undefined) return done.result;
  }
}

/**
 * Results of long work by key: one work is under way at a time. Requests for the same result share the work, and each
 * request that waits goes on with what is under way.
 */
export class SharedWork<Result> {
  readonly #results: LruCache<string, Result>;
  #underWay: { readonly key: string; readonly task: Task<Result> } | undefined;

  /** @param results keeps the results. */
  constructor(results: LruCache<string, Result>) {
    this.#results = results;
  }

  /** Returns the result if it is kept. */
  known(key: string): Result | undefined {
    return this.#results.get(key);
  }

  /** Returns the result that is kept, or does the work. */
  async result(key: string, begin: () => Sliced<Result>): Promise<Result> {
    for (;;) {
      const kept = this.#results.get(key);
      if (kept !== undefined) return kept;
      await nextSlice();
      if (this.#results.get(key) === undefined) this.#advance(key, begin);
    }
  }

  #advance(key: string, begin: () => Sliced<Result>): void {
    const present = this.#underWay ?? { key, task: new Task(begin()) };
    // Work that fails is not under way any more.
    this.#underWay = undefined;
    try {
      const done = present.task.advance();
      if (done === undefined) this.#underWay = present;
      else this.#results.set(present.key, done.result);
    } catch (error) {
      // A request for another result begins again, and fails itself.
      if (present.key === key) throw error;
    }
  }
}

/**
 * Resolves when there is room in the present slice of this isolate, or in a new one. Each request waits on a timer of
 * its own: workerd cancels a request that awaits only another request's promise.
 */
export async function nextSlice(): Promise<void> {
  for (let looks = 1; !hasRoom(performance.now()); looks++) await scheduler.wait(pauseAfter(looks));
}

/** Returns the pause before the next look for room, ms. */
function pauseAfter(looks: number): number {
  return Math.min(LOOK_MOST, SLICE_REST * 2 ** Math.max(0, looks - EAGER_LOOKS));
}

function hasRoom(now: number): boolean {
  if (spent >= SLICE_UNITS) {
    // The clock shows when the slice began, until the next turn of the event loop: the rest begins with that turn.
    if (now === workedAt) return false;
    spent = 0;
    restUntil = now + SLICE_REST;
  }
  if (now < restUntil) return false;
  workedAt = now;
  return true;
}
