/** Assigns the states of a frame to layers: arrows lead down from layer to layer, except those that close a cycle. */

/** An arrow between two items, by their indices. */
export interface Edge {
  readonly from: number;
  readonly to: number;
}

/**
 * Returns the layer of each item: one below its lowest predecessor, or nearer to its successors where it has more of
 * those. Every edge leads to another layer.
 *
 * @param places a linear order; edges against it lead up.
 */
export function layersOf(count: number, edges: readonly Edge[], places: readonly number[]): number[] {
  const inOrder = Array.from({ length: count }, (_, i) => i).sort(
    (a, b) => (places[a] ?? 0) - (places[b] ?? 0),
  );
  const above: number[][] = inOrder.map(() => []);
  const below: number[][] = inOrder.map(() => []);
  for (const { from, to } of edges) {
    if (from === to) continue;
    const isDown = (places[from] ?? 0) < (places[to] ?? 0);
    const [upper, lower] = isDown ? [from, to] : [to, from];
    above[lower]?.push(upper);
    below[upper]?.push(lower);
  }
  const layers = new Array<number>(count).fill(0);
  const layer = (item: number) => layers[item] ?? 0;
  for (const item of inOrder) layers[item] = Math.max(-1, ...(above[item] ?? []).map(layer)) + 1;
  for (const item of inOrder.toReversed()) {
    const lower = below[item] ?? [];
    if (lower.length > (above[item]?.length ?? 0)) layers[item] = Math.min(...lower.map(layer)) - 1;
  }
  return layers;
}

/** Where an item is: its column, and its layer in it. */
export interface Place {
  readonly column: number;
  readonly layer: number;
}

interface Extent {
  readonly width: number;
  readonly height: number;
}

/** The most that a layer is wide and a column is high before they are divided, px. */
const WIDE = 1_200;
const HIGH = 1_300;

/**
 * States to which arrows may lead from one column to another, on average, and past a whole column: with more, fewer
 * columns are clearer.
 */
const PASSING = 14;
const SKIPPING = 4;

/** What a layer has beside its boxes, and an item beside its box: captions and bends, about, px. */
const BETWEEN = 52;
const BESIDE = 40;

/**
 * Divides layers that are too wide into several, and puts layers beyond the height of a column into further columns, as
 * text on a page: a long row of states is read column by column. Items without edges form a grid.
 *
 * @param extents of each item, with its captions.
 */
export function placesOf(
  extents: readonly Extent[],
  edges: readonly Edge[],
  layers: readonly number[],
): readonly Place[] {
  const isLinked = extents.map(() => false);
  for (const { from, to } of edges) {
    isLinked[from] = true;
    isLinked[to] = true;
  }
  const area = extents.reduce((sum, { width, height }) => sum + (width + BESIDE) * (height + BETWEEN), 0);
  const wide = Math.max(WIDE, 1.2 * Math.sqrt(area), ...extents.map(({ width }) => width));
  const rows: number[][] = [];
  for (const component of components(extents.length, edges)) {
    if (component.some((item) => isLinked[item]))
      rows.push(...dividedLayers(component, layers, extents, wide));
  }
  const places = new Array<Place>(extents.length).fill({ column: 0, layer: 0 });
  const columns = intoColumns(rows, extents, spansOf(rows, edges));
  for (const [column, own] of columns.entries()) {
    for (const [layer, items] of own.entries()) for (const item of items) places[item] = { column, layer };
  }
  const alone = extents.flatMap((_, item) => (isLinked[item] ? [] : [item]));
  const across = columnsOfGrid(alone, extents);
  for (const [i, item] of alone.entries()) {
    places[item] = { column: columns.length + (i % across), layer: Math.floor(i / across) };
  }
  return places;
}

/** @returns the sets of items that edges connect, in the order of their first items. */
function components(count: number, edges: readonly Edge[]): number[][] {
  const roots = Array.from({ length: count }, (_, i) => i);
  const rootOf = (item: number): number => {
    let at = item;
    for (let up = roots[at] ?? at; up !== at; up = roots[at] ?? at) {
      roots[at] = roots[up] ?? up;
      at = up;
    }
    return at;
  };
  for (const { from, to } of edges) {
    const [a, b] = [rootOf(from), rootOf(to)];
    roots[Math.max(a, b)] = Math.min(a, b);
  }
  const sets = new Map<number, number[]>();
  for (let item = 0; item < count; item++) {
    const root = rootOf(item);
    const set = sets.get(root);
    if (set === undefined) sets.set(root, [item]);
    else set.push(item);
  }
  return [...sets.values()];
}

/** @returns the layers of a component from its first one, each divided where it is too wide. */
function dividedLayers(
  component: readonly number[],
  layers: readonly number[],
  extents: readonly Extent[],
  wide: number,
): number[][] {
  const byLayer = new Map<number, number[]>();
  for (const item of component) {
    const layer = layers[item] ?? 0;
    const list = byLayer.get(layer);
    if (list === undefined) byLayer.set(layer, [item]);
    else list.push(item);
  }
  return [...byLayer]
    .sort(([a], [b]) => a - b)
    .flatMap(([, items]) => {
      const width = items.reduce((sum, item) => sum + (extents[item]?.width ?? 0) + BESIDE, 0);
      const parts = Math.min(items.length, Math.ceil(width / wide));
      // Lines to a lower part pass between the items of an upper one.
      return Array.from({ length: parts }, (_, part) => items.filter((_, i) => i % parts === part));
    });
}

