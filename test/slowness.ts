/**
 * Options of a test that holds a time against a bound: another process may take the core at that moment, so a time above
 * the bound is measured anew. A bound that does not hold is exceeded each time.
 */
export const TIMED = { retry: 2 };

/** What one unit of work takes on the machine on which the bounds were set, ms. */
const USUAL = 20;

/**
 * Units of work in one stretch: 200 ms, as long as the longest bound. Another process interrupts work of 20 ms less often
 * than work of 200 ms, so short stretches would not show how busy a shared machine is.
 */
const STRETCH = 10;

/**
 * How many times slower this machine is at the moment than the one on which the bounds of time were set; 1 if it is
 * faster. Those bounds are in ms of a present machine: a slower or shared one gets the time that it needs.
 */
function slowness(): number {
  return Math.max(1, leastOf(3, STRETCH) / STRETCH / USUAL);
}

/**
 * Holds a time against its bound. The machine's slowness is measured only if the time exceeds it.
 *
 * @param bound ms, on the machine on which the bounds were set.
 * @returns how many ms are allowed for what took `ms`.
 */
export function allowed(ms: number, bound: number): number {
  return ms < bound ? bound : bound * slowness();
}

/** @returns what one unit of work takes at the moment, ms. */
export function yardstick(): number {
  return leastOf(5, 1);
}

/** @returns the least time of some tries to do units of work, ms. */
function leastOf(tries: number, units: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < tries; i++) {
    const begun = performance.now();
    for (let unit = 0; unit < units; unit++) work();
    least = Math.min(least, performance.now() - begun);
  }
  return least;
}

/** Objects, strings and maps, as charts are made of them. */
function work(): void {
  const found = new Map<string, { readonly key: string; readonly size: number }>();
  let seed = 1;
  for (let i = 0; i < 120_000; i++) {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    const key = `key-${seed % 10_000}`;
    found.set(key, { key, size: (found.get(key)?.size ?? 0) + 1 });
  }
  const text = JSON.stringify([...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1)));
  if (JSON.parse(text).length !== found.size) throw new Error('the yardstick is broken');
}
