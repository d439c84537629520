/**
 * How often, in ms, an object with waits or streams reads storage, and so how late they learn what another object of
 * the address has committed. Each read is one row.
 */
export const STORAGE_POLL = 1_000;

/**
 * Reads storage while requests only wait for a change: every `STORAGE_POLL`, and when the next timer is due.
 *
 * The platform checks that one object of a name is live when an event arrives and when the object accesses storage. An
 * object that only waits does neither: after it was replaced, its requests would wait until their time is up.
 * https://developers.cloudflare.com/durable-objects/platform/known-issues/#global-uniqueness
 */
export class StoragePoll {
  readonly #isNeeded: () => boolean;
  readonly #look: () => Promise<number | undefined>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer goes off, ms since the epoch. */
  #at = 0;

  /**
   * @param isNeeded whether anything waits. The timer ends if nothing does: it keeps the object awake, and billed.
   * @param look reads storage. Returns when the next timer is due, ms since the epoch; undefined if none is. Never throws.
   */
  constructor(isNeeded: () => boolean, look: () => Promise<number | undefined>) {
    this.#isNeeded = isNeeded;
    this.#look = look;
  }

  /** Starts the timer if anything waits, and sets a running one earlier if it would miss `due`, ms since the epoch. */
  start(due: number | undefined): void {
    if (this.#isNeeded() && (this.#timer === undefined || (due ?? Number.POSITIVE_INFINITY) < this.#at)) {
      this.#schedule(due);
    }
  }

  #schedule(due: number | undefined): void {
    clearTimeout(this.#timer);
    const now = Date.now();
    this.#at = Math.min(Math.max(now, due ?? Number.POSITIVE_INFINITY), now + STORAGE_POLL);
    this.#timer = setTimeout(() => void this.#tick(), this.#at - now);
  }

  async #tick(): Promise<void> {
    // Until `#look` is over, `start` cannot set a second timer.
    this.#at = 0;
    const due = this.#isNeeded() ? await this.#look() : undefined;
    this.#timer = undefined;
    this.start(due);
  }
}
