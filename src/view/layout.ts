/**
 * Where everything stands. Each state with states in it is laid out by itself, by dagre, from the inside out: what is
 * inside is one box for what is around it. So a chart of any depth is as many small layouts as it has such states.
 */
import { Graph as DagreGraph, layout as dagre } from '@dagrejs/dagre';
import { type Model, ROOT, type StateNumber } from '../chart/model.ts';
import { type Arrow, commonOf, type Graph, type Node } from './graph.ts';
import { shortened, textWidth } from './words.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Its upper left corner, and its extent, px. */
interface Rectangle extends Point {
  readonly width: number;
  readonly height: number;
}

/** A state where it stands. */
export interface Box extends Rectangle {
  readonly node: Node;
  readonly title: string;
}

/** An arrow where it runs, and its captions. */
export interface Line {
  readonly arrow: Arrow;
  readonly points: readonly Point[];
  readonly label: Rectangle;
}

/** A dot that an arrow begins or ends at: where a state is entered first, or the edge of the state around. */
interface Dot extends Point {
  readonly kind: 'initial' | 'port';
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Outer ones first: what is drawn later lies above. */
  readonly boxes: readonly Box[];
  readonly lines: readonly Line[];
  readonly dots: readonly Dot[];
  /** From where a state is entered first. */
  readonly entries: readonly (readonly Point[])[];
}

const TITLE_SIZE = 14;
const CAPTION_SIZE = 11;
export const CAPTION_LINE = 15;
export const HEADER = 30;

const TITLE_LENGTH = 28;
const CAPTION_LENGTH = 40;
const PADDING = 14;
const MARGIN = 16;
const DOT = 12;

/** Room for what a caption says beside its words: `2 of 3`, `1h 30m left`. */
const COUNTER_WIDTH = 72;

/** Beyond so many states side by side, the ranks are found in one pass: the better way is quadratic. */
const MANY = 60;

/** Ranks that all arrows of one state's inside may cross together on their way through it. */
const THREADS = 300;

/** Between two lanes, and how many there are before the first is taken again. */
const LANE = 14;
const LANES = 24;

export function layOut(model: Model, graph: Graph): Layout {
  const arrows = new Map<StateNumber, Arrow[]>();
  for (const arrow of graph.arrows) {
    const { from, to } = arrow;
    const common = from === to ? (model.states[from]?.parent ?? ROOT) : commonOf(model, from, to);
    const list = arrows.get(common);
    if (list === undefined) arrows.set(common, [arrow]);
    else list.push(arrow);
  }
  const inside = frame(graph.root, arrows, parentsOf(graph.root));
  const at = { x: MARGIN, y: MARGIN };
  return { ...moved(inside, at), width: inside.width + 2 * MARGIN, height: inside.height + 2 * MARGIN };
}

/** @returns the captions' words as there is room for them. */
export function captionText(text: string): string {
  return shortened(text, CAPTION_LENGTH);
}

/** Lays out what is inside of a state. Its upper left corner is the origin. */
function frame(
  node: Node,
  arrows: ReadonlyMap<StateNumber, readonly Arrow[]>,
  parents: ReadonlyMap<StateNumber, StateNumber>,
): Layout {
  const graph = new DagreGraph({ multigraph: true });
  graph.setGraph({
    rankdir: 'TB',
    nodesep: 32,
    ranksep: 34,
    edgesep: 18,
    ...(node.children.length > MANY ? { ranker: 'longest-path' } : {}),
  });
  const insides = new Map(node.children.map((child) => [child.state, inner(child, arrows, parents)]));
  for (const [state, { width, height }] of insides) graph.setNode(String(state), { width, height });
  if (node.initial !== undefined) {
    graph.setNode('initial', { width: DOT, height: DOT });
    graph.setEdge('initial', String(node.initial), {}, 'initial');
  }
  const own = arrows.get(node.state) ?? [];
  const childOf = (state: StateNumber) => {
    for (let at: StateNumber | undefined = state; at !== undefined; at = parents.get(at)) {
      if (insides.has(at)) return at;
    }
    return undefined;
  };
  const direct = own.map((arrow) => [childOf(arrow.from), childOf(arrow.to)] as const);
  const far = tooFar(node, direct);
  for (const [i, arrow] of own.entries()) {
    if (far.has(i)) continue;
    const ends = [childOf(arrow.from), childOf(arrow.to)].map((child, end) => {
      if (child !== undefined) return String(child);
      const port = `port ${i} ${end}`;
      graph.setNode(port, { width: DOT, height: DOT });
      return port;
    });
    const [from = '', to = ''] = ends;
    graph.setEdge(from, to, { ...labelExtent(arrow), labelpos: 'c' }, String(i));
  }
  dagre(graph);
  const laid = collected(graph, node, insides, own);
  return withLanes(
    laid,
    own.filter((_, i) => far.has(i)),
  );
}

