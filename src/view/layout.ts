/**
 * Lays out a chart. Each compound state is a frame with a layout of its own, computed from the inside out: a frame is
 * one box in the layout of the state around it. A chart of any depth is therefore many small layouts.
 */
import { Graph as DagreGraph, layout as dagre } from '@dagrejs/dagre';
import { type Model, ROOT, type StateNumber } from '../chart/model.ts';
import { ARROWS_DRAWN, LAYOUT_BUDGET, LAYOUT_THREADS, LAYOUT_UNITS } from '../limits.ts';
import type { Sliced } from '../sliced.ts';
import { shortened, textWidth } from './format.ts';
import {
  type Box,
  CAPTION_LINE,
  captionWidth,
  DOT,
  type Dot,
  type Frame,
  type Line,
  labelExtent,
  type Point,
  type Rectangle,
  translated,
  translationCost,
} from './geometry.ts';
import { type Arrow, commonOf, type Graph, type Node } from './graph.ts';
import { plainFrame, withLanes } from './plain-layout.ts';

export interface Layout extends Frame {
  /** The number of arrows left out because they exceed `ARROWS_DRAWN`. */
  readonly omitted: number;
}

const TITLE_SIZE = 14;
export const HEADER = 30;
const TITLE_LENGTH = 28;
const PADDING = 14;
const MARGIN = 16;

/** Above this number of sibling states, dagre ranks by longest path in one pass: its default ranker is quadratic. */
const LONGEST_PATH_FROM = 60;

/** The arrows inside one state, and the cost of laying them out with dagre. */
interface FramePlan {
  readonly arrows: readonly Arrow[];
  /** Indices of the arrows that are drawn in lanes and not given to dagre. */
  readonly inLanes: ReadonlySet<number>;
  /** The cost of dagre, in units of a state or of a rank that an arrow crosses. */
  readonly cost: number;
}

interface Plan {
  readonly frames: ReadonlyMap<StateNumber, FramePlan>;
  readonly parents: ReadonlyMap<StateNumber, StateNumber>;
  /** Frames that cost more than this get the plain layout. */
  readonly most: number;
}

/**
 * Lays out a chart with dagre. Where that would exceed `LAYOUT_BUDGET`, the most expensive frames get the plain layout,
 * which takes linear time.
 */
export function* layOut(model: Model, graph: Graph): Sliced<Layout> {
  const arrows = new Map<StateNumber, Arrow[]>();
  for (const arrow of graph.arrows.slice(0, ARROWS_DRAWN)) {
    const { from, to } = arrow;
    yield 0.2;
    const common = from === to ? (model.states[from]?.parent ?? ROOT) : commonOf(model, from, to);
    const list = arrows.get(common);
    if (list === undefined) arrows.set(common, [arrow]);
    else list.push(arrow);
  }
  const parents = parentsOf(graph.root);
  const frames = new Map<StateNumber, FramePlan>();
  for (const node of withChildren(graph.root)) {
    const inside = arrows.get(node.state) ?? [];
    yield 0.2 * inside.length;
    frames.set(node.state, framePlan(node, inside, parents));
  }
  const most = affordable([...frames.values()].map(({ cost }) => cost));
  const inside = yield* frameOf(graph.root, { frames, parents, most });
  const omitted = Math.max(0, graph.arrows.length - ARROWS_DRAWN);
  const [width, height] = [inside.width + 2 * MARGIN, inside.height + 2 * MARGIN];
  yield translationCost(inside);
  return { ...translated(inside, { x: MARGIN, y: MARGIN }), width, height, omitted };
}

/** @returns the highest cost of a frame at which all frames up to that cost together keep the budget. */
function affordable(costs: readonly number[]): number {
  const sorted = costs.toSorted((a, b) => a - b);
  let spent = 0;
  let most = 0;
  for (const [i, cost] of sorted.entries()) {
    spent += cost;
    if (spent > LAYOUT_BUDGET) break;
    // Frames of equal cost get the same kind of layout.
    if (sorted[i + 1] !== cost) most = cost;
  }
  return most;
}

