/** The plain layout, for charts that are too large for dagre: its cost is linear in states and arrows. */
import type { StateNumber } from '../chart/model.ts';
import type { Sliced } from '../sliced.ts';
import {
  type Box,
  DOT,
  type Dot,
  type Frame,
  type Line,
  labelExtent,
  type Point,
  translated,
  translationCost,
} from './geometry.ts';
import type { Arrow, Node } from './graph.ts';

/** The boxes directly inside a state, and a lookup of the box that contains a given state. */
export interface Insides {
  readonly frames: ReadonlyMap<StateNumber, Frame>;
  readonly childOf: (state: StateNumber) => StateNumber | undefined;
}

const GAP = 32;

/** The distance from a label to its box. */
const LABEL_GAP = 6;

/** The distance between two lanes, and the number of lanes before they are reused. */
const LANE = 14;
const LANES = 24;

/**
 * Lays out the inside of a state: regions in rows, other states in one column, in document order. An arrow to the next
 * state of the column is straight; all others run in lanes beside the column.
 */
export function* plainFrame(node: Node, insides: Insides, arrows: readonly Arrow[]): Sliced<Frame> {
  if (node.type === 'parallel') return yield* withLanes(yield* rows(node, insides), node, insides, arrows);
  const place = new Map(node.children.map(({ state }, i) => [state, i]));
  const isStraight = ({ from, to }: Arrow) => {
    const [a, b] = [place.get(from), place.get(to)];
    return a !== undefined && b === a + 1;
  };
  const straight = new Map(arrows.filter(isStraight).map((arrow) => [arrow.from, arrow]));
  const others = arrows.filter((arrow) => !isStraight(arrow));
  return yield* withLanes(yield* column(node, insides, straight, others), node, insides, others);
}

/** Places regions in rows, so that the frame is about as wide as high. */
function* rows(node: Node, { frames }: Insides): Sliced<Frame> {
  const laid = node.children.flatMap(({ state }) => frames.get(state) ?? []);
  const area = laid.reduce((sum, { width, height }) => sum + (width + GAP) * (height + GAP), 0);
  const most = Math.max(Math.sqrt(area) * 1.2, ...laid.map(({ width }) => width));
  const placed: Frame[] = [];
  const corner = { x: 0, y: 0 };
  const extent = { width: 0, height: 0 };
  for (const frame of laid) {
    if (corner.x > 0 && corner.x + frame.width > most) {
      corner.x = 0;
      corner.y = extent.height + GAP;
    }
    yield translationCost(frame);
    placed.push(translated(frame, corner));
    extent.width = Math.max(extent.width, corner.x + frame.width);
    extent.height = Math.max(extent.height, corner.y + frame.height);
    corner.x += frame.width + GAP;
  }
  return { ...merged(placed), ...extent };
}

/** Stacks states, each with the height that the labels beside it need. */
function* column(
  node: Node,
  { frames, childOf }: Insides,
  straight: ReadonlyMap<StateNumber, Arrow>,
  others: readonly Arrow[],
): Sliced<Frame> {
  const beside = new Map<StateNumber | undefined, number>();
  for (const arrow of others) {
    yield 0.5;
    const child = childOf(arrow.from);
    beside.set(child, (beside.get(child) ?? 0) + labelExtent(arrow).height);
  }
  const left = node.initial === undefined ? 0 : DOT + GAP;
  const widest = Math.max(0, ...node.children.map(({ state }) => frames.get(state)?.width ?? 0));
  const middle = left + widest / 2;
  const placed: Frame[] = [];
  const lines: Line[] = [];
  const dots: Dot[] = [];
  const entries: Point[][] = [];
  let width = left + widest;
  let y = beside.get(undefined) ?? 0;
  for (const { state } of node.children) {
    const frame = frames.get(state);
    if (frame === undefined) continue;
    const at = { x: middle - frame.width / 2, y };
    yield 0.5 + translationCost(frame);
    placed.push(translated(frame, at));
    if (state === node.initial) {
      const dot = { x: DOT / 2, y: y + frame.height / 2 };
      dots.push({ ...dot, kind: 'initial' });
      entries.push([dot, { x: at.x, y: dot.y }]);
    }
    const bottom = y + frame.height;
    y += Math.max(frame.height, beside.get(state) ?? 0) + GAP;
    const arrow = straight.get(state);
    if (arrow === undefined) continue;
    const extent = labelExtent(arrow);
    const label = { x: middle + LABEL_GAP, y: y - GAP / 2, ...extent };
    y += extent.height;
    lines.push({
      arrow,
      points: [
        { x: middle, y: bottom },
        { x: middle, y },
      ],
      label,
    });
    width = Math.max(width, label.x + extent.width);
  }
  const inside = merged(placed);
  return {
    ...inside,
    width,
    height: Math.max(0, y - GAP),
    lines: [...inside.lines, ...lines],
    dots: [...inside.dots, ...dots],
    entries: [...inside.entries, ...entries],
  };
}

function merged(frames: readonly Frame[]): Frame {
  return {
    width: 0,
    height: 0,
    boxes: frames.flatMap(({ boxes }) => boxes),
    lines: frames.flatMap(({ lines }) => lines),
    dots: frames.flatMap(({ dots }) => dots),
    entries: frames.flatMap(({ entries }) => entries),
  };
}

/** Adds arrows in lanes to the right of a frame; with more arrows than lanes, several share one. */
export function* withLanes(
  frame: Frame,
  node: Node,
  { childOf }: Insides,
  arrows: readonly Arrow[],
): Sliced<Frame> {
  if (arrows.length === 0) return frame;
  const boxes = new Map(frame.boxes.map((box) => [box.node.state, box]));
  const lines: Line[] = [];
  const dots: Dot[] = [];
  // The labels of one box are stacked.
  const labelled = new Map<Box | undefined, number>();
  let [right, bottom] = [frame.width, frame.height];
  for (const [i, arrow] of arrows.entries()) {
    yield 1;
    const lane = frame.width + LANE * (1 + (i % LANES));
    const port = { x: lane, y: DOT / 2 };
    const [from, to] = [boxes.get(arrow.from), boxes.get(arrow.to)];
    if (arrow.from === node.state || arrow.to === node.state) dots.push({ ...port, kind: 'port' });
    const start = from && { x: from.x + from.width, y: from.y + from.height * 0.7 };
    const end = to && { x: to.x + to.width, y: to.y + to.height * 0.3 };
    const points = [
      ...(start === undefined ? [port] : [start, { x: lane, y: start.y }]),
      ...(end === undefined ? [port] : [{ x: lane, y: end.y }, end]),
    ];
    const child = boxes.get(childOf(arrow.from) ?? node.state);
    const above = labelled.get(child) ?? 0;
    const extent = labelExtent(arrow);
    labelled.set(child, above + extent.height);
    const corner = child === undefined ? port : { x: child.x + child.width, y: child.y };
    const label = { x: corner.x + LABEL_GAP, y: corner.y + above, ...extent };
    lines.push({ arrow, points, label });
    right = Math.max(right, lane + LANE, label.x + LABEL_GAP + extent.width);
    bottom = Math.max(bottom, label.y + extent.height);
  }
  return {
    ...frame,
    width: right,
    height: bottom,
    lines: [...frame.lines, ...lines],
    dots: [...frame.dots, ...dots],
  };
}
