/**
 * Lays out a chart. Each compound state is a frame with a layout of its own, computed from the inside out: a frame is
 * one box in the layout of the state around it. An arrow into or out of a frame passes its border at a port.
 */

import { ROOT, type StateNumber } from '../chart/model.ts';
import { ARROWS_DRAWN } from '../limits.ts';
import type { Sliced } from '../sliced.ts';
import { shortened, textWidth } from './format.ts';
import { type FrameLayout, frameLayout } from './frame-layout.ts';
import { type Plan, planOf } from './frame-plan.ts';
import {
  type Box,
  CAPTION_LINE,
  captionWidth,
  type Dot,
  type Line,
  labelExtent,
  type Point,
  straightened,
} from './geometry.ts';
import type { Arrow, Graph, Node } from './graph.ts';

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Outer boxes first: a later box is drawn over an earlier one. */
  readonly boxes: readonly Box[];
  readonly lines: readonly Line[];
  readonly dots: readonly Dot[];
  /** Paths from the initial dots to the initial states. */
  readonly entries: readonly (readonly Point[])[];
  /** The number of arrows left out because they exceed `ARROWS_DRAWN`. */
  readonly omitted: number;
}

const TITLE_SIZE = 14;
export const HEADER = 30;
const TITLE_LENGTH = 28;
const TAG_LENGTH = 12;
export const PADDING = 14;
const MARGIN = 16;

/** How far a loop stands out from its state, and half its height, px. */
const LOOP = { width: 22, half: 11 };

/** A state with the layout of its inside. */
interface Built {
  readonly node: Node;
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly beside: number;
  readonly inside?: { readonly layout: FrameLayout; readonly at: Point; readonly children: readonly Built[] };
}

/** Lays out a chart. The cost is about linear in its states and arrows. */
export function* layOut(graph: Graph): Sliced<Layout> {
  const arrows = graph.arrows.slice(0, ARROWS_DRAWN);
  const plan = yield* planOf(graph.root, arrows);
  const root = yield* buildInside(graph.root, plan);
  const whole = new Assembly(arrows);
  yield* whole.place(root, { x: MARGIN, y: MARGIN }, plan);
  return {
    ...(yield* whole.finish()),
    width: root.layout.width + 2 * MARGIN,
    height: root.layout.height + 2 * MARGIN,
    omitted: Math.max(0, graph.arrows.length - ARROWS_DRAWN),
  };
}

/** Lays out the inside of a state. */
function* buildInside(node: Node, plan: Plan): Sliced<NonNullable<Built['inside']>> {
  const children: Built[] = [];
  for (const child of node.children) children.push(yield* build(child, plan));
  const { parts = [], order = [] } = plan.frames.get(node.state) ?? {};
  const layout = yield* frameLayout({
    children: children.map((child) => ({ ...child, ports: portsOf(child) })),
    initial: node.initial === undefined ? undefined : plan.frames.get(node.state)?.indices.get(node.initial),
    links: parts.map(({ link }) => link),
    order,
    least: node.state === ROOT ? 0 : headerWidth(node) - PADDING,
    budget: plan.budget,
  });
  return { layout, at: { x: 0, y: 0 }, children };
}

/** @returns the places of a state's ports, from its left edge. */
function portsOf({ inside }: Built): ReadonlyMap<string, number> {
  if (inside === undefined) return new Map();
  const { top, bottom } = inside.layout.ports;
  return new Map([...top, ...bottom].map(([net, x]) => [net, x + inside.at.x]));
}

/** The width of a frame's title and of the notes below it, with their margins. */
function headerWidth({ label, notes }: Node): number {
  const title = textWidth(shortened(label, TITLE_LENGTH), TITLE_SIZE) * 1.06;
  return Math.max(title, ...notes.map((note) => captionWidth(note))) + 2 * PADDING;
}

/** Lays out a state as one box, with its inside. */
function* build(node: Node, plan: Plan): Sliced<Built> {
  yield 1 + node.notes.length;
  const title = shortened(node.label, TITLE_LENGTH);
  const notes = node.notes.length * CAPTION_LINE;
  const loop = plan.loops.get(node.state);
  const label = loop && labelExtent(loop);
  const beside = label === undefined ? 0 : LOOP.width + 2 + label.width;
  if (node.type === 'history') return { node, title, width: 30, height: 30, beside };
  const least = Math.max(2 * LOOP.half + 16, label?.height ?? 0);
  if (node.children.length === 0) {
    const widest = Math.max(
      textWidth(title, TITLE_SIZE) + 8,
      ...node.notes.map((note) => captionWidth(note)),
    );
    // A final state has a sign in its corner.
    const width = Math.max(76, widest + 2 * (PADDING + (node.type === 'final' ? 8 : 0)));
    const height = HEADER + 8 + notes;
    return { node, title, width, height: loop === undefined ? height : Math.max(height, least), beside };
  }
  const inside = yield* buildInside(node, plan);
  const { layout } = inside;
  const width = Math.max(layout.width + 2 * PADDING, headerWidth(node));
  const at = {
    x: layout.ports.top.size > 0 ? PADDING : (width - layout.width) / 2,
    y: HEADER + notes + PADDING / 2,
  };
  const height = Math.max(at.y + layout.height + PADDING / 2, least);
  return { node, title, width, height, beside, inside: { ...inside, at } };
}