/**
 * Selects the arrows for dagre, and computes the cost. Dagre adds a dummy node to each rank that an arrow crosses, and
 * orders all of them, so the shortest arrows are selected, up to `LAYOUT_THREADS`.
 */
function framePlan(node: Node, arrows: readonly Arrow[], parents: Plan['parents']): FramePlan {
  const index = new Map(node.children.map(({ state }, i) => [state, i]));
  const indexOf = (state: StateNumber) => index.get(childOf(node, state, parents) ?? node.state) ?? 0;
  const spans = arrows
    .map(({ from, to }, i) => ({ i, span: Math.abs(indexOf(from) - indexOf(to)) }))
    .sort((a, b) => a.span - b.span);
  const inLanes = new Set<number>();
  let threads = 0;
  for (const { i, span } of spans) {
    // An arrow between neighbours costs one node, for its label.
    const cost = Math.max(1, span);
    if (threads + cost > LAYOUT_THREADS && span > 1) inLanes.add(i);
    else threads += cost;
  }
  return { arrows, inLanes, cost: node.children.length + threads };
}

/** Lays out the inside of a state. */
function* frameOf(node: Node, plan: Plan): Sliced<Frame> {
  const { arrows, inLanes, cost } = plan.frames.get(node.state) ?? EMPTY;
  const frames = new Map<StateNumber, Frame>();
  for (const child of node.children) frames.set(child.state, yield* boxOf(child, plan));
  const insides = { frames, childOf: (state: StateNumber) => childOf(node, state, plan.parents) };
  if (cost > plan.most) return yield* plainFrame(node, insides, arrows);
  yield LAYOUT_UNITS * cost;
  const graph = new DagreGraph({ multigraph: true });
  graph.setGraph({
    rankdir: 'TB',
    nodesep: 32,
    ranksep: 34,
    edgesep: 18,
    ...(node.children.length > LONGEST_PATH_FROM ? { ranker: 'longest-path' } : {}),
  });
  for (const [state, { width, height }] of frames) graph.setNode(String(state), { width, height });
  if (node.initial !== undefined) {
    graph.setNode('initial', { width: DOT, height: DOT });
    graph.setEdge('initial', String(node.initial), {}, 'initial');
  }
  for (const [i, arrow] of arrows.entries()) {
    if (inLanes.has(i)) continue;
    const ends = [arrow.from, arrow.to].map((state, end) => {
      const child = insides.childOf(state);
      if (child !== undefined) return String(child);
      const port = `port ${i} ${end}`;
      graph.setNode(port, { width: DOT, height: DOT });
      return port;
    });
    const [from = '', to = ''] = ends;
    graph.setEdge(from, to, { ...labelExtent(arrow), labelpos: 'c' }, String(i));
  }
  dagre(graph);
  for (const frame of frames.values()) yield translationCost(frame);
  const laid = collected(graph, node, frames, arrows);
  const others = arrows.filter((_, i) => inLanes.has(i));
  return yield* withLanes(laid, node, insides, others);
}

const EMPTY: FramePlan = { arrows: [], inLanes: new Set(), cost: 0 };

/** Lays out a state as one box, with its inside. */
function* boxOf(node: Node, plan: Plan): Sliced<Frame> {
  yield 1 + node.notes.length;
  const title = shortened(node.label, TITLE_LENGTH);
  const notes = node.notes.length * CAPTION_LINE;
  const widest = Math.max(textWidth(title, TITLE_SIZE) + 8, ...node.notes.map((note) => captionWidth(note)));
  if (node.type === 'history') return single({ node, title, x: 0, y: 0, width: 30, height: 30 });
  if (node.children.length === 0) {
    // A final state has a sign in its corner.
    const width = Math.max(76, widest + 2 * (PADDING + (node.type === 'final' ? 8 : 0)));
    return single({ node, title, x: 0, y: 0, width, height: HEADER + 8 + notes });
  }
  const content = yield* frameOf(node, plan);
  const width = Math.max(content.width + 2 * PADDING, widest + 2 * PADDING);
  const height = HEADER + notes + content.height + 2 * PADDING;
  const at = { x: (width - content.width) / 2, y: HEADER + notes + PADDING };
  yield translationCost(content);
  const { boxes, ...rest } = translated(content, at);
  return { ...rest, boxes: [{ node, title, x: 0, y: 0, width, height }, ...boxes], width, height };
}

