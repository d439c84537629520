/** Draws a chart as SVG, with the current states of a machine highlighted. */
import { html, raw } from 'hono/html';
import type { StateNumber } from '../chart/model.ts';
import type { Inputs } from '../chart/terms.ts';
import type { Sliced } from '../sliced.ts';
import { durationText } from './format.ts';
import { type Box, CAPTION_LINE, CAPTION_SIZE, captionText, type Line, type Point } from './geometry.ts';
import { amountText, type Caption, textOf } from './graph.ts';
import { HEADER, type Layout, PADDING } from './layout.ts';
import { DIAGRAM_STYLE } from './style.ts';

/** What a drawing shows of a machine on top of its chart. */
export interface Overlay {
  readonly active: ReadonlySet<StateNumber>;
  /** States that were entered and left. */
  readonly visited: ReadonlySet<StateNumber>;
  /** The quorums of the active states, by `countKey`: the count, and the count at which each is met. */
  readonly counts: ReadonlyMap<string, { readonly have: number; readonly until: number | null }>;
  /** The due times of timers, ms since the epoch, by the events that they send. */
  readonly due: ReadonlyMap<string, number>;
  /** The inputs of the run. */
  readonly inputs: Inputs;
  /** ms since the epoch */
  readonly now: number;
}

/** The overlay of a chart without a machine. */
export const NO_MACHINE: Overlay = {
  active: new Set(),
  visited: new Set(),
  counts: new Map(),
  due: new Map(),
  inputs: {},
  now: 0,
};

/** @returns the key of a quorum's count: an event of a state can have several. */
export function countKey({ state, event, index = 0 }: Counted): string {
  return `${state} ${index} ${event}`;
}

interface Counted {
  readonly state: StateNumber;
  readonly event: string;
  readonly index?: number;
}

export interface PictureOptions {
  readonly title: string;
  readonly description: string;
  /** Set if it is in a page, which has the style already: the query of the page that shows the inside of a state, without its name; empty where there is none. */
  readonly query?: string;
}

type Markup = ReturnType<typeof html>;

/** What a drawing takes at most at its full size, in screens: less than three of 1280 × 800 px. And its least captions, px. */
const SCREENS = 2.95;
const SCREEN = 1280 * 800;
const LEAST_CAPTION = 9;

/** @returns the scale of a drawing: 1, or as much less as a large one needs, down to captions that are just legible. */
export function scaleOf({ width, height }: Pick<Layout, 'width' | 'height'>): number {
  const fitting = Math.sqrt((SCREENS * SCREEN) / (width * height));
  return Math.min(1, Math.max(LEAST_CAPTION / CAPTION_SIZE, fitting));
}

/** @returns SVG in which every name is escaped, without scripts and without references. */
export function* drawSvg(
  layout: Layout,
  overlay: Overlay,
  { title, description, query }: PictureOptions,
): Sliced<string> {
  const { omitted } = layout;
  const [width, height] = [Math.ceil(layout.width), Math.ceil(layout.height) + (omitted > 0 ? 20 : 0)];
  const scale = scaleOf({ width, height });
  const more =
    omitted > 0
      ? html`<text class="caption" x="16" y="${height - 14}">${omitted} more arrows are not drawn</text>`
      : '';
  let drawn = String(
    html`<svg xmlns="http://www.w3.org/2000/svg" class="diagram" width="${Math.ceil(scale * width)}" height="${Math.ceil(scale * height)}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="diagram-title diagram-description"><title id="diagram-title">${title}</title><desc id="diagram-description">${description}</desc>${query !== undefined ? '' : raw(`<style>${DIAGRAM_STYLE}</style>`)}<defs><marker id="arrowhead" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" class="head"/></marker></defs><rect class="paper" width="${width}" height="${height}" rx="8"/>`,
  );
  for (const box of layout.boxes) {
    const state = yield* drawBox(box, overlay);
    const isLink = query !== undefined && query !== '' && box.node.folded !== undefined;
    drawn += isLink
      ? html`<a href="${query}in=${encodeURIComponent(box.node.name)}" data-view data-key="${`state ${box.node.name}`}">${state}</a>`
      : state;
  }
  for (const points of layout.entries) {
    yield 1;
    drawn += drawPath(points);
  }
  for (const { points } of layout.lines) {
    yield 1;
    drawn += drawPath(points);
  }
  for (const { x, y, kind } of layout.dots)
    drawn += html`<circle class="${kind}" cx="${n(x)}" cy="${n(y)}" r="${kind === 'initial' ? 6 : 4}"/>`;
  for (const line of layout.lines) drawn += yield* drawCaptions(line, overlay);
  return `${drawn}${more}</svg>`;
}

