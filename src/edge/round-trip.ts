/** How long a batch may wait, in ms: for a call in flight to return, then for the calls that are expected. */
export interface Patience {
  readonly wait: number;
  readonly delay: number;
}

/**
 * An estimate of the round trip to a machine without queueing: the least that was seen of late, as TCP's BBR estimates
 * it. An average would grow with the load, and a longer wait under load would be taken for a longer way.
 */
export class RoundTripEstimate {
  #least = Number.POSITIVE_INFINITY;

  /** @param ms a call took. */
  took(ms: number): void {
    this.#least = Math.min(ms, this.#least * GROWTH);
  }

  /** Near the object, what pays there. Far away, at most 5 % of the round trip together. */
  get patience(): Patience {
    if (this.#least === Number.POSITIVE_INFINITY) return UNKNOWN;
    if (this.#least <= NEAR) return NEARBY;
    const share = (this.#least * SHARE) / 2;
    return { wait: share, delay: share };
  }
}

/** The share of the round trip that a batch may wait. */
const SHARE = 0.05;

/** A round trip within one machine or data centre, in ms. */
const NEAR = 10;

/**
 * What pays near the object, by measurement. The runtime's timers take up to a millisecond more. On an idle machine a call
 * returns within some ms, and ends the wait. On a busy one a shorter wait ends first, and the same calls need more RPCs and
 * commits: with 5 ms, each answer took a tenth more CPU.
 */
export const NEARBY: Patience = { wait: 20, delay: 1 };

/** Until a call has returned: the object may be far away. */
export const UNKNOWN: Patience = { wait: 5, delay: 1 };

/** An object may move: what was seen long ago counts less with each call; at a thousand a second, a fifth less in one. */
const GROWTH = 1.0002;
