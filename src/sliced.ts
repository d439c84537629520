/** Long work as data: `slices.ts` does it with pauses, so that other requests run meanwhile. */

/**
 * Work in parts. Before each part it yields the units that the part costs: 1 for a state, an arrow or a caption, some
 * 10 to 50 µs.
 */
export type Sliced<Result> = Generator<number, Result>;

/** Does work at once, where nothing else waits: on the command line. */
export function atOnce<Result>(work: Sliced<Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}
