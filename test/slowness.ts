/** What a yardstick of work takes on the machine on which the bounds were set, ms. */
const USUAL = 20;

/**
 * How many times slower this machine is at the moment than the one on which the bounds of time were set; 1 where it is
 * not. Those bounds are in ms of a machine of today: a slower one, or one that is shared, gets the time that it needs.
 */
export function slowness(): number {
  return Math.max(1, yardstick() / USUAL);
}

/** @returns what the yardstick takes at the moment, ms. */
export function yardstick(): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const begun = performance.now();
    work();
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
