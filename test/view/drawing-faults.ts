/** Measures drawings: crossings, arrows through states, captions that overlap or are off their line. */
import { CAPTION_LINE, type Point, type Rectangle } from '../../src/view/geometry.ts';
import type { Layout } from '../../src/view/layout.ts';

/** What is counted in one drawing. */
export interface Faults {
  /** Pairs of arrows that cross, once for each place. Arrows that merge on the way to one state do not cross. */
  readonly crossings: number;
  /** Arrows through a state that is neither an end of the arrow nor around one. */
  readonly hits: number;
  /** Pairs of states that overlap without one being in the other. */
  readonly boxOverlaps: number;
  /** Captions over captions of another arrow, or over a state without children. */
  readonly captionOverlaps: number;
  /** Captions that their line does not touch. */
  readonly captionsOff: number;
  /** Captions under the line of an arrow to another state. */
  readonly captionsCrossed: number;
}

/** The distance at which a caption is still on its line, px. */
const NEAR = 8;
/** The pieces of a curve. */
const CURVE = 4;
/** Lengths below this are the rounding of a drawing, px. */
const ROUNDING = 0.25;

/** @param svg the drawing of `layout`: its arrows are measured as they are drawn, with their curves. */
export function faultsOf(layout: Layout, svg: string): Faults {
  const paths = [...svg.matchAll(/<path class="arrow[^"]*" d="([^"]*)"/g)].map(([, d = '']) => flattened(d));
  const drawn = paths.slice(layout.entries.length);
  const lines = layout.lines.map(({ arrow, label }, i) => ({
    arrow,
    label,
    pieces: segmentsOf(drawn[i] ?? []),
  }));
  const boxes = layout.boxes;
  const around = new Map(boxes.map((box) => [box.node.state, new Set<number>()]));
  for (const outer of boxes) {
    for (const inner of boxes)
      if (isInside(inner, outer)) around.get(inner.node.state)?.add(outer.node.state);
  }
  let boxOverlaps = 0;
  for (const [i, a] of boxes.entries()) {
    for (const b of boxes.slice(i + 1))
      if (overlap(a, b) && !isInside(a, b) && !isInside(b, a)) boxOverlaps += 1;
  }
  let hits = 0;
  for (const { arrow, pieces } of lines) {
    for (const box of boxes) {
      const { state } = box.node;
      if ([arrow.from, arrow.to].some((end) => end === state || around.get(end)?.has(state))) continue;
      if (passes(pieces, shrunk(box, 2))) hits += 1;
    }
  }
  let crossings = 0;
  const segments = lines.flatMap(({ arrow, pieces }, line) =>
    pieces.map(([a, b]) => ({
      a,
      b,
      line,
      to: arrow.to,
      left: Math.min(a.x, b.x),
      right: Math.max(a.x, b.x),
    })),
  );
  segments.sort((s, t) => s.left - t.left);
  for (const [i, s] of segments.entries()) {
    for (let j = i + 1; j < segments.length; j++) {
      const t = segments[j];
      if (t === undefined || t.left > s.right) break;
      if (s.line !== t.line && s.to !== t.to && cross(s.a, s.b, t.a, t.b)) crossings += 1;
    }
  }
  let [captionOverlaps, captionsOff, captionsCrossed] = [0, 0, 0];
  const labelled = lines.filter(({ label }) => label.width > 0 && label.height > 0);
  const leaves = boxes.filter((box) => isLeaf(box));
  for (const [i, one] of labelled.entries()) {
    const rectangle = shrunk(one.label, 1);
    for (const other of labelled.slice(i + 1))
      if (overlap(rectangle, shrunk(other.label, 1))) captionOverlaps += 1;
    for (const box of leaves) if (overlap(rectangle, box)) captionOverlaps += 1;
    const near = shrunk(one.label, -NEAR);
    const under = shrunk(one.label, CAPTION_LINE / 4);
    if (!passes(one.pieces, near)) captionsOff += 1;
    for (const { arrow, pieces } of lines) {
      if (arrow.to === one.arrow.to) continue;
      if (passes(pieces, under)) captionsCrossed += 1;
    }
  }
  return { crossings, hits, boxOverlaps, captionOverlaps, captionsOff, captionsCrossed };
}

const isLeaf = (box: Layout['boxes'][number]) => box.node.children.length === 0;

/** @returns the points of a path of absolute M, L and Q. */
function flattened(d: string): Point[] {
  const points: Point[] = [];
  let at = { x: 0, y: 0 };
  for (const [, command = '', rest = ''] of d.matchAll(/([A-Z])([^A-Z]*)/g)) {
    const numbers = rest.match(/-?[\d.]+/g)?.map(Number) ?? [];
    const size = command === 'Q' ? 4 : 2;
    for (let i = 0; i < numbers.length; i += size) {
      const control: Point[] = [at];
      for (let j = i; j < i + size; j += 2) control.push({ x: numbers[j] ?? 0, y: numbers[j + 1] ?? 0 });
      const pieces = size === 2 ? 1 : CURVE;
      for (let piece = 1; piece <= pieces; piece++) points.push(bezier(control, piece / pieces));
      at = control.at(-1) ?? at;
      if (command === 'M') points.splice(0, points.length, at);
    }
  }
  return points;
}

function bezier(points: readonly Point[], t: number): Point {
  let present = [...points];
  if (present.length === 2) return present[1] ?? { x: 0, y: 0 };
  while (present.length > 1) {
    present = present.slice(1).map((point, i) => {
      const before = present[i] ?? point;
      return { x: before.x + (point.x - before.x) * t, y: before.y + (point.y - before.y) * t };
    });
  }
  return present[0] ?? { x: 0, y: 0 };
}

function segmentsOf(points: readonly Point[]): (readonly [Point, Point])[] {
  return points.slice(1).flatMap((b, i) => {
    const a = points[i];
    return a === undefined || (Math.abs(a.x - b.x) < 1e-9 && Math.abs(a.y - b.y) < 1e-9)
      ? []
      : [[a, b] as const];
  });
}

/** Whether two pieces of lines cross in their inside. */
function cross(a: Point, b: Point, c: Point, d: Point): boolean {
  const side = (p: Point, q: Point, r: Point) => {
    const area = (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x);
    const length = Math.hypot(q.x - p.x, q.y - p.y);
    return Math.abs(area / length) < ROUNDING ? 0 : Math.sign(area);
  };
  return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
}

function passes(pieces: readonly (readonly [Point, Point])[], box: Rectangle): boolean {
  return pieces.some(([a, b]) => crossesBox(a, b, box));
}

/** Whether a piece of a line has a point in a rectangle (Liang and Barsky, 1984). */
function crossesBox(a: Point, b: Point, { x, y, width, height }: Rectangle): boolean {
  if (width <= 0 || height <= 0) return false;
  if ((a.x < x && b.x < x) || (a.x > x + width && b.x > x + width)) return false;
  if ((a.y < y && b.y < y) || (a.y > y + height && b.y > y + height)) return false;
  let [enter, leave] = [0, 1];
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  for (const [p, q] of [
    [-dx, a.x - x],
    [dx, x + width - a.x],
    [-dy, a.y - y],
    [dy, y + height - a.y],
  ] as const) {
    if (p === 0) {
      if (q < 0) return false;
    } else if (p < 0) enter = Math.max(enter, q / p);
    else leave = Math.min(leave, q / p);
  }
  return enter < leave;
}

function shrunk({ x, y, width, height }: Rectangle, by: number): Rectangle {
  return { x: x + by, y: y + by, width: width - 2 * by, height: height - 2 * by };
}

function overlap(a: Rectangle, b: Rectangle): boolean {
  return a.x + a.width > b.x && b.x + b.width > a.x && a.y + a.height > b.y && b.y + b.height > a.y;
}

function isInside(a: Rectangle, b: Rectangle): boolean {
  return (
    a !== b && a.x >= b.x && a.y >= b.y && a.x + a.width <= b.x + b.width && a.y + a.height <= b.y + b.height
  );
}
