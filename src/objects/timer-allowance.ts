import { TIMERS_PER_TURN, TURN_BUDGET } from '../limits.ts';

/**
 * Between two turns that fire timers of a machine that is behind by more than one turn, in ms. A turn takes some 35 ms:
 * without a pause, 64 connections to a ring of `after: 1` that was a day behind delayed other requests by 0.7 s, and a
 * batch of reports fired a turn's timers for each of them.
 */
export const TURN_PAUSE = 500;

/** The timers that one turn may fire, for all commands of its batch together. */
export class TimerAllowance {
  readonly #isPaused: boolean;
  #fired = 0;
  #cost = 0;

  /** @param isPaused whether the turn may fire none, because the last one has left some that were due. */
  constructor(isPaused = false) {
    this.#isPaused = isPaused;
  }

  /** Whether a timer may be fired. */
  get isOpen(): boolean {
    return !this.#isPaused && !this.isUsedUp;
  }

  /** Whether the turn has fired as many as it may. */
  get isUsedUp(): boolean {
    return this.#fired >= TIMERS_PER_TURN || this.#cost >= TURN_BUDGET;
  }

  /** Counts a timer that was fired. */
  spend(cost: number): void {
    this.#fired += 1;
    this.#cost += cost;
  }
}
