import { both, type Moment, spanning } from './moment.ts';

/** How often a new clock is compared with the system's. */
const SAMPLES = 50;

/**
 * A monotonic clock with fractions of a millisecond, which is compared with the system's clock each time that it is
 * read. The service uses the system's clock, which can be adjusted during a run, and then the two drift apart.
 */
export class Clock {
  /** Of the system's clock to `performance.now()`, ms; as it was at the beginning. */
  readonly #offset: number;
  /** What the last comparisons agree on, and the least and the most of all. */
  #present: Moment;
  #all: Moment;

  constructor() {
    this.#present = compare();
    this.#all = this.#present;
    for (let i = 0; i < SAMPLES; i++) this.#note(compare());
    this.#all = this.#present;
    this.#offset = (this.#present.from + this.#present.to) / 2;
  }

  /** ms since the epoch. A function, so that it can be handed on. */
  readonly now = (): number => {
    this.#note(compare());
    return this.#offset + performance.now();
  };

  /**
   * How far the clock of the service was ahead of this one so far, at least and at most, in ms: it shows the whole
   * milliseconds of the system's clock.
   */
  get ahead(): Moment {
    const { from, to } = this.#all;
    return { from: from - this.#offset - 1, to: to - this.#offset };
  }

  #note(offset: Moment): void {
    // Comparisons that contradict each other: the system's clock was adjusted between them.
    const agreed = both(this.#present, offset);
    this.#present = agreed ?? offset;
    if (agreed === undefined) this.#all = spanning(this.#all, offset);
  }
}

/**
 * Returns what one look at both clocks says of their offset. A process that is held up between its looks learns less of it,
 * and nothing wrong.
 */
function compare(): Moment {
  const before = performance.now();
  const system = Date.now();
  const after = performance.now();
  return { from: system - after, to: system + 1 - before };
}
