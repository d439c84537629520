/**
 * Orders whole lines: an arrow through several rows moves at once to the other side of what is in them, which no order
 * of single rows finds (global sifting; Bachmaier, Brandenburg, Brunner and Hübner, 2010).
 */
import type { Sliced } from '../sliced.ts';
import { type End, endsOf, type Item, mergingPin, type Pin, type Row } from './rows.ts';

type Side = 'above' | 'below';
const SIDES = ['above', 'below'] as const;

/** Pairs of lines of two items that are compared, at most. */
const COMPARED = 400;

/** A box, or the items of a line that are directly below each other: they have one place among all blocks. */
interface Block {
  readonly items: Item[];
  /** The row of the first item. */
  readonly first: number;
  place: number;
  /** Where lines lead to other blocks. */
  readonly open: { readonly row: number; readonly side: Side }[];
}

/** The end of a line: its block and the place on it, or its place without a block there. */
interface BlockEnd extends End {
  readonly block: Block | undefined;
}

type Ends = { readonly [side in Side]: readonly BlockEnd[] };

export class Blocks {
  readonly #rows: readonly Row[];
  readonly #blocks: Block[] = [];
  readonly #of = new Map<Item, Block>();
  readonly #ends = new Map<Item, Ends>();
  readonly #merging = new Map<Item, { readonly [side in Side]: Pin | undefined }>();

