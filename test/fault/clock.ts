/**
 * A monotonic clock with fractions of a millisecond. Each run sets it from the system's clock, which the service
 * uses: after an hour, the two would be too far apart.
 *
 * @returns ms since the epoch, each time it is called.
 */
export function startClock(): () => number {
  const offset = Date.now() - performance.now();
  return () => offset + performance.now();
}
