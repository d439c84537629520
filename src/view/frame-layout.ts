/** Lays out the inside of one state: its children in rows, and the arrows between them in channels. */
import type { Sliced } from '../sliced.ts';
import { assignTracks } from './channels.ts';
import { extentsOf, type FrameOptions } from './frame-options.ts';
import { DOT, type Point, type Rectangle, straightened } from './geometry.ts';
import { type Column, Grid, PORT_DOT, TAG } from './grid.ts';
import { layersOf, placesOf } from './layering.ts';
import { orderRows } from './ordering.ts';
import { placePins, placePorts } from './pins.ts';
import { extentOf, placeColumn } from './placement.ts';
import type { Item, Pin, Route, Wire } from './rows.ts';

/** The way of a link: a line, and the place of its captions. */
interface Way {
  readonly points: readonly Point[];
  readonly label?: Rectangle;
  /** The place for the name of the target, where the arrow is cut. */
  readonly tag?: Point;
}

export interface FrameLayout {
  readonly width: number;
  readonly height: number;
  /** The upper left corner of each child. */
  readonly corners: readonly Point[];
  /** The width of each child: a child with many arrows is wider. */
  readonly widths: readonly number[];
  readonly ways: readonly Way[];
  /** The places of the ports by their nets. */
  readonly ports: { readonly top: ReadonlyMap<string, number>; readonly bottom: ReadonlyMap<string, number> };
  /** Ports that are ends of arrows. */
  readonly dots: readonly Point[];
  /** The dot before the initial child, and the line from it. */
  readonly initial?: { readonly dot: Point; readonly points: readonly Point[] };
}

/**
 * The room above and below the horizontal pieces of a channel, less where all lines are straight, more where an
 * arrowhead is, and between two pieces, px.
 */
const CHANNEL = 8;
const STRAIGHT = 3;
const ARROWHEAD = 13;
const TRACK = 10;

/** The distances of columns, of the lines beside them, and of boxes without arrows between them, px. */
const COLUMN_GAP = 24;
const RISER_GAP = 12;
const BOX_GAP = 24;

export function* frameLayout(options: FrameOptions): Sliced<FrameLayout> {
  const { children, links, order } = options;
  const units = 0.3 * (children.length + links.length);
  yield units;
  const { widths, extents } = extentsOf(options);
  const edges = links.flatMap(({ from, to }) =>
    from === undefined || to === undefined ? [] : [{ from, to }],
  );
  yield units;
  const layers = layersOf(children.length, edges, order);
  yield units;
  const places = placesOf(extents, edges, layers);
  yield units;
  const grid = new Grid(options, widths, places);
  yield* grid.route();
  const { columns, outer, ports } = grid;
  let right = 0;
  yield* orderRows(grid.unfolded());
  for (const column of columns) {
    yield* placeColumn(column.rows);
    right = besideOthers(column, right);
  }
  yield* placePins([...columns.flatMap(({ channels }) => channels.flat()), ...outer.top, ...outer.bottom]);
  placePorts(ports.top.values(), outer.top, options.least);
  placePorts(ports.bottom.values(), outer.bottom, 0);
  const height = yield* placeDown(grid);
  const ways: Way[] = [];
  for (const route of grid.routes) {
    ways.push(wayOf(route));
    yield 0.3 + 0.05 * route.steps.length;
  }
  const all = [...ports.top.values(), ...ports.bottom.values()];
  const netsOf = (items: ReadonlyMap<string, Item>) => new Map([...items].map(([net, { x }]) => [net, x]));
  const { dot, entry } = grid;
  return {
    width: Math.max(right - COLUMN_GAP, ...all.map(({ x, width }) => x + width / 2)),
    height,
    corners: grid.boxes.map(({ x, y, width }) => ({ x: x - width / 2, y })),
    widths: grid.boxes.map(({ width }) => width),
    ways,
    ports: { top: netsOf(ports.top), bottom: netsOf(ports.bottom) },
    dots: all.filter(({ width }) => width === PORT_DOT).map(({ x, y }) => ({ x, y: y + PORT_DOT / 2 })),
    ...(dot === undefined || entry === undefined
      ? {}
      : { initial: { dot: { x: dot.x, y: dot.y + DOT / 2 }, points: wayOf(entry).points } }),
  };
}

