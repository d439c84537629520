/** Measures how the cost of a request grows with the rows that callers have left. */
import { expect } from 'vitest';

/** Four times as much may cost eight times as much: noise, caches and allocation aside, more is not linear. */
const FACTOR = 4;
const MOST = 8;

/** Below this, in ms, a cost is all noise. */
const FLOOR = 4;

/** Measurements of one cost. The least counts, because other load only adds. */
const ROUNDS = 3;

/**
 * Expects that the cost of a request grows at most in proportion to the size.
 *
 * @param size of what is made: `n`, then four times as much.
 * @param make makes so much, and returns the request.
 */
export async function expectLinear(
  size: number,
  make: (size: number) => Promise<() => Promise<unknown>>,
): Promise<void> {
  const small = await costOf(await make(size));
  const large = await costOf(await make(size * FACTOR));
  expect(large / Math.max(small, FLOOR), `${small.toFixed(1)} ms, then ${large.toFixed(1)} ms`).toBeLessThan(
    MOST,
  );
}

/** @returns the duration of a request, ms. */
async function costOf(request: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ROUNDS; i++) {
    const begun = performance.now();
    await request();
    least = Math.min(least, performance.now() - begun);
  }
  return least;
}
