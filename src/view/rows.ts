/**
 * The rows of a frame's layout. Boxes, captions and bends stand in rows, the rows in columns, and arrows lead through the
 * channels between rows. An arrow that passes a row has a bend there, so it never leads through a box.
 */

/** A box, the captions of an arrow, a place where an arrow passes a row, or a port at the border of the frame. */
export interface Item {
  readonly kind: 'box' | 'label' | 'bend' | 'port';
  readonly width: number;
  readonly height: number;
  /** The width beside the box, on its right: of its loops. */
  readonly beside: number;
  readonly row: number;
  /** The place in the row. */
  order: number;
  /** The centre, px. */
  x: number;
  /** The upper edge, px. */
  y: number;
  /** Links to items of the row above, and of the row below. */
  readonly above: Joint[];
  readonly below: Joint[];
  /** Lines that leave the column, for the order of the items alone. */
  readonly beyond: { readonly above: End[]; readonly below: End[] };
}

/** The end of a line: its item and the place on it, or its place in a row without an item there. */
export interface End {
  readonly item: Item | undefined;
  readonly at: number;
  /** The number of arrows that take the line. */
  weight: number;
  /** Where the line meets the two items; none for a line that leaves the column. */
  readonly joint?: Joint;
}

/** A link to an item of a neighbouring row. */
interface Joint {
  readonly own: Pin;
  readonly other: Pin;
  /** The number of arrows that take it, for both ends. */
  readonly line: { weight: number };
}

/** Where an arrow meets an item: at its upper or its lower edge. */
export interface Pin {
  readonly item: Item;
  readonly isTop: boolean;
  /** On a frame: the place of a port, from the centre, px. */
  readonly fixed?: number;
  /** Whether an arrow ends here, with its head. */
  readonly hasHead?: boolean;
  /** px; set after the items have their places. */
  x: number;
  wire?: Wire;
}

/** The lines in one channel that belong together: a horizontal piece, and a vertical one for each pin. */
export interface Wire {
  /** Pins of the row above the channel (`isTop` is false) and of the row below. */
  readonly pins: Pin[];
  /** The place of the horizontal piece, px. */
  y: number;
  /** The number of the horizontal piece among those of the channel, from above; undefined for a straight line. */
  track: number | undefined;
}

export type Row = Item[];

/** One piece of a way: through a channel, from one pin to another. */
export interface Step {
  readonly wire: Wire;
  readonly from: Pin;
  readonly to: Pin;
}

export interface Route {
  readonly steps: readonly Step[];
  /** The captions, and the name of the target if it is cut. */
  readonly label?: Item;
  readonly isCut?: boolean;
}

/** Connects two pins by a wire, and their items if one is above the other. */
export function join(wire: Wire, a: Pin, b: Pin, isInner: boolean): void {
  for (const pin of [a, b]) {
    if (pin.wire === wire) continue;
    pin.wire = wire;
    wire.pins.push(pin);
  }
  if (a.isTop === b.isTop || !isInner) return;
  const [upper, lower] = a.isTop ? [b, a] : [a, b];
  // Of many lines that merge, each has only one on its own side.
  const [own, lists] =
    upper.item.below.length < lower.item.above.length ? [upper, upper.item.below] : [lower, lower.item.above];
  const known = lists.find((joint) => joint.own === own && joint.other === (own === upper ? lower : upper));
  if (known !== undefined) {
    known.line.weight += 1;
    return;
  }
  const line = { weight: 1 };
  upper.item.below.push({ own: upper, other: lower, line });
  lower.item.above.push({ own: lower, other: upper, line });
}

/** @returns the other ends of an item's lines, in the row above or below. */
export function endsOf(item: Item, side: 'above' | 'below'): End[] {
  const ends = item[side].map((joint) => {
    const { other, line } = joint;
    return { item: other.item, at: portOf(other), weight: line.weight, joint };
  });
  return [...ends, ...item.beyond[side]];
}

/** @returns the pin of a box where several lines merge. It has one place, beside those of the other lines. */
export function mergingPin(item: Item, side: 'above' | 'below'): Pin | undefined {
  const seen = new Set<Pin>();
  for (const { own } of item[side]) {
    if (own.fixed === undefined && seen.has(own)) return own;
    seen.add(own);
  }
  return undefined;
}

/** @returns the place of a pin on its item, from its middle: a port on the left of a frame comes first. */
export function portOf({ item, fixed = 0 }: Pin): number {
  return item.width > 0 ? (0.9 * fixed) / item.width : 0;
}

/** @returns the least distance between the centres of two items beside each other, px. */
export function distanceOf(left: Item, right: Item): number {
  const isThin = [left, right].some(({ kind }) => kind === 'bend' || kind === 'port');
  const gap = isThin ? 10 : left.kind === 'box' && right.kind === 'box' ? 28 : 12;
  return left.width / 2 + left.beside + gap + right.width / 2;
}

/** A position with a weight, in a list with least distances. */
export interface Wish {
  readonly at: number;
  readonly weight: number;
}

/**
 * Returns positions in ascending order that are as near as possible to those wished for: the weighted sum of squares is
 * least (pool adjacent violators; Barlow and others, Statistical Inference under Order Restrictions, 1972).
 *
 * @param gaps the least distance from each position to the one before it.
 */
export function spread(wishes: readonly Wish[], gaps: readonly number[]): number[] {
  const pools: { sum: number; weight: number; count: number }[] = [];
  const offsets: number[] = [];
  let offset = 0;
  for (const [i, { at, weight }] of wishes.entries()) {
    offset += gaps[i] ?? 0;
    offsets.push(offset);
    let pool = { sum: (at - offset) * weight, weight, count: 1 };
    for (let last = pools.at(-1); last !== undefined; last = pools.at(-1)) {
      if (last.sum / last.weight <= pool.sum / pool.weight) break;
      pools.pop();
      pool = { sum: pool.sum + last.sum, weight: pool.weight + last.weight, count: pool.count + last.count };
    }
    pools.push(pool);
  }
  const positions: number[] = [];
  for (const { sum, weight, count } of pools) {
    for (let i = 0; i < count; i++) positions.push(sum / weight + (offsets[positions.length] ?? 0));
  }
  return positions;
}
