/** The requests of one key that `fewRequests` lets through. */
const MOST = 5;

/**
 * A rate limit without a clock. The windows of workerd's own begin at each full minute of the clock, and a test that runs
 * then is let through twice.
 */
export function fewRequests(): RateLimit {
  const counts = new Map<string, number>();
  return {
    async limit({ key }) {
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return { success: count <= MOST };
    },
  };
}