/**
 * The arrows that dagre is not given. It threads each arrow through every rank that it crosses, and orders all of
 * these threads: what goes far through a large chart costs seconds. The shortest go in, up to a bound.
 *
 * @param arrows the children that they lead from and to.
 * @returns their places in the list.
 */
function tooFar(
  node: Node,
  arrows: readonly (readonly [StateNumber | undefined, StateNumber | undefined])[],
): ReadonlySet<number> {
  const place = new Map(node.children.map(({ state }, i) => [state, i]));
  const spans = arrows
    .map(([from, to], i) => {
      const [a, b] = [from, to].map((state) => (state === undefined ? 0 : (place.get(state) ?? 0)));
      return { i, span: Math.abs((a ?? 0) - (b ?? 0)) };
    })
    .sort((a, b) => a.span - b.span);
  const far = new Set<number>();
  let threads = 0;
  for (const { i, span } of spans) {
    threads += span;
    if (span > 1 && threads > THREADS) far.add(i);
  }
  return far;
}

/** Draws arrows beside everything else, each in a lane of its own as far as there is room. */
function withLanes(layout: Layout, arrows: readonly Arrow[]): Layout {
  if (arrows.length === 0) return layout;
  const boxes = new Map(layout.boxes.map((box) => [box.node.state, box]));
  const lines: Line[] = [];
  let right = layout.width;
  for (const [i, arrow] of arrows.entries()) {
    const [from, to] = [boxes.get(arrow.from), boxes.get(arrow.to)];
    if (from === undefined || to === undefined) continue;
    const lane = layout.width + LANE * (1 + (i % LANES));
    const points = [
      { x: from.x + from.width, y: from.y + from.height * 0.7 },
      { x: lane, y: from.y + from.height * 0.7 },
      { x: lane, y: to.y + to.height * 0.3 },
      { x: to.x + to.width, y: to.y + to.height * 0.3 },
    ];
    const extent = labelExtent(arrow);
    lines.push({
      arrow,
      points,
      label: { x: from.x + from.width + 6, y: from.y + from.height * 0.7 - extent.height / 2, ...extent },
    });
    right = Math.max(right, lane + LANE, from.x + from.width + 12 + extent.width);
  }
  return { ...layout, width: right, lines: [...layout.lines, ...lines] };
}

/** A state as one box: with what is in it, where there is something. */
function inner(
  node: Node,
  arrows: ReadonlyMap<StateNumber, readonly Arrow[]>,
  parents: ReadonlyMap<StateNumber, StateNumber>,
): Layout {
  const title = shortened(node.label, TITLE_LENGTH);
  const notes = node.notes.length * CAPTION_LINE;
  const widest = Math.max(textWidth(title, TITLE_SIZE) + 8, ...node.notes.map((note) => captionWidth(note)));
  if (node.type === 'history') return single({ node, title, x: 0, y: 0, width: 30, height: 30 });
  if (node.children.length === 0) {
    const width = Math.max(76, widest + 2 * PADDING);
    return single({ node, title, x: 0, y: 0, width, height: HEADER + 8 + notes });
  }
  const content = frame(node, arrows, parents);
  const width = Math.max(content.width + 2 * PADDING, widest + 2 * PADDING);
  const height = HEADER + notes + content.height + 2 * PADDING;
  const at = { x: (width - content.width) / 2, y: HEADER + notes + PADDING };
  const { boxes, ...rest } = moved(content, at);
  return { ...rest, boxes: [{ node, title, x: 0, y: 0, width, height }, ...boxes], width, height };
}

