/** Orders the items of each row, so that few arrows cross (barycentres; Sugiyama, Tagawa and Toda, 1981). */
import type { Sliced } from '../sliced.ts';
import type { Item, Pin, Row } from './rows.ts';

/** Sweeps over the rows, each down or up. */
const SWEEPS = 10;

/** Items from which on there are fewer of them, in a column. */
const MANY = 1_500;
const FEW_SWEEPS = 4;

/** Sorts the rows of a column. The order of the document stays where no other has fewer crossings. */
export function* orderRows(rows: readonly Row[]): Sliced<void> {
  for (const row of rows) {
    row.sort((a, b) => a.order - b.order);
    number(row);
  }
  const items = rows.reduce((sum, row) => sum + row.length, 0);
  const sweeps = items > MANY ? FEW_SWEEPS : SWEEPS;
  let least = Number.POSITIVE_INFINITY;
  let best: Row[] = [];
  for (let sweep = 0; sweep <= sweeps; sweep++) {
    const crossings = yield* crossingsOf(rows);
    if (crossings < least) {
      least = crossings;
      best = rows.map((row) => [...row]);
    }
    if (least === 0 || sweep === sweeps) break;
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
  }
  for (const [i, row] of rows.entries()) {
    row.splice(0, row.length, ...(best[i] ?? []));
    number(row);
  }
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
    if (weight > 0) means.set(item, ends.reduce((sum, end) => sum + end.place * end.weight, 0) / weight);
  }
  const sorted = [...means].sort(([a, one], [b, other]) => one - other || (a.order - b.order) * ties);
  let next = 0;
  for (const [i, item] of row.entries()) if (means.has(item)) row[i] = sorted[next++]?.[0] ?? item;
  number(row);
}

/** The end of a line: its place in the row there, and the number of arrows that take the line. */
interface End {
  readonly place: number;
  readonly weight: number;
}

/** @returns the ends of an item's lines in the row above or below, and of those that leave the column there. */
function endsOf(item: Item, side: 'above' | 'below'): End[] {
  const ends = item[side].map(({ other, line }) => ({ place: placeOf(other), weight: line.weight }));
  const place = item.beyond?.[side];
  if (place !== undefined) ends.push({ place, weight: weightOf(item, side) });
  return ends;
}

/** @returns the number of arrows that leave the column at an item: those that come to it. */
function weightOf(item: Item, side: 'above' | 'below'): number {
  const joints = item[side === 'above' ? 'below' : 'above'];
  return Math.max(
    1,
    joints.reduce((sum, { line }) => sum + line.weight, 0),
  );
}

/** The place of a pin among those of its row: a port on the left of a frame comes first. */
function placeOf({ item, fixed = 0 }: Pin): number {
  return item.order + (item.width > 0 ? fixed / item.width : 0) * 0.9;
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
        for (const other of others) gain += Math.sign(one.place - other.place) * one.weight * other.weight;
      }
    }
    if (gain <= 0) continue;
    [row[i], row[i + 1]] = [b, a];
    [a.order, b.order] = [b.order, a.order];
  }
}

function* crossingsOf(rows: readonly Row[]): Sliced<number> {
  let crossings = 0;
  for (const row of rows) {
    yield 0.2 * row.length;
    crossings += inversions(
      row.flatMap(({ below }) =>
        below.map(({ own, other, line }) => ({
          from: placeOf(own),
          place: placeOf(other),
          weight: line.weight,
        })),
      ),
    );
  }
  for (const [row = [], side] of [
    [rows[0], 'above'],
    [rows.at(-1), 'below'],
  ] as const) {
    crossings += inversions(
      row.flatMap((item) => {
        const place = item.beyond?.[side];
        return place === undefined ? [] : [{ from: item.order, place, weight: weightOf(item, side) }];
      }),
    );
  }
  return crossings;
}

/** @returns the crossings of lines between two rows, each as often as arrows take them: a Fenwick tree, O(n log n). */
function inversions(lines: (End & { readonly from: number })[]): number {
  lines.sort((a, b) => a.from - b.from || a.place - b.place);
  const places = [...new Set(lines.map(({ place }) => place))].sort((a, b) => a - b);
  const ranks = new Map(places.map((place, i) => [place, i + 1]));
  const sums = new Float64Array(places.length + 1);
  let [crossings, total] = [0, 0];
  for (const { place, weight } of lines) {
    const rank = ranks.get(place) ?? 0;
    let before = 0;
    for (let i = rank; i > 0; i -= i & -i) before += sums[i] ?? 0;
    crossings += weight * (total - before);
    total += weight;
    for (let i = rank; i <= places.length; i += i & -i) sums[i] = (sums[i] ?? 0) + weight;
  }
  return crossings;
}