function* drawBox(box: Box, overlay: Overlay): Sliced<Markup> {
  yield 1;
  const { node, title, x, y, width, height } = box;
  const highlight = highlightOf(node.state, overlay);
  const folded = node.folded === undefined ? '' : 'folded';
  const kind = [node.children.length > 0 ? 'frame' : '', node.type, folded, node.isFailed ? 'failed' : '']
    .filter(Boolean)
    .join(' ');
  const tooltip = [node.name || title, node.description, node.isFailed ? 'failed' : '', HIGHLIGHTS[highlight]]
    .filter(Boolean)
    .join(': ');
  const middle = x + width / 2;
  if (node.type === 'history') {
    const sign = node.depth === 'deep' ? 'H*' : 'H';
    return html`<g class="state history" data-state="${node.name}"><title>${tooltip}</title><circle cx="${n(middle)}" cy="${n(y + height / 2)}" r="14"/><text x="${n(middle)}" y="${n(y + height / 2 + 5)}" text-anchor="middle">${sign}</text></g>`;
  }
  const inset =
    node.type === 'final'
      ? html`<rect x="${n(x + 3)}" y="${n(y + 3)}" width="${n(width - 6)}" height="${n(height - 6)}" rx="7"/>`
      : '';
  const isFrame = node.children.length > 0;
  const line = isFrame ? html`<path d="M${n(x)} ${n(y + HEADER)}h${n(width)}"/>` : '';
  const sign = signOf(node, highlight);
  const mark =
    sign === ''
      ? ''
      : html`<text class="mark" x="${n(x + width - 9)}" y="${n(y + 16)}" text-anchor="end">${sign}</text>`;
  // Arrows into a frame pass on the right of its title.
  const text = isFrame ? { x: x + PADDING, anchor: 'start' } : { x: middle, anchor: 'middle' };
  const notes = yield* stacked(node.notes, text, y + HEADER - 3, overlay);
  return html`<g class="state ${kind} ${highlight}" data-state="${node.name}" data-key="${`state ${node.name}`}"><title>${tooltip}</title><rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="10"/>${inset}${line}<text x="${n(text.x)}" y="${n(y + HEADER / 2 + (isFrame ? 5 : 9))}" text-anchor="${text.anchor}" direction="auto">${title}</text>${notes}${mark}</g>`;
}

function drawPath(points: readonly Point[]): Markup {
  return html`<path class="arrow" d="${pathOf(points)}" marker-end="url(#arrowhead)"/>`;
}

function* drawCaptions({ arrow, label, tag }: Line, overlay: Overlay): Sliced<Markup | string> {
  const name =
    tag === undefined
      ? ''
      : html`<text class="caption cut" x="${n(tag.x)}" y="${n(tag.y)}" text-anchor="middle">→ ${tag.text}</text>`;
  if (arrow.captions.length === 0) return name;
  const at = { x: label.x + label.width / 2, anchor: 'middle' };
  const lines = yield* stacked(arrow.captions, at, label.y - 1, overlay);
  return html`<g class="label"><title>${arrow.captions.map(({ text }) => text).join('; ')}</title>${lines}</g>${name}`;
}

/** Draws captions, one below the other. */
function* stacked(
  captions: readonly Caption[],
  { x, anchor }: { readonly x: number; readonly anchor: string },
  top: number,
  overlay: Overlay,
): Sliced<readonly Markup[]> {
  const lines: Markup[] = [];
  for (const [i, caption] of captions.entries()) {
    yield 1;
    lines.push(
      html`<text class="caption" x="${n(x)}" y="${n(top + (i + 1) * CAPTION_LINE)}" text-anchor="${anchor}">${captionSpans(caption, overlay)}</text>`,
    );
  }
  return lines;
}

/** @returns a cross on a final state that is tagged as failed, a tick on any other final state that is current. */
function signOf({ type, isFailed }: Box['node'], highlight: keyof typeof HIGHLIGHTS): string {
  if (isFailed) return '✗';
  return type === 'final' && highlight === 'current' ? '✓' : '';
}

/** Renders a caption, with the progress of its counter or the time left on its timer. */
function captionSpans(caption: Caption, { active, counts, due, inputs, now }: Overlay): Markup {
  const { counter } = caption;
  const words = captionText(textOf(caption, inputs));
  if (counter === undefined) return html`${words}`;
  if (counter.kind === 'timer') {
    const at = due.get(counter.event);
    if (at === undefined || !active.has(counter.state)) return html`${words}`;
    return html`${words}<tspan class="count" dx="5" data-due="${new Date(at).toISOString()}">${durationText(at - now)} left</tspan>`;
  }
  const count = active.has(counter.state) ? counts.get(countKey(counter)) : undefined;
  const needed = amountText(counter.needed, inputs);
  // Without a bound, it is a share of members that are not listed.
  const have = count === undefined ? needed : `${count.have} of ${count.until ?? needed}`;
  return html`${words}<tspan class="count" dx="5">${have}</tspan>`;
}

const HIGHLIGHTS = { current: 'current', visited: 'was current', idle: '' } as const;

function highlightOf(state: StateNumber, { active, visited }: Overlay): keyof typeof HIGHLIGHTS {
  if (active.has(state)) return 'current';
  return visited.has(state) ? 'visited' : 'idle';
}

/** The radius of the corners of arrows, px. */
const RADIUS = 6;

/** @returns the data of an SVG path through the points, with corners of one radius. */
function pathOf(points: readonly Point[]): string {
  const [first, ...rest] = points;
  const last = rest.at(-1);
  if (first === undefined || last === undefined) return '';
  let path = `M${n(first.x)} ${n(first.y)}`;
  for (const [i, corner] of rest.slice(0, -1).entries()) {
    const [before, after] = [toward(corner, points[i] ?? corner), toward(corner, points[i + 2] ?? corner)];
    path += `L${n(before.x)} ${n(before.y)}Q${n(corner.x)} ${n(corner.y)} ${n(after.x)} ${n(after.y)}`;
  }
  return `${path}L${n(last.x)} ${n(last.y)}`;
}

/** @returns the point where the curve of a corner begins, on the way to another point: at most in the middle. */
function toward(corner: Point, other: Point): Point {
  const length = Math.hypot(other.x - corner.x, other.y - corner.y);
  const share = Math.min(RADIUS, length / 2) / (length || 1);
  return { x: corner.x + (other.x - corner.x) * share, y: corner.y + (other.y - corner.y) * share };
}

/** Writes a number with one decimal. */
function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}
