/** Divides the arrows of a chart into parts, one for each frame that an arrow is in. */
import { ROOT, type StateNumber } from '../chart/model.ts';
import type { Sliced } from '../sliced.ts';
import { type Link, wholeBudget } from './frame-options.ts';
import { labelExtent } from './geometry.ts';
import type { Arrow, Node } from './graph.ts';
import { linearOrder } from './linear-order.ts';

/** A link of a frame, and the arrow that it is a part of. */
interface Part {
  readonly link: Link;
  /** The index among the arrows. */
  readonly arrow: number;
}

interface FramePlan {
  /** The states inside. */
  readonly indices: ReadonlyMap<StateNumber, number>;
  /** Their linear order. */
  order: readonly number[];
  readonly parts: Part[];
}

export interface Plan {
  readonly frames: ReadonlyMap<StateNumber, FramePlan>;
  readonly loops: ReadonlyMap<StateNumber, Arrow>;
  readonly budget: ReturnType<typeof wholeBudget>;
}

/** Divides each arrow into parts, one for each frame that it is in. */
export function* planOf(root: Node, arrows: readonly Arrow[]): Sliced<Plan> {
  const frames = new Map<StateNumber, FramePlan>();
  const initials = new Map<StateNumber, StateNumber>();
  for (const node of withChildren(root)) {
    yield 0.2 * node.children.length;
    const indices = new Map(node.children.map(({ state }, i) => [state, i]));
    frames.set(node.state, { indices, order: [], parts: [] });
    if (node.initial !== undefined) initials.set(node.state, node.initial);
  }
  const parents = new Map<StateNumber, StateNumber>();
  for (const [state, { indices }] of frames) for (const child of indices.keys()) parents.set(child, state);
  const parentOf = (state: StateNumber) => parents.get(state) ?? ROOT;
  const loops = new Map<StateNumber, Arrow>();
  const commons = new Map<number, StateNumber>();
  const edges = new Map<StateNumber, { from: number; to: number }[]>();
  for (const [index, arrow] of arrows.entries()) {
    yield 0.5;
    const { from, to } = arrow;
    if (from === to) {
      loops.set(from, arrow);
      continue;
    }
    const common = commonIn(from, to, parentOf);
    commons.set(index, common);
    const frame = frames.get(common);
    const ends = [from, to].map((end) => frame?.indices.get(childIn(common, end, parentOf) ?? -1));
    const [a, b] = ends;
    if (a === undefined || b === undefined) continue;
    const list = edges.get(common);
    if (list === undefined) edges.set(common, [{ from: a, to: b }]);
    else list.push({ from: a, to: b });
  }
  for (const [state, frame] of frames) {
    const own = edges.get(state) ?? [];
    yield 0.5 * (frame.indices.size + own.length);
    const initial = initials.get(state);
    const first = initial === undefined ? undefined : frame.indices.get(initial);
    frame.order = yield* linearOrder(frame.indices.size, own, first);
  }
  for (const [index, common] of commons) {
    const arrow = arrows[index];
    if (arrow === undefined) continue;
    const { from, to } = arrow;
    const { order = [], indices } = frames.get(common) ?? {};
    const [a, b] = [from, to].map((end) => order[indices?.get(childIn(common, end, parentOf) ?? -1) ?? -1]);
    const direction = a !== undefined && b !== undefined && a > b ? -1 : 1;
    yield* addParts({ index, arrow, common, direction }, frames, parentOf);
  }
  return { frames, loops, budget: wholeBudget() };
}

interface Passage {
  readonly index: number;
  readonly arrow: Arrow;
  readonly common: StateNumber;
  readonly direction: 1 | -1;
}

/** Adds the parts of an arrow: out of the frames around its source, and into those around its target. */
function* addParts(
  { index, arrow, common, direction }: Passage,
  frames: ReadonlyMap<StateNumber, FramePlan>,
  parentOf: (state: StateNumber) => StateNumber,
): Sliced<void> {
  const { from, to } = arrow;
  const net = `${to} ${direction}`;
  let label: Link['label'] = arrow.captions.length === 0 ? undefined : labelExtent(arrow);
  const add = (state: StateNumber, link: Omit<Link, 'net' | 'direction' | 'label'>) => {
    frames.get(state)?.parts.push({
      link: { net, direction, ...link, ...(label === undefined ? {} : { label }) },
      arrow: index,
    });
    // The captions are where the arrow begins: there, it is alone.
    label = undefined;
  };
  const indexIn = (frame: StateNumber, state: StateNumber) => frames.get(frame)?.indices.get(state);
  let child = from;
  for (let frame = parentOf(from); from !== common && frame !== common; frame = parentOf(frame)) {
    yield 0.5;
    add(frame, { from: indexIn(frame, child), to: undefined, ...(child === from ? {} : { fromPort: net }) });
    child = frame;
  }
  const entered = childIn(common, to, parentOf);
  add(common, {
    from: from === common ? undefined : indexIn(common, child),
    to: to === common ? undefined : indexIn(common, entered ?? to),
    ...(from === common || child === from ? {} : { fromPort: net }),
    ...(to === common || entered === to ? {} : { toPort: net }),
    ...(from === common || to === common ? { isOwn: true } : {}),
  });
  const inner: StateNumber[] = [];
  for (let at = to; at !== common && parentOf(at) !== common; at = parentOf(at)) inner.push(at);
  for (const state of inner.reverse()) {
    yield 0.5;
    const frame = parentOf(state);
    add(frame, { from: undefined, to: indexIn(frame, state), ...(state === to ? {} : { toPort: net }) });
  }
}

/** @returns the innermost state that contains both, or one of the two where it contains the other. */
function commonIn(
  a: StateNumber,
  b: StateNumber,
  parentOf: (state: StateNumber) => StateNumber,
): StateNumber {
  const around = new Set([ROOT, a]);
  for (let at = a; at !== ROOT; at = parentOf(at)) around.add(at);
  let common = b;
  while (!around.has(common)) common = parentOf(common);
  return common;
}

/** @returns the child of a frame that is or contains a state; undefined for the frame itself. */
function childIn(
  frame: StateNumber,
  state: StateNumber,
  parentOf: (state: StateNumber) => StateNumber,
): StateNumber | undefined {
  for (let at = state; at !== ROOT && at !== frame; at = parentOf(at)) if (parentOf(at) === frame) return at;
  return undefined;
}

/** Yields the states that have children, outer ones first. */
function* withChildren(node: Node): Generator<Node> {
  if (node.children.length === 0) return;
  yield node;
  for (const child of node.children) yield* withChildren(child);
}
