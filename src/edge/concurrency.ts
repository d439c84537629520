import { BATCH_SIZE } from '../limits.ts';

/**
 * An estimate of how many callers call one machine concurrently, from the calls themselves. It decides whether a batch
 * is delayed until more calls have joined it.
 *
 * A delay pays if the same callers call again as soon as they have their results: one RPC for all of them is one commit.
 * If the expected calls do not come, batches are delayed less and less often.
 */
export class ConcurrencyEstimate {
  /** The estimate: grows at once, shrinks slowly. */
  #size = 0;
  /** The most calls that were pending since calls last completed. */
  #peak = 0;
  /** Batches left to send without delay (backoff), and their number after the next delay in vain. */
  #skip = 0;
  #nextSkip = 1;

  /** Whether more than one caller is expected. */
  get isConcurrent(): boolean {
    return this.#size >= CONCURRENT;
  }

  /** A call was made: `pending` calls are now unanswered. */
  called(pending: number): void {
    this.#peak = Math.max(this.#peak, pending);
    this.#size = Math.max(this.#size, pending);
  }

  /** Calls were answered: `pending` are still unanswered. */
  answered(pending: number): void {
    this.#size += (this.#peak - this.#size) * EWMA_FACTOR;
    this.#peak = pending;
  }

  /** Returns the number of calls for which the next batch waits; 1 for no delay. Call it once per batch. */
  expected(): number {
    if (!this.isConcurrent) return 1;
    if (this.#skip === 0) return Math.min(Math.ceil(this.#size * SHARE), BATCH_SIZE);
    this.#skip -= 1;
    return 1;
  }

  /**
   * A batch was delayed for `missing` calls, of which `joined` came. The delay was in vain if fewer than half came: on a busy
   * machine some always come late, and each call that joins saves a share of an RPC and a commit.
   */
  delayed(missing: number, joined: number): void {
    const isInVain = joined < missing / 2;
    this.#skip = isInVain ? this.#nextSkip : 0;
    this.#nextSkip = isInVain ? Math.min(this.#nextSkip * 2, LONGEST_SKIP) : 1;
  }
}

/** The least estimate that counts as concurrent. */
const CONCURRENT = 1.5;

/** EWMA factor: the share of the difference that one sample moves the estimate. */
const EWMA_FACTOR = 1 / 8;

/** The share of the estimate that a batch waits for: with ten or more callers, a missing one causes no delay. */
const SHARE = 0.9;

/** The bound of the backoff, in batches. */
const LONGEST_SKIP = 64;
