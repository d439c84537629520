import { TRIP_SIZE } from '../limits.ts';

/**
 * How many call one machine at once, as their calls have shown, and so whether one should wait for others to go with.
 *
 * It pays where the same callers come again as soon as they are answered: one call for all of them is one commit.
 * Where those who are expected stay away, it is tried less and less often.
 */
export class Crowd {
  /** How many there are: more as soon as they are seen, fewer by and by. */
  #size = 0;
  /** The most that were seen since calls last came back. */
  #peak = 0;
  /** How many departures nobody is waited for, and how many after the next time in vain. */
  #rest = 0;
  #nextRest = 1;

  /** Whether more than one is to be expected. */
  get isThere(): boolean {
    return this.#size >= CROWD;
  }

  /** A caller has come, and is one of `present`. */
  came(present: number): void {
    this.#peak = Math.max(this.#peak, present);
    this.#size = Math.max(this.#size, present);
  }

  /** Callers were answered; `present` are not yet. */
  left(present: number): void {
    this.#size += (this.#peak - this.#size) * SLOWNESS;
    this.#peak = present;
  }

  /** With how many the next departure should wait to be. Asked once for each. */
  expected(): number {
    if (!this.isThere) return 1;
    if (this.#rest === 0) return Math.min(Math.ceil(this.#size * SHARE), TRIP_SIZE);
    this.#rest -= 1;
    return 1;
  }

  /** Those who were waited for have come, or have not. */
  waited(haveCome: boolean): void {
    this.#rest = haveCome ? 0 : this.#nextRest;
    this.#nextRest = haveCome ? 1 : Math.min(this.#nextRest * 2, LONGEST_REST);
  }
}

/** From how many on, on average, they are one. */
const CROWD = 1.5;

/** How much of the difference goes at a time. */
const SLOWNESS = 1 / 8;

/** Of those there are; so one who stays away holds nobody up in a crowd of ten or more. */
const SHARE = 0.9;

const LONGEST_REST = 64;
