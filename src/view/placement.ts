/** Gives the items of each row their horizontal places. */
import type { Sliced } from '../sliced.ts';
import { distanceOf, type Item, type Row, spread } from './rows.ts';

/** Sweeps in which each item moves to its neighbours; in the last ones, to those of both sides. */
const SWEEPS = 12;
const BOTH = 4;

/** Rounds in which lines are straightened. */
const ROUNDS = 3;

/** The least distance of a line from the corner of its box, px. */
export const PIN_MARGIN = 12;

/** Places the items of a column, in order: the centre of the first box is about 0. */
export function* placeColumn(rows: readonly Row[]): Sliced<void> {
  const items = rows.reduce((sum, row) => sum + row.length, 0);
  const gaps = rows.map(gapsOf);
  for (const [i, row] of rows.entries()) pack(row, gaps[i] ?? []);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const isDown = sweep % 2 === 0;
    const sides: readonly ('above' | 'below')[] =
      sweep >= SWEEPS - BOTH ? ['above', 'below'] : isDown ? ['above'] : ['below'];
    for (let i = 0; i < rows.length; i++) {
      const at = isDown ? i : rows.length - 1 - i;
      yield 0.15 * (rows[at]?.length ?? 0);
      settle(rows[at] ?? [], gaps[at] ?? [], sides);
    }
  }
  yield 0.3 * items;
  const strands = strandsOf(rows);
  for (let round = 0; round < ROUNDS; round++) {
    for (const strand of strands) {
      yield 0.1 * strand.length;
      straighten(strand, rows);
    }
  }
}

/** @returns the left and the right end of what is in a column, px. */
export function extentOf(rows: readonly Row[]): { readonly left: number; readonly right: number } {
  let [left, right] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const row of rows) {
    for (const { x, width, beside } of row) {
      left = Math.min(left, x - width / 2);
      right = Math.max(right, x + width / 2 + beside);
    }
  }
  return left > right ? { left: 0, right: 0 } : { left, right };
}

/** Places the items of a row side by side, around 0. */
function pack(row: Row, gaps: readonly number[]): void {
  let x = 0;
  for (const [i, item] of row.entries()) {
    x += gaps[i] ?? 0;
    item.x = x;
  }
  for (const item of row) item.x -= x / 2;
}

/** @returns the least distance of each item's centre from the centre of the item before it. */
function gapsOf(row: Row): number[] {
  return row.map((item, i) => {
    const before = row[i - 1];
    return before === undefined ? 0 : distanceOf(before, item);
  });
}

/** Moves the items of a row to their neighbours. */
function settle(row: Row, gaps: readonly number[], sides: readonly ('above' | 'below')[]): void {
  const wishes = row.map((item) => {
    let [sum, weight] = [0, 0];
    for (const side of sides) {
      for (const { own, other } of item[side]) {
        const one = strength(item, other.item);
        sum += one * (other.item.x + (other.fixed ?? 0) - (own.fixed ?? 0));
        weight += one;
      }
    }
    return weight === 0 ? { at: item.x, weight: 0.1 } : { at: sum / weight, weight };
  });
  for (const [i, x] of spread(wishes, gaps).entries()) {
    const item = row[i];
    if (item !== undefined) item.x = x;
  }
}

/** @returns how much a line should be straight: one between neighbours in the document, and a long one, more than others. */
function strength(a: Item, b: Item): number {
  if (a.kind === 'bend' && b.kind === 'bend') return 6;
  const label = a.kind === 'label' ? a : b.kind === 'label' ? b : undefined;
  if (label === undefined) return 1;
  const isShort = [label.above, label.below].every(
    (joints) => joints.length === 1 && joints[0]?.other.item.kind === 'box',
  );
  return isShort ? 8 : 0.1;
}

/** @returns the lists of items that one arrow passes directly below each other; of a box, the box alone. */
function strandsOf(rows: readonly Row[]): Item[][] {
  const isIn = new Set<Item>();
  const strands: Item[][] = [];
  const next = (item: Item): Item | undefined => {
    const other = item.below[0]?.other.item;
    if (other === undefined || item.kind === 'box' || other.kind === 'box' || item.below.length > 1)
      return undefined;
    // Where arrows merge, the first one goes straight on.
    return isIn.has(other) ? undefined : other;
  };
  for (const row of rows) {
    for (const item of row) {
      if (isIn.has(item)) continue;
      const strand: Item[] = [];
      for (let at: Item | undefined = item; at !== undefined; at = next(at)) {
        isIn.add(at);
        strand.push(at);
      }
      strands.push(strand);
    }
  }
  return strands.sort((a, b) => b.length - a.length);
}

/** Gives as many items of a strand as possible the same place. */
function straighten(strand: readonly Item[], rows: readonly Row[]): void {
  let piece: Item[] = [];
  let [from, to] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const finish = () => {
    const at = wishOf(piece, from, to);
    for (const item of piece) item.x = at;
  };
  for (const item of strand) {
    const row = rows[item.row] ?? [];
    const [before, after] = [row[item.order - 1], row[item.order + 1]];
    const least = before === undefined ? Number.NEGATIVE_INFINITY : before.x + distanceOf(before, item);
    const most = after === undefined ? Number.POSITIVE_INFINITY : after.x - distanceOf(item, after);
    if (Math.max(from, least) > Math.min(to, most) && piece.length > 0) {
      finish();
      piece = [];
      [from, to] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    }
    piece.push(item);
    [from, to] = [Math.max(from, least), Math.min(to, most)];
  }
  if (piece.length > 0) finish();
}

/** @returns the best place for the items of a straight piece, between two bounds: in line with what is at its ends. */
function wishOf(piece: readonly Item[], from: number, to: number): number {
  const [first, last] = [piece[0], piece.at(-1)];
  let at = piece.reduce((sum, { x }) => sum + x, 0) / piece.length;
  const between = (x: number, least: number, most: number) => Math.min(Math.max(x, least), most);
  if (first === undefined || last === undefined) return at;
  const joints = [...first.above, ...last.below];
  if (first.kind === 'box') {
    // A box moves to its strongest neighbours.
    let [sum, weight] = [0, 0];
    for (const { own, other } of joints) {
      const one = strength(first, other.item) ** 2;
      sum += one * (other.item.x + (other.fixed ?? 0) - (own.fixed ?? 0));
      weight += one;
    }
    return between(weight === 0 ? at : sum / weight, from, to);
  }
  for (const { other } of joints) {
    const { item, fixed } = other;
    if (fixed !== undefined) at = item.x + fixed;
    else if (item.kind !== 'box') at = item.x;
    else if (item.width > 2 * PIN_MARGIN && joints.length <= 2) {
      const half = item.width / 2 - PIN_MARGIN;
      const nearer = between(at, item.x - half, item.x + half);
      // Only where the bounds allow it.
      if (nearer >= from && nearer <= to) at = nearer;
    }
  }
  return between(at, from, to);
}
