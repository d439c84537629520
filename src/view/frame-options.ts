/** What the layout of a frame is made from: the children of a state, and the parts of arrows between them. */
import { ARROW_BENDS, ARROW_STEPS } from '../limits.ts';

/** A child of the state. */
interface Child {
  readonly width: number;
  readonly height: number;
  /** The width of the loops on its right. */
  readonly beside: number;
  /** The places of its ports by their keys, from its left edge, px. */
  readonly ports: ReadonlyMap<string, number>;
}

/** An arrow, or the part of one, inside the state. */
export interface Link {
  /** Arrows to one state, from one direction, merge: they have the same net. */
  readonly net: string;
  /** 1: it leads down, from a lower edge to an upper one; -1: up. */
  readonly direction: 1 | -1;
  /** The index of a child; undefined for a port of the state itself. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** At a child, the port that it leads through; undefined for the child itself. */
  readonly fromPort?: string;
  readonly toPort?: string;
  /** The size of its captions, if they are here. */
  readonly label?: { readonly width: number; readonly height: number } | undefined;
  /** Whether its port is an end of the arrow, and has a dot. */
  readonly isOwn?: boolean;
}

export interface FrameOptions {
  readonly children: readonly Child[];
  readonly links: readonly Link[];
  /** The places of the children in a linear order: arrows along it lead down. */
  readonly order: readonly number[];
  /** The child that is entered first: it has a dot above it. */
  readonly initial: number | undefined;
  /** The least place of a port at the upper edge, px: the title is left of it. */
  readonly least: number;
  readonly budget: Budget;
}

/** What one drawing may still have of bends, and of pieces of arrows. Arrows beyond it are cut. */
export interface Budget {
  bends: number;
  steps: number;
}

export function wholeBudget(): Budget {
  return { bends: ARROW_BENDS, steps: ARROW_STEPS };
}

/** @returns the width of each child with room for its pins, and its size with its captions, px. */
export function extentsOf({ children, links }: FrameOptions) {
  const captions = children.map(() => ({ width: 0, height: 0 }));
  const sides = children.map(() => ({ top: new Set<string>(), bottom: new Set<string>() }));
  for (const [i, { net, direction, from, to, fromPort, label }] of links.entries()) {
    const [out, into] = direction > 0 ? (['bottom', 'top'] as const) : (['top', 'bottom'] as const);
    if (from !== undefined) sides[from]?.[out].add(fromPort ?? String(i));
    if (to !== undefined) sides[to]?.[into].add(net);
    const own = from === undefined ? undefined : captions[from];
    if (own === undefined || label === undefined) continue;
    own.width += label.width + 12;
    own.height = Math.max(own.height, label.height);
  }
  const widths = children.map(({ width }, i) => {
    const { top, bottom } = sides[i] ?? {};
    return Math.max(width, 28 + 16 * (Math.max(top?.size ?? 0, bottom?.size ?? 0) - 1));
  });
  const extents = children.map(({ height, beside }, i) => ({
    width: Math.max((widths[i] ?? 0) + beside, captions[i]?.width ?? 0),
    height: height + (captions[i]?.height ?? 0),
  }));
  return { widths, extents };
}