function single(box: Box): Frame {
  return { width: box.width, height: box.height, boxes: [box], lines: [], dots: [], entries: [] };
}

/** Combines dagre's layout of a frame with the layouts of the boxes in it. */
function collected(
  graph: DagreGraph,
  node: Node,
  insides: ReadonlyMap<StateNumber, Frame>,
  arrows: readonly Arrow[],
): Frame {
  const boxes: Box[] = [];
  const lines: Line[] = [];
  const dots: Dot[] = [];
  const entries: (readonly Point[])[] = [];
  for (const [state, inside] of insides) {
    const { x, y } = graph.node(String(state));
    const placed = translated(inside, { x: x - inside.width / 2, y: y - inside.height / 2 });
    boxes.push(...placed.boxes);
    lines.push(...placed.lines);
    dots.push(...placed.dots);
    entries.push(...placed.entries);
  }
  const places = new Map(boxes.map((box) => [box.node.state, box]));
  const findBox = (state: StateNumber) => places.get(state);
  for (const name of graph.nodes()) {
    if (!/^(initial|port)/.test(name)) continue;
    const { x, y } = graph.node(name);
    dots.push({ x, y, kind: name === 'initial' ? 'initial' : 'port' });
  }
  for (const edge of graph.edges()) {
    const { points, x = 0, y = 0, width = 0, height = 0 } = graph.edge(edge);
    if (edge.name === 'initial') {
      entries.push(extended(points, node.initial === undefined ? undefined : findBox(node.initial)));
      continue;
    }
    const arrow = arrows[Number(edge.name)];
    if (arrow === undefined) continue;
    const label = { x: x - width / 2, y: y - height / 2, width, height };
    const whole = extended(
      [...extended([...points].reverse(), findBox(arrow.from))].reverse(),
      findBox(arrow.to),
    );
    lines.push({ arrow, points: whole, label });
  }
  const { width = 0, height = 0 } = graph.graph();
  return { width: Math.max(0, width), height: Math.max(0, height), boxes, lines, dots, entries };
}

/** Extends a path that ends at the border of an enclosing box to the state inside. */
function extended(points: readonly Point[], box: Box | undefined): readonly Point[] {
  const last = points.at(-1);
  if (box === undefined || last === undefined) return points;
  const [left, top] = [box.x - 1, box.y - 1];
  const isThere =
    last.x >= left && last.y >= top && last.x <= left + box.width + 2 && last.y <= top + box.height + 2;
  return isThere ? points : [...points, border(box, last)];
}

/** @returns the intersection of a box's border and the line from a point to the box's centre. */
function border({ x, y, width, height }: Rectangle, from: Point): Point {
  const [middleX, middleY] = [x + width / 2, y + height / 2];
  const [dx, dy] = [from.x - middleX, from.y - middleY];
  const scale = Math.min(width / 2 / Math.max(Math.abs(dx), 1e-6), height / 2 / Math.max(Math.abs(dy), 1e-6));
  return { x: middleX + dx * scale, y: middleY + dy * scale };
}

/** Yields the states that have children, outer ones first. */
function* withChildren(node: Node): Generator<Node> {
  if (node.children.length === 0) return;
  yield node;
  for (const child of node.children) yield* withChildren(child);
}

/** @returns the child of `node` that is or contains `state`; undefined for `node` itself. */
function childOf(node: Node, state: StateNumber, parents: Plan['parents']): StateNumber | undefined {
  for (let at: StateNumber | undefined = state; at !== undefined; at = parents.get(at)) {
    if (parents.get(at) === node.state) return at;
  }
  return undefined;
}

function parentsOf(root: Node): ReadonlyMap<StateNumber, StateNumber> {
  const parents = new Map<StateNumber, StateNumber>();
  for (const node of withChildren(root))
    for (const { state } of node.children) parents.set(state, node.state);
  return parents;
}