function single(box: Box): Layout {
  return { width: box.width, height: box.height, boxes: [box], lines: [], dots: [], entries: [] };
}

/** What dagre has found, and what lies inside of it, in one. */
function collected(
  graph: DagreGraph,
  node: Node,
  insides: ReadonlyMap<StateNumber, Layout>,
  arrows: readonly Arrow[],
): Layout {
  const boxes: Box[] = [];
  const lines: Line[] = [];
  const dots: Dot[] = [];
  const entries: (readonly Point[])[] = [];
  for (const [state, inside] of insides) {
    const { x, y } = graph.node(String(state));
    const placed = moved(inside, { x: x - inside.width / 2, y: y - inside.height / 2 });
    boxes.push(...placed.boxes);
    lines.push(...placed.lines);
    dots.push(...placed.dots);
    entries.push(...placed.entries);
  }
  const places = new Map(boxes.map((box) => [box.node.state, box]));
  const boxOf = (state: StateNumber) => places.get(state);
  for (const name of graph.nodes()) {
    if (!/^(initial|port)/.test(name)) continue;
    const { x, y } = graph.node(name);
    dots.push({ x, y, kind: name === 'initial' ? 'initial' : 'port' });
  }
  for (const edge of graph.edges()) {
    const { points, x = 0, y = 0, width = 0, height = 0 } = graph.edge(edge);
    if (edge.name === 'initial') {
      entries.push(ending(points, node.initial === undefined ? undefined : boxOf(node.initial)));
      continue;
    }
    const arrow = arrows[Number(edge.name)];
    if (arrow === undefined) continue;
    const label = { x: x - width / 2, y: y - height / 2, width, height };
    const whole = ending([...ending([...points].reverse(), boxOf(arrow.from))].reverse(), boxOf(arrow.to));
    lines.push({ arrow, points: whole, label });
  }
  const { width = 0, height = 0 } = graph.graph();
  return { width: Math.max(0, width), height: Math.max(0, height), boxes, lines, dots, entries };
}

/** Leads a line that ends at the box around a state on to the state itself. */
function ending(points: readonly Point[], box: Box | undefined): readonly Point[] {
  const last = points.at(-1);
  if (box === undefined || last === undefined) return points;
  const [left, top] = [box.x - 1, box.y - 1];
  const isThere =
    last.x >= left && last.y >= top && last.x <= left + box.width + 2 && last.y <= top + box.height + 2;
  return isThere ? points : [...points, border(box, last)];
}

/** Where the line from a point to the middle of a box meets the box. */
function border({ x, y, width, height }: Rectangle, from: Point): Point {
  const [middleX, middleY] = [x + width / 2, y + height / 2];
  const [dx, dy] = [from.x - middleX, from.y - middleY];
  const scale = Math.min(width / 2 / Math.max(Math.abs(dx), 1e-6), height / 2 / Math.max(Math.abs(dy), 1e-6));
  return { x: middleX + dx * scale, y: middleY + dy * scale };
}

function labelExtent({ captions }: Arrow): { width: number; height: number } {
  if (captions.length === 0) return { width: 0, height: 0 };
  return {
    width: Math.max(...captions.map((caption) => captionWidth(caption))) + 8,
    height: captions.length * CAPTION_LINE + 4,
  };
}

function captionWidth({ text, counter }: Arrow['captions'][number]): number {
  return textWidth(captionText(text), CAPTION_SIZE) + (counter === undefined ? 0 : COUNTER_WIDTH);
}

function parentsOf(node: Node): ReadonlyMap<StateNumber, StateNumber> {
  const parents = new Map<StateNumber, StateNumber>();
  const walk = (parent: Node) => {
    for (const child of parent.children) {
      parents.set(child.state, parent.state);
      walk(child);
    }
  };
  walk(node);
  return parents;
}

function moved(layout: Layout, { x, y }: Point): Layout {
  const move = <Item extends Point>(item: Item): Item => ({ ...item, x: item.x + x, y: item.y + y });
  return {
    ...layout,
    boxes: layout.boxes.map(move),
    lines: layout.lines.map((line) => ({ ...line, points: line.points.map(move), label: move(line.label) })),
    dots: layout.dots.map(move),
    entries: layout.entries.map((points) => points.map(move)),
  };
}
