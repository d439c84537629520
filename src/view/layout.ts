/**
 * Where everything stands. Each state with states in it is a frame, laid out by itself, from the inside out: what is
 * inside is one box for what is around it. So a chart of any depth is as many small layouts as it has such states.
 */
import { Graph as DagreGraph, layout as dagre } from '@dagrejs/dagre';
import { type Model, ROOT, type StateNumber } from '../chart/model.ts';
import { ARROWS_DRAWN, LAYOUT_BUDGET, LAYOUT_THREADS } from '../limits.ts';
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
  moved,
  type Point,
  type Rectangle,
} from './geometry.ts';
import { type Arrow, commonOf, type Graph, type Node } from './graph.ts';
import { plainFrame, withLanes } from './plain-layout.ts';

export interface Layout extends Frame {
  /** Arrows that are beyond the bound of a drawing, and left out. */
  readonly omitted: number;
}

const TITLE_SIZE = 14;
export const HEADER = 30;
const TITLE_LENGTH = 28;
const PADDING = 14;
const MARGIN = 16;

/** Beyond so many states side by side, the ranks are found in one pass: the better way is quadratic. */
const MANY = 60;

/** What is drawn inside one state, and what that would cost. */
interface FramePlan {
  readonly arrows: readonly Arrow[];
  /** The arrows that dagre is not given, by their places in the list. */
  readonly far: ReadonlySet<number>;
  /** What dagre would cost, in units of a state or of a rank that an arrow crosses. */
  readonly cost: number;
}

interface Plan {
  readonly frames: ReadonlyMap<StateNumber, FramePlan>;
  readonly parents: ReadonlyMap<StateNumber, StateNumber>;
  /** Frames that cost more than this are laid out plainly. */
  readonly most: number;
}

/**
 * Lays a chart out. Small charts are laid out by dagre. Beyond `LAYOUT_BUDGET` the frames that cost most are laid out
 * plainly, in linear time.
 */
export function layOut(model: Model, graph: Graph): Layout {
  const arrows = new Map<StateNumber, Arrow[]>();
  for (const arrow of graph.arrows.slice(0, ARROWS_DRAWN)) {
    const { from, to } = arrow;
    const common = from === to ? (model.states[from]?.parent ?? ROOT) : commonOf(model, from, to);
    const list = arrows.get(common);
    if (list === undefined) arrows.set(common, [arrow]);
    else list.push(arrow);
  }
  const parents = parentsOf(graph.root);
  const frames = new Map<StateNumber, FramePlan>();
  for (const node of withChildren(graph.root)) {
    frames.set(node.state, framePlan(node, arrows.get(node.state) ?? [], parents));
  }
  const most = affordable([...frames.values()].map(({ cost }) => cost));
  const inside = frameOf(graph.root, { frames, parents, most });
  const omitted = Math.max(0, graph.arrows.length - ARROWS_DRAWN);
  const [width, height] = [inside.width + 2 * MARGIN, inside.height + 2 * MARGIN];
  return { ...moved(inside, { x: MARGIN, y: MARGIN }), width, height, omitted };
}

/** @returns the cost up to which frames are laid out by dagre, so that all of them together keep the budget. */
function affordable(costs: readonly number[]): number {
  const sorted = costs.toSorted((a, b) => a - b);
  let spent = 0;
  let most = 0;
  for (const [i, cost] of sorted.entries()) {
    spent += cost;
    if (spent > LAYOUT_BUDGET) break;
    // Frames of one cost look alike: all of them are affordable, or none.
    if (sorted[i + 1] !== cost) most = cost;
  }
  return most;
}

/**
 * Chooses the arrows that dagre is given, and says what it costs. Dagre threads each arrow through every rank that it
 * crosses, and orders all of these threads. The shortest go in, up to a bound.
 */
function framePlan(node: Node, arrows: readonly Arrow[], parents: Plan['parents']): FramePlan {
  const place = new Map(node.children.map(({ state }, i) => [state, i]));
  const placeOf = (state: StateNumber) => place.get(childOf(node, state, parents) ?? node.state) ?? 0;
  const spans = arrows
    .map(({ from, to }, i) => ({ i, span: Math.abs(placeOf(from) - placeOf(to)) }))
    .sort((a, b) => a.span - b.span);
  const far = new Set<number>();
  let threads = 0;
  for (const { i, span } of spans) {
    // An arrow between neighbours costs a label.
    const cost = Math.max(1, span);
    if (threads + cost > LAYOUT_THREADS && span > 1) far.add(i);
    else threads += cost;
  }
  return { arrows, far, cost: node.children.length + threads };
}

/** Lays out what is inside of a state. Its upper left corner is the origin. */
function frameOf(node: Node, plan: Plan): Frame {
  const { arrows, far, cost } = plan.frames.get(node.state) ?? EMPTY;
  const frames = new Map(node.children.map((child) => [child.state, inner(child, plan)]));
  const insides = { frames, childOf: (state: StateNumber) => childOf(node, state, plan.parents) };
  if (cost > plan.most) return plainFrame(node, insides, arrows);
  const graph = new DagreGraph({ multigraph: true });
  graph.setGraph({
    rankdir: 'TB',
    nodesep: 32,
    ranksep: 34,
    edgesep: 18,
    ...(node.children.length > MANY ? { ranker: 'longest-path' } : {}),
  });
  for (const [state, { width, height }] of frames) graph.setNode(String(state), { width, height });
  if (node.initial !== undefined) {
    graph.setNode('initial', { width: DOT, height: DOT });
    graph.setEdge('initial', String(node.initial), {}, 'initial');
  }
  for (const [i, arrow] of arrows.entries()) {
    if (far.has(i)) continue;
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
  const laid = collected(graph, node, frames, arrows);
  const others = arrows.filter((_, i) => far.has(i));
  return withLanes(laid, node, insides, others);
}

const EMPTY: FramePlan = { arrows: [], far: new Set(), cost: 0 };

/** A state as one box: with what is in it, where there is something. */
function inner(node: Node, plan: Plan): Frame {
  const title = shortened(node.label, TITLE_LENGTH);
  const notes = node.notes.length * CAPTION_LINE;
  const widest = Math.max(textWidth(title, TITLE_SIZE) + 8, ...node.notes.map((note) => captionWidth(note)));
  if (node.type === 'history') return single({ node, title, x: 0, y: 0, width: 30, height: 30 });
  if (node.children.length === 0) {
    // A sign stands in the corner of an end.
    const width = Math.max(76, widest + 2 * (PADDING + (node.type === 'final' ? 8 : 0)));
    return single({ node, title, x: 0, y: 0, width, height: HEADER + 8 + notes });
  }
  const content = frameOf(node, plan);
  const width = Math.max(content.width + 2 * PADDING, widest + 2 * PADDING);
  const height = HEADER + notes + content.height + 2 * PADDING;
  const at = { x: (width - content.width) / 2, y: HEADER + notes + PADDING };
  const { boxes, ...rest } = moved(content, at);
  return { ...rest, boxes: [{ node, title, x: 0, y: 0, width, height }, ...boxes], width, height };
}

function single(box: Box): Frame {
  return { width: box.width, height: box.height, boxes: [box], lines: [], dots: [], entries: [] };
}

/** What dagre has found, and what lies inside of it, in one. */
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

/** The states that have states in them, the outer ones first. */
function* withChildren(node: Node): Generator<Node> {
  if (node.children.length === 0) return;
  yield node;
  for (const child of node.children) yield* withChildren(child);
}

/** @returns the child of `node` that `state` lies in or is; undefined for `node` itself. */
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