  /** @param rows in an order to begin with. */
  constructor(rows: readonly Row[]) {
    this.#rows = rows;
    const next = continuations(rows);
    const isLater = new Set(next.values());
    for (const [first, row] of rows.entries()) {
      for (const item of row) {
        if (isLater.has(item)) continue;
        const block: Block = { items: [], first, place: 0, open: [] };
        for (let at: Item | undefined = item; at !== undefined; at = next.get(at)) {
          block.items.push(at);
          this.#of.set(at, block);
        }
        this.#blocks.push(block);
      }
    }
    for (const block of this.#blocks) {
      let sum = 0;
      for (const [i, item] of block.items.entries()) {
        const row = block.first + i;
        const ends = { above: this.#endsOf(item, 'above'), below: this.#endsOf(item, 'below') };
        this.#ends.set(item, ends);
        if (item.kind === 'box')
          this.#merging.set(item, { above: mergingPin(item, 'above'), below: mergingPin(item, 'below') });
        for (const side of SIDES)
          if (ends[side].some((end) => end.block !== block)) block.open.push({ row, side });
        sum += item.order - (rows[row]?.length ?? 0) / 2;
      }
      block.place = sum / block.items.length;
    }
    this.#number();
  }

  /**
   * Moves each block once to where its lines cross the fewest others.
   *
   * @param isRestless of several such places, takes the farthest instead of the nearest: from there, other blocks may
   *   have fewer crossings.
   * @param most units of work, beyond which the other blocks stay.
   * @returns the units of the work.
   */
  *sift(isForward: boolean, isRestless: boolean, most: number): Sliced<number> {
    let units = 0;
    for (const block of isForward ? [...this.#blocks] : this.#blocks.toReversed()) {
      const others = this.#beside(block);
      const own = 0.25 * (block.items.length + others.length);
      yield own;
      units += own;
      if (units > most) break;
      this.#move(block, others, isRestless);
    }
    this.#number();
    return units;
  }

  /** Sorts the rows by the places of the blocks. */
  write(): void {
    for (const row of this.#rows) {
      row.sort((a, b) => (this.#of.get(a)?.place ?? 0) - (this.#of.get(b)?.place ?? 0));
      for (const [i, item] of row.entries()) item.order = i;
    }
  }

  #number(): void {
    this.#blocks.sort((a, b) => a.place - b.place);
    for (const [i, block] of this.#blocks.entries()) block.place = i;
  }

  #endsOf(item: Item, side: Side): BlockEnd[] {
    return endsOf(item, side).map((end) => ({ ...end, block: end.item && this.#of.get(end.item) }));
  }

  /** @returns the blocks that are in a row with a block, from the left. */
  #beside(block: Block): Block[] {
    const others = new Set<Block>();
    for (let i = 0; i < block.items.length; i++) {
      for (const item of this.#rows[block.first + i] ?? []) {
        const other = this.#of.get(item);
        if (other !== undefined) others.add(other);
      }
    }
    others.delete(block);
    return [...others].sort((a, b) => a.place - b.place);
  }

  #move(block: Block, others: readonly Block[], isRestless: boolean): void {
    // The crossings with the block on the right of none of the others, of one, and so on.
    let cost = 0;
    const costs = [0, ...others.map((other) => (cost += this.#change(block, other)))];
    const present = others.filter(({ place }) => place < block.place).length;
    let to = present;
    for (const [i, one] of costs.entries()) {
      const least = costs[to] ?? 0;
      const isNearer = Math.abs(i - present) < Math.abs(to - present);
      const isFarther = Math.abs(i - present) > Math.abs(to - present);
      if (one < least || (one === least && (isRestless ? isFarther : isNearer))) to = i;
    }
    if (to === present) return;
    const [left, right] = [others[to - 1]?.place, others[to]?.place];
    block.place = ((left ?? (right ?? 0) - 2) + (right ?? (left ?? 0) + 2)) / 2;
  }

  /** @returns how many crossings more there are if a block moves from the left of another directly to its right. */
  #change(block: Block, other: Block): number {
    let change = 0;
    for (const { row, side } of block.open) change += this.#changeAt(block, other, row, side);
    for (const { row, side } of other.open) {
      const isCounted = block.open.some((open) => open.row === row && open.side === side);
      if (!isCounted) change += this.#changeAt(block, other, row, side);
    }
    return change;
  }

  #changeAt(block: Block, other: Block, row: number, side: Side): number {
    const [a, b] = [block.items[row - block.first], other.items[row - other.first]];
    const ones = a && this.#ends.get(a)?.[side];
    const twos = b && this.#ends.get(b)?.[side];
    if (ones === undefined || twos === undefined || ones.length * twos.length > COMPARED) return 0;
    // The block is about where the other one is.
    const placeOf = (end: BlockEnd) => (end.block === block ? other.place : (end.block?.place ?? 0)) + end.at;
    let change = 0;
    for (const one of ones) {
      for (const two of twos) {
        if (one.block === block && two.block === other) continue;
        change -= Math.sign(placeOf(one) - placeOf(two)) * one.weight * two.weight;
        if (one.item === two.item && one.item !== undefined)
          change += this.#changeAtBox(one, two, other, side);
      }
    }
    return change;
  }

  /** @returns how many crossings more there are at a box if one of its lines moves from the left of another to its right. */
  #changeAtBox(one: BlockEnd, two: BlockEnd, other: Block, side: Side): number {
    const [a, b] = [one.joint?.other, two.joint?.other];
    if (one.item === undefined || a === b) return 0;
    const opposite = side === 'above' ? 'below' : 'above';
    const pin = this.#merging.get(one.item)?.[opposite];
    if (pin === undefined || (a !== pin && b !== pin)) return 0;
    const [merging, single] = a === pin ? [one, two] : [two, one];
    const moving = merging.weight;
    // The other lines that merge, on both sides of the place where the two exchange theirs.
    const sums = { left: 0, right: 0 };
    for (const { joint, block, weight } of this.#ends.get(one.item)?.[opposite] ?? []) {
      if (joint?.own !== pin || block === undefined || joint.line === merging.joint?.line) continue;
      sums[block.place < other.place ? 'left' : 'right'] += weight;
    }
    const crossings = (left: number, right: number) => Math.min(sums.left + left, sums.right + right);
    const change = crossings(0, moving) - crossings(moving, 0);
    return single.weight * (merging === one ? change : -change);
  }
}

/** @returns for each item of a line, the item below it that continues the line: where lines merge, a bend first. */
function continuations(rows: readonly Row[]): Map<Item, Item> {
  const next = new Map<Item, Item>();
  const taken = new Set<Item>();
  for (const isBends of [true, false]) {
    for (const item of rows.flat()) {
      if (item.kind === 'box' || next.has(item) || (isBends && item.kind !== 'bend')) continue;
      const below = endsOf(item, 'below').find(({ item: other }) => {
        return other && other.kind !== 'box' && !taken.has(other) && (!isBends || other.kind === 'bend');
      })?.item;
      if (below === undefined) continue;
      next.set(item, below);
      taken.add(below);
    }
  }
  return next;
}
