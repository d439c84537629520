/** Assigns the states of a frame to layers: arrows lead down from layer to layer, except those that close a cycle. */

/** An arrow between two items, by their indices. */
export interface Edge {
  readonly from: number;
  readonly to: number;
}

/**
 * Returns a linear order of items in which few edges lead back. The order of the document is kept where no other order
 * has fewer of them.
 *
 * @param first the item to begin with.
 * @returns the place of each item.
 */
export function linearOrder(count: number, edges: readonly Edge[], first = 0): readonly number[] {
  const document = Array.from({ length: count }, (_, i) => i);
  const next: number[][] = document.map(() => []);
  for (const { from, to } of edges) if (from !== to) next[from]?.push(to);
  for (const list of next) list.sort((a, b) => a - b);
  const starts = [first, ...document];
  const candidates = [
    document,
    depthFirst(next, starts),
    depthFirst(
      next.map((list) => list.toReversed()),
      starts,
    ),
  ];
  const backs = candidates.map(
    (order) => edges.filter(({ from, to }) => (order[from] ?? 0) > (order[to] ?? 0)).length,
  );
  return candidates[backs.indexOf(Math.min(...backs))] ?? document;
}

/** @returns the places of items in the reverse of the order in which a depth-first search leaves them. */
function depthFirst(next: readonly (readonly number[])[], starts: readonly number[]): number[] {
  const places = new Array<number>(next.length).fill(-1);
  const isSeen = new Array<boolean>(next.length).fill(false);
  let place = next.length;
  // The last start is left first, so that the first one has the first place.
  const left: number[] = [];
  for (const start of starts) {
    if (isSeen[start]) continue;
    const trail: number[] = [];
    const stack = [{ item: start, at: 0 }];
    isSeen[start] = true;
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const child = next[top.item]?.[top.at];
      top.at += 1;
      if (child === undefined) {
        trail.push(top.item);
        stack.pop();
      } else if (!isSeen[child]) {
        isSeen[child] = true;
        stack.push({ item: child, at: 0 });
      }
    }
    left.unshift(...trail);
  }
  for (const item of left) places[item] = --place;
  return places;
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

/** States to which arrows may lead from one column to another, on average: with more, one column is clearer. */
const PASSING = 5;

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
  const columns = intoColumns(rows, extents, passingOf(rows, edges));
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
      const size = Math.ceil(items.length / parts);
      return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
        items.slice(i * size, (i + 1) * size),
      );
    });
}

/** @returns for each row, the number of items to which arrows lead between it and the row before it. */
function passingOf(rows: readonly number[][], edges: readonly Edge[]): number[] {
  const rowOf = new Map(rows.flatMap((row, i) => row.map((item) => [item, i] as const)));
  const spans = new Map<number, { from: number; to: number }>();
  for (const { from, to } of edges) {
    const [a, b] = [rowOf.get(from) ?? 0, rowOf.get(to) ?? 0];
    const span = spans.get(to) ?? { from: b, to: b };
    spans.set(to, { from: Math.min(span.from, a), to: Math.max(span.to, a) });
  }
  const changes = new Array<number>(rows.length + 1).fill(0);
  for (const { from, to } of spans.values()) {
    changes[from + 1] = (changes[from + 1] ?? 0) + 1;
    changes[to + 1] = (changes[to + 1] ?? 0) - 1;
  }
  let passing = 0;
  return rows.map((_, i) => {
    passing += changes[i] ?? 0;
    return passing;
  });
}

/** @returns the columns, each a list of layers: as many as make the drawing about as wide as high. */
function intoColumns(
  rows: readonly number[][],
  extents: readonly Extent[],
  passing: readonly number[],
): number[][][] {
  if (rows.length === 0) return [];
  const heights = rows.map((row) => Math.max(...row.map((item) => extents[item]?.height ?? 0)) + BETWEEN);
  const widths = rows.map((row) => row.reduce((sum, item) => sum + (extents[item]?.width ?? 0) + BESIDE, 0));
  const total = heights.reduce((sum, height) => sum + height, 0);
  for (let count = 1; ; count++) {
    const columns = cut(heights, total / count, passing);
    const width = columns.reduce((sum, [from, to]) => sum + Math.max(...widths.slice(from, to)), 0);
    const height = Math.max(
      ...columns.map(([from, to]) => heights.slice(from, to).reduce((sum, one) => sum + one, 0)),
    );
    if (height > Math.max(HIGH, 0.8 * width) && count < rows.length) continue;
    const between = columns.slice(1).reduce((sum, [from]) => sum + (passing[from] ?? 0), 0);
    if (between > PASSING * (columns.length - 1)) return [[...rows]];
    return columns.map(([from, to]) => rows.slice(from, to));
  }
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

/** @returns the number of columns at which a grid of items is about one and a half times as wide as high. */
function columnsOfGrid(items: readonly number[], extents: readonly Extent[]): number {
  const sum = (of: (extent: Extent) => number) =>
    items.reduce((all, item) => all + of(extents[item] ?? { width: 0, height: 0 }), 0) /
    Math.max(1, items.length);
  const [width, height] = [sum((extent) => extent.width) + BESIDE, sum((extent) => extent.height) + BETWEEN];
  const across = Math.round(Math.sqrt((1.5 * items.length * height) / width));
  return Math.max(1, Math.min(items.length, items.length <= 3 && width < 500 ? items.length : across));
}