/** The rows between which arrows lead to an item. */
interface Span {
  readonly from: number;
  readonly to: number;
}

function spansOf(rows: readonly number[][], edges: readonly Edge[]): Span[] {
  const rowOf = new Map(rows.flatMap((row, i) => row.map((item) => [item, i] as const)));
  const spans = new Map<number, Span>();
  for (const { from, to } of edges) {
    const [a, b] = [rowOf.get(from) ?? 0, rowOf.get(to) ?? 0];
    const span = spans.get(to) ?? { from: b, to: b };
    spans.set(to, { from: Math.min(span.from, a), to: Math.max(span.to, a) });
  }
  return [...spans.values()];
}

/** @returns for each row, the number of spans between it and the row before it. */
function passingOf(rows: readonly number[][], spans: readonly Span[]): number[] {
  const changes = new Array<number>(rows.length + 1).fill(0);
  for (const { from, to } of spans) {
    changes[from + 1] = (changes[from + 1] ?? 0) + 1;
    changes[to + 1] = (changes[to + 1] ?? 0) - 1;
  }
  let passing = 0;
  return rows.map((_, i) => {
    passing += changes[i] ?? 0;
    return passing;
  });
}

/**
 * Returns the columns, each a list of layers: as many as make the drawing about as wide as high, or fewer where many
 * arrows would lead between them.
 */
function intoColumns(
  rows: readonly number[][],
  extents: readonly Extent[],
  spans: readonly Span[],
): number[][][] {
  if (rows.length === 0) return [];
  const passing = passingOf(rows, spans);
  const heights = rows.map((row) => Math.max(...row.map((item) => extents[item]?.height ?? 0)) + BETWEEN);
  const widths = rows.map((row) => row.reduce((sum, item) => sum + (extents[item]?.width ?? 0) + BESIDE, 0));
  const total = heights.reduce((sum, height) => sum + height, 0);
  const highest = Math.max(...heights);
  let best: [number, number][] = [[0, rows.length]];
  for (let count = 1; count <= rows.length; count++) {
    const columns = cut(heights, total / count, passing);
    const between = columns.slice(1).reduce((sum, [from]) => sum + (passing[from] ?? 0), 0);
    if (between > PASSING * (columns.length - 1) || skippingOf(columns, spans) > SKIPPING) break;
    best = columns;
    const width = columns.reduce((sum, [from, to]) => sum + Math.max(...widths.slice(from, to)), 0);
    const height = Math.max(
      ...columns.map(([from, to]) => heights.slice(from, to).reduce((sum, one) => sum + one, 0)),
    );
    if (height <= Math.max(HIGH, 0.8 * width, 1.2 * highest)) break;
  }
  return best.map(([from, to]) => rows.slice(from, to));
}

/** @returns the number of spans past a whole column. */
function skippingOf(columns: readonly [number, number][], spans: readonly Span[]): number {
  const columnOf = columns.flatMap(([from, to], column) => new Array<number>(to - from).fill(column));
  return spans.filter(({ from, to }) => (columnOf[to] ?? 0) - (columnOf[from] ?? 0) > 1).length;
}

/** @returns the first and the end of each piece of a list, pieces of about `most` in sum: cut where the fewest arrows pass. */
function cut(heights: readonly number[], most: number, passing: readonly number[]): [number, number][] {
  const pieces: [number, number][] = [];
  let [from, sum] = [0, 0];
  let best = { at: 0, passing: Number.POSITIVE_INFINITY };
  for (let i = 0; i < heights.length; i++) {
    const height = heights[i] ?? 0;
    if (i > from && sum > 0.8 * most && (passing[i] ?? 0) < best.passing)
      best = { at: i, passing: passing[i] ?? 0 };
    if (i > from && sum + height / 2 > 1.1 * most) {
      const at = best.at > from ? best.at : i;
      pieces.push([from, at]);
      [from, sum] = [at, 0];
      best = { at: 0, passing: Number.POSITIVE_INFINITY };
      i = at;
    }
    sum += heights[i] ?? 0;
  }
  pieces.push([from, heights.length]);
  return pieces;
}

/** @returns the number of columns at which a grid of items fits into the smallest page that is 1.6 times as wide as high. */
function columnsOfGrid(items: readonly number[], extents: readonly Extent[]): number {
  const sum = (of: (extent: Extent) => number) =>
    items.reduce((all, item) => all + of(extents[item] ?? { width: 0, height: 0 }), 0) /
    Math.max(1, items.length);
  const [width, height] = [sum((extent) => extent.width) + BESIDE, sum((extent) => extent.height) + BETWEEN];
  if (items.length <= 3 && width < 500) return Math.max(1, items.length);
  let best = { across: 1, size: Number.POSITIVE_INFINITY };
  for (let across = 1; across <= items.length; across++) {
    const size = Math.max((across * width) / 1.6, Math.ceil(items.length / across) * height);
    if (size < best.size) best = { across, size };
  }
  return best.across;
}