/** Collects what is drawn, with its places in the drawing. */
class Assembly {
  readonly #arrows: readonly Arrow[];
  readonly #boxes: Box[] = [];
  readonly #dots: Dot[] = [];
  readonly #entries: (readonly Point[])[] = [];
  readonly #loops: Line[] = [];
  readonly #points: Point[][];
  readonly #parts: { arrow: number; points: Point[]; isInward: boolean; tag: Point | undefined }[] = [];
  readonly #labels: (Line['label'] | undefined)[] = [];
  readonly #tags: (Point | undefined)[] = [];
  readonly #names = new Map<StateNumber, string>();

  constructor(arrows: readonly Arrow[]) {
    this.#arrows = arrows;
    this.#points = arrows.map(() => []);
  }

  /** Places the inside of a state. The parts of an arrow come in order: out of inner frames first, then into inner frames. */
  *place(
    { layout, children }: NonNullable<Built['inside']>,
    at: Point,
    plan: Plan,
    state = ROOT,
  ): Sliced<void> {
    yield 0.5 * children.length;
    const later: [Built, Point][] = [];
    for (const [i, child] of children.entries()) {
      const corner = moved(layout.corners[i] ?? at, at);
      const { node, title, height } = child;
      const box = { node, title, ...corner, width: layout.widths[i] ?? child.width, height };
      this.#boxes.push(box);
      const loop = plan.loops.get(node.state);
      if (loop !== undefined) this.#loops.push(loopOf(loop, box));
      later.push([child, corner]);
    }
    const { parts = [] } = plan.frames.get(state) ?? {};
    for (const [i, { arrow, link }] of parts.entries()) {
      yield 0.2;
      const way = layout.ways[i];
      if (way === undefined) continue;
      const points = way.points.map((point) => moved(point, at));
      this.#parts.push({
        arrow,
        points,
        isInward: link.from === undefined && link.isOwn !== true,
        tag: way.tag && moved(way.tag, at),
      });
      if (link.label !== undefined && way.label !== undefined)
        this.#labels[arrow] = { ...way.label, ...moved(way.label, at) };
    }
    if (layout.initial !== undefined) {
      this.#dots.push({ ...moved(layout.initial.dot, at), kind: 'initial' });
      this.#entries.push(straightened(layout.initial.points.map((point) => moved(point, at))));
    }
    for (const dot of layout.dots) this.#dots.push({ ...moved(dot, at), kind: 'port' });
    for (const [{ inside, node }, corner] of later) {
      if (inside !== undefined) yield* this.place(inside, moved(inside.at, corner), plan, node.state);
    }
  }

  *finish(): Sliced<Pick<Layout, 'boxes' | 'lines' | 'dots' | 'entries'>> {
    yield 0.2 * this.#parts.length;
    for (const { node } of this.#boxes) this.#names.set(node.state, shortened(node.label, TAG_LENGTH));
    // Frames were placed from the outside in: a way out of frames begins in the innermost.
    for (const { arrow, points, isInward, tag } of this.#parts) {
      const own = this.#points[arrow];
      if (own === undefined) continue;
      if (!isInward) {
        own.unshift(...points);
        if (tag !== undefined) this.#tags[arrow] = tag;
      } else if (this.#tags[arrow] === undefined) {
        own.push(...points);
        if (tag !== undefined) this.#tags[arrow] = tag;
      }
    }
    const lines: Line[] = [];
    for (const [i, arrow] of this.#arrows.entries()) {
      yield 0.3;
      const points = straightened(this.#points[i] ?? []);
      const [first] = points;
      if (first === undefined || arrow.from === arrow.to) continue;
      const label = this.#labels[i] ?? { ...first, width: 0, height: 0 };
      const tag = this.#tags[i];
      const text = this.#names.get(arrow.to) ?? '';
      lines.push({ arrow, points, label, ...(tag === undefined ? {} : { tag: { ...tag, text } }) });
    }
    return {
      boxes: this.#boxes,
      lines: [...lines, ...this.#loops],
      dots: this.#dots,
      entries: this.#entries,
    };
  }
}

function moved(point: Point, { x, y }: Point): Point {
  return { x: point.x + x, y: point.y + y };
}

/** @returns a loop on the right of a state, with its captions beside it. */
function loopOf(arrow: Arrow, box: Box): Line {
  const [right, middle] = [box.x + box.width, box.y + box.height / 2];
  const extent = labelExtent(arrow);
  const [top, bottom] = [middle - LOOP.half, middle + LOOP.half];
  const points = [
    { x: right, y: top },
    { x: right + LOOP.width, y: top },
    { x: right + LOOP.width, y: bottom },
    { x: right, y: bottom },
  ];
  return { arrow, points, label: { x: right + LOOP.width + 2, y: middle - extent.height / 2, ...extent } };
}
