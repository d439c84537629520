/**
 * Orders the items of each row, so that few arrows cross: rows one by one by barycentres (Sugiyama, Tagawa and Toda,
 * 1981), then whole lines by sifting.
 */
import type { Sliced } from '../sliced.ts';
import { type End, endsOf, type Item, mergingPin, portOf, type Row } from './rows.ts';
import { Blocks } from './sifting.ts';

/** Sweeps over the rows, each down or up. */
const SWEEPS = 10;

/** Rounds of sifting, each over all lines. In every third one, lines also move where that saves no crossing. */
const ROUNDS = 12;
const RESTLESS = 3;

/** Units of sifting, for each item and in all: some 0.4 s. */
const SIFTING = 15;
const SIFTING_MOST = 40_000;

/** Items from which on there are fewer sweeps. */
const MANY = 1_500;
const FEW_SWEEPS = 2;

/** Sorts the rows of a frame. The order of the document stays where no other has fewer crossings. */
export function* orderRows(rows: readonly Row[]): Sliced<void> {
  for (const row of rows) {
    row.sort((a, b) => a.order - b.order);
    number(row);
  }
  const items = rows.reduce((sum, row) => sum + row.length, 0);
  const sweeps = items > MANY ? FEW_SWEEPS : SWEEPS;
  let least = Number.POSITIVE_INFINITY;
  let best: Row[] = [];
  const keepBest = function* (): Sliced<void> {
    const crossings = yield* crossingsOf(rows);
    if (crossings >= least) return;
    least = crossings;
    best = rows.map((row) => [...row]);
  };
  yield* keepBest();
  for (let sweep = 0; sweep < sweeps && least > 0; sweep++) {
    const isDown = sweep % 2 === 0;
    // Items of one mean exchange their places in every third and fourth sweep.
    const ties = sweep % 4 < 2 ? 1 : -1;
    for (const row of isDown ? rows : rows.toReversed()) {
      yield 0.3 * row.length;
      sortByNeighbours(row, isDown ? 'above' : 'below', ties);
    }
    for (const row of rows) {
      yield 0.3 * row.length;
      exchange(row);
    }
    yield* keepBest();
  }
  const restore = () => {
    for (const [i, row] of rows.entries()) {
      row.splice(0, row.length, ...(best[i] ?? []));
      number(row);
    }
  };
  restore();
  if (least === 0) return;
  yield items;
  const blocks = new Blocks(rows);
  let left = Math.min(SIFTING_MOST, SIFTING * items);
  for (let round = 0; round < ROUNDS && least > 0 && left > 0; round++) {
    left -= yield* blocks.sift(round % 2 === 0, round % RESTLESS === RESTLESS - 1, left);
    blocks.write();
    yield* keepBest();
  }
  restore();
}

function number(row: Row): void {
  for (const [i, item] of row.entries()) item.order = i;
}

/** Sorts a row by the mean place of the neighbours on one side. Items without neighbours keep their place. */
function sortByNeighbours(row: Row, side: 'above' | 'below', ties: 1 | -1): void {
  const means = new Map<Item, number>();
  for (const item of row) {
    const ends = endsOf(item, side);
    const weight = ends.reduce((sum, end) => sum + end.weight, 0);
    if (weight > 0) means.set(item, ends.reduce((sum, end) => sum + placeOf(end) * end.weight, 0) / weight);
  }
  const sorted = [...means].sort(([a, one], [b, other]) => one - other || (a.order - b.order) * ties);
  let next = 0;
  for (const [i, item] of row.entries()) if (means.has(item)) row[i] = sorted[next++]?.[0] ?? item;
  number(row);
}

function placeOf({ item, at }: End): number {
  return (item?.order ?? 0) + at;
}

/** Exchanges neighbours in a row where that saves crossings. */
function exchange(row: Row): void {
  for (let i = 0; i + 1 < row.length; i++) {
    const [a, b] = [row[i], row[i + 1]];
    if (a === undefined || b === undefined) continue;
    let gain = 0;
    for (const side of ['above', 'below'] as const) {
      const [ones, others] = [endsOf(a, side), endsOf(b, side)];
      if (ones.length * others.length > 400) continue;
      for (const one of ones) {
        for (const other of others)
          gain += Math.sign(placeOf(one) - placeOf(other)) * one.weight * other.weight;
      }
    }
    if (gain <= 0) continue;
    [row[i], row[i + 1]] = [b, a];
    [a.order, b.order] = [b.order, a.order];
  }
}

/** A line between two rows, by its places in them. */
interface Line {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}

function* crossingsOf(rows: readonly Row[]): Sliced<number> {
  let crossings = 0;
  for (const [i, row] of rows.entries()) {
    yield 0.2 * row.length;
    const lines: Line[] = [];
    for (const item of row) {
      if (item.kind === 'box') crossings += crossingsAt(item, 'above') + crossingsAt(item, 'below');
      for (const { own, other, line } of item.below)
        lines.push({
          from: item.order + portOf(own),
          to: other.item.order + portOf(other),
          weight: line.weight,
        });
      for (const end of item.beyond.below)
        lines.push({ from: item.order, to: placeOf(end), weight: end.weight });
    }
    for (const item of rows[i + 1] ?? []) {
      for (const end of item.beyond.above)
        if (end.item === undefined) lines.push({ from: end.at, to: item.order, weight: end.weight });
    }
    crossings += inversions(lines);
  }
  return crossings;
}

/** @returns the crossings directly at a box: of lines that merge at it with lines between them. */
function crossingsAt(item: Item, side: 'above' | 'below'): number {
  const pin = mergingPin(item, side);
  if (pin === undefined) return 0;
  let crossings = 0;
  for (const { own, other, line } of item[side]) {
    if (own === pin || own.fixed !== undefined) continue;
    const sums = { left: 0, right: 0 };
    for (const joint of item[side]) {
      if (joint.own === pin)
        sums[joint.other.item.order < other.item.order ? 'left' : 'right'] += joint.line.weight;
    }
    crossings += line.weight * Math.min(sums.left, sums.right);
  }
  return crossings;
}

/** @returns the crossings of lines between two rows, each as often as arrows take them: a Fenwick tree, O(n log n). */
function inversions(lines: Line[]): number {
  lines.sort((a, b) => a.from - b.from || a.to - b.to);
  const places = [...new Set(lines.map(({ to }) => to))].sort((a, b) => a - b);
  const ranks = new Map(places.map((place, i) => [place, i + 1]));
  const sums = new Float64Array(places.length + 1);
  let [crossings, total] = [0, 0];
  for (const { to, weight } of lines) {
    const rank = ranks.get(to) ?? 0;
    let before = 0;
    for (let i = rank; i > 0; i -= i & -i) before += sums[i] ?? 0;
    crossings += weight * (total - before);
    total += weight;
    for (let i = rank; i <= places.length; i += i & -i) sums[i] = (sums[i] ?? 0) + weight;
  }
  return crossings;
}
