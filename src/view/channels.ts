/** Gives the wires between two rows their tracks: one below the other, in the order in which they cross least. */
import type { Sliced } from '../sliced.ts';
import type { Wire } from './rows.ts';

/** Lines nearer than this are on top of each other, px. */
const SAME = 5;

/** Wires beyond this number in one channel are not compared by pairs. */
const COMPARED = 220;

/** A wire with the places of its vertical pieces. */
interface Span {
  readonly wire: Wire;
  readonly left: number;
  readonly right: number;
  /** The places of its lines from the row above, and to the row below, in ascending order. */
  readonly above: readonly number[];
  readonly below: readonly number[];
}

/** Sets the tracks of the wires of one channel. @returns the number of tracks. */
export function* assignTracks(wires: readonly Wire[]): Sliced<number> {
  const spans = wires.map(spanOf).filter(({ left, right }) => right - left > 0.5);
  yield 0.2 * wires.length;
  if (spans.length === 0) return 0;
  const sorted = spans.length > COMPARED ? byPlace(spans) : yield* byCrossings(spans);
  const tracks = new Map<Span, number>();
  let count = 0;
  for (const [i, span] of sorted.entries()) {
    if (i % 50 === 0) yield 0.02 * 50 * Math.min(sorted.length, 50);
    let track = 0;
    for (const [other, taken] of tracks) {
      if (taken >= track && span.left - SAME < other.right && other.left < span.right + SAME)
        track = taken + 1;
    }
    tracks.set(span, track);
    span.wire.track = track;
    count = Math.max(count, track + 1);
  }
  return count;
}

function spanOf(wire: Wire): Span {
  const xs = wire.pins.map(({ x }) => x);
  const of = (side: boolean) =>
    wire.pins.flatMap(({ isTop, x }) => (isTop === side ? [x] : [])).sort((a, b) => a - b);
  return { wire, left: Math.min(...xs), right: Math.max(...xs), above: of(false), below: of(true) };
}

/** Orders wires by what leads down on their left: an estimate, for many wires. */
function byPlace(spans: readonly Span[]): Span[] {
  const mean = (xs: readonly number[]) => xs.reduce((sum, x) => sum + x, 0) / Math.max(1, xs.length);
  const key = ({ above, below }: Span) => {
    const [from, to] = [mean(above), mean(below)];
    // Lines to the right are nested from the right, lines to the left from the left.
    return from < to ? -from : from;
  };
  return [...spans].sort((a, b) => key(a) - key(b));
}

/** Orders wires by which of each two should be above (Eades, Lin and Smyth, 1993, for the cycles). */
function* byCrossings(spans: readonly Span[]): Sliced<Span[]> {
  const count = spans.length;
  /** How much better it is if the first is above the second. */
  const gain = spans.map(() => new Float64Array(count));
  for (const [i, a] of spans.entries()) {
    yield 0.05 * count;
    for (let j = i + 1; j < count; j++) {
      const b = spans[j];
      if (b === undefined || a.left - SAME > b.right || b.left - SAME > a.right) continue;
      const better = costOf(b, a) - costOf(a, b);
      const [own, other] = [gain[i], gain[j]];
      if (own !== undefined) own[j] = better;
      if (other !== undefined) other[i] = -better;
    }
  }
  const left = new Set(spans.keys());
  const sums = gain.map((row) => row.reduce((sum, one) => sum + one, 0));
  /** How many of those that are left should be above it. */
  const held = gain.map((row) => row.reduce((sum, one) => sum + (one < 0 ? 1 : 0), 0));
  const order: Span[] = [];
  while (left.size > 0) {
    let best = -1;
    for (const i of left) {
      const isBetter =
        (held[i] === 0) === (held[best] === 0) ? (sums[i] ?? 0) > (sums[best] ?? 0) : held[i] === 0;
      if (best === -1 || isBetter) best = i;
    }
    left.delete(best);
    const span = spans[best];
    if (span !== undefined) order.push(span);
    for (const i of left) {
      const one = gain[i]?.[best] ?? 0;
      sums[i] = (sums[i] ?? 0) - one;
      if (one < 0) held[i] = (held[i] ?? 0) - 1;
    }
    yield 0.01 * left.size;
  }
  return order;
}

/** @returns the crossings of two wires if the first is above the second, and ten for each pair of lines on top of each other. */
function costOf(upper: Span, lower: Span): number {
  let cost = 0;
  for (const x of upper.below) if (x > lower.left && x < lower.right) cost += 1;
  for (const x of lower.above) if (x > upper.left && x < upper.right) cost += 1;
  let next = 0;
  for (const x of upper.below) {
    while ((lower.above[next] ?? Number.POSITIVE_INFINITY) <= x - SAME) next += 1;
    if ((lower.above[next] ?? Number.POSITIVE_INFINITY) < x + SAME) cost += 10;
  }
  return cost;
}