/** Moves a column to the right of others, with the lines that pass beside it. @returns where the next one begins. */
function besideOthers({ rows, risers }: Column, right: number): number {
  let x = right;
  // The last one comes from the right, above its column and below the column before it: it is the outermost there.
  for (const riser of risers.toReversed()) {
    riser.x = x;
    x += RISER_GAP;
  }
  const { left, right: end } = extentOf(rows);
  for (const row of rows) for (const item of row) item.x += x - left;
  return x + end - left + COLUMN_GAP;
}

/** Places rows and channels below each other: in each column, between the channels above and below all columns. */
function* placeDown({ columns, outer, ports }: Grid): Sliced<number> {
  const port = Math.max(0, ...[...ports.top.values()].map(({ height }) => height));
  let bottom = port + (yield* placeWires(outer.top, port));
  const top = bottom;
  for (const { rows, channels, risers } of columns) {
    let y = top;
    for (const [i, row] of rows.entries()) {
      const height = Math.max(0, ...row.map((item) => item.height));
      for (const item of row) item.y = y + (item.kind === 'box' ? (height - item.height) / 2 : 0);
      y += height;
      const wires = channels[i] ?? [];
      if (wires.length > 0) y += yield* placeWires(wires, y);
      // Boxes without arrows between them stand apart all the same.
      else if (i % 2 === 0 && i > 0 && i < rows.length - 1) y += BOX_GAP;
    }
    bottom = Math.max(bottom, y);
    for (const riser of risers) riser.y = top;
  }
  const end = bottom + (yield* placeWires(outer.bottom, bottom));
  for (const item of ports.bottom.values()) item.y = end;
  return end + Math.max(0, ...[...ports.bottom.values()].map(({ height }) => height));
}

/** Places the horizontal pieces of a channel. @returns its height. */
function* placeWires(wires: readonly Wire[], y: number): Sliced<number> {
  if (wires.length === 0) return 0;
  const tracks = yield* assignTracks(wires);
  const needs = (isBelow: boolean) => {
    const hasHead = wires.some(({ pins }) => pins.some((pin) => pin.isTop === isBelow && pin.hasHead));
    return hasHead ? ARROWHEAD : tracks > 0 ? CHANNEL : STRAIGHT;
  };
  const [above, below] = [needs(false), needs(true)];
  for (const wire of wires) wire.y = y + above + TRACK * (wire.track ?? 0);
  return above + below + TRACK * Math.max(0, tracks - 1);
}

/** @returns the line of a route: vertical in the rows, horizontal in the channels. */
function wayOf({ steps, label, isCut }: Route): Way {
  const points: Point[] = [];
  for (const { wire, from, to } of steps) {
    points.push({ x: from.x, y: edgeOf(from, wire) }, { x: from.x, y: wire.y }, { x: to.x, y: wire.y });
    points.push({ x: to.x, y: edgeOf(to, wire) });
  }
  if (label === undefined) return { points: straightened(points) };
  const { x, y, width, height } = label;
  if (!isCut) return { points: straightened(points), label: { x: x - width / 2, y, width, height } };
  // The captions first, then the arrowhead, then the name of the target.
  const isDown = steps[0]?.to.isTop !== false;
  const name = TAG.height - TAG.head;
  const end = isDown ? y + height - name : y + name;
  points.push({ x, y: end });
  return {
    points: straightened(points),
    label: { x: x - width / 2, y: isDown ? y : y + TAG.height, width, height: height - TAG.height },
    tag: { x, y: isDown ? end + 13 : y + 13 },
  };
}

/** @returns the edge of an item, px. Between two channels beyond all columns, a line has none. */
function edgeOf({ item, isTop }: Pin, wire: Wire): number {
  if (item.kind === 'bend' && item.row === -1) return wire.y;
  return isTop ? item.y : item.y + item.height;
}
