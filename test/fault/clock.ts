/** How often the two clocks are compared: a process that is held up between its two looks at them compares them wrongly. */
const SAMPLES = 50;

/**
 * A monotonic clock with fractions of a millisecond. Each run sets it from the system's clock, which the service
 * uses: after an hour, the two would be too far apart.
 *
 * @returns ms since the epoch, each time it is called.
 */
export function startClock(): () => number {
  let best = { took: Number.POSITIVE_INFINITY, offset: 0 };
  for (let i = 0; i < SAMPLES; i++) {
    const before = performance.now();
    const system = Date.now();
    const took = performance.now() - before;
    if (took < best.took) best = { took, offset: system - before };
  }
  const { offset } = best;
  return () => offset + performance.now();
}
