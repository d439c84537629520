/**
 * A clock that never goes back and tells parts of a millisecond. It is set by the system's, which the service goes by,
 * anew for each run: after an hour the two would be too far apart.
 *
 * @returns ms since the epoch, each time it is called.
 */
export function startClock(): () => number {
  const offset = Date.now() - performance.now();
  return () => offset + performance.now();
}
