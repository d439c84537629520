/** Draws the visits of a machine's states over time, as SVG. */
import { html, raw } from 'hono/html';
import type { Sliced } from '../sliced.ts';
import { clockText, durationText, shortened } from './format.ts';
import { DIAGRAM_STYLE } from './style.ts';
import type { Timeline, Visit } from './timeline.ts';

/** A state of the chart, as a row. */
export interface TimelineState {
  readonly name: string;
  /** The name without that of the state around it. */
  readonly label: string;
  /** How many states are around it. */
  readonly depth: number;
  readonly isFailed: boolean;
  readonly isFinal: boolean;
}

interface Options {
  /** The machine's address. */
  readonly title: string;
  /** Whether the machine has ended. */
  readonly isDone: boolean;
  /** Whether the page around it has the style already. */
  readonly isInline?: boolean;
  /** ms since the epoch */
  readonly now: number;
}

/** Charts up to this size have a row for each state; larger ones only for states that were visited. */
const ROWS_OF_ALL = 40;
/** The most rows. */
const ROWS = 100;

const HEAD = 40;
const ROW = 40;
const BAR = 12;

/** Of the width, in per cent: where the time begins, and how much it takes. Lengths in per cent keep the text legible on a phone. */
const LEFT = 2;
const SPAN = 95;
/** The least width of a bar, in per cent. */
const LEAST = 0.6;
/** Characters of a state's name in its row; the tooltip has all. */
const NAME_SHOWN = 28;

/** The style beside that of the pictures. A picture in a page is as wide as its column. */
export const TIMELINE_STYLE = `${DIAGRAM_STYLE}
svg.timeline{display:block;width:100%}
.timeline .track{fill:var(--box)}
.timeline .visit{fill:var(--past);stroke:var(--past-line)}
.timeline .open{fill:var(--lit);stroke:var(--lit)}
.timeline .end{fill:var(--good);stroke:var(--good)}
.timeline .bad{fill:var(--bad);stroke:var(--bad)}
.timeline .hand{stroke:var(--ink);stroke-width:2;stroke-dasharray:4 2}
.timeline .pause{fill:none;stroke:var(--ink);stroke-dasharray:2 2}
.timeline .band{fill:var(--line);opacity:.25}
.timeline .now{stroke:var(--lit);stroke-width:2}
.timeline .on{font-weight:700}`;

/** @returns SVG in which every name is escaped, without scripts and without references. */
export function* drawTimeline(
  timeline: Timeline,
  states: readonly TimelineState[],
  { title, isDone, isInline, now }: Options,
): Sliced<string> {
  const { since, changed, visits, pauses, isCut } = timeline;
  const all = withUnknown(states, visits);
  const wanted = all.length <= ROWS_OF_ALL ? all : all.filter(({ name }) => visits.has(name));
  const rows = wanted.slice(0, ROWS);
  // A machine that has ended stands still: its time ends a little after its last change.
  const end = isDone ? Math.min(now, changed + Math.max(60_000, (changed - since) / 10)) : now;
  const scale = new Scale(since, Math.max(end, since + 1_000), now);
  const hasPauses = pauses.length > 0;
  const notes = [
    ...(isCut ? ['What came before is not drawn; the history has it.'] : []),
    ...(wanted.length > ROWS ? [`${wanted.length - ROWS} more states are not drawn.`] : []),
  ];
  const height = HEAD + ROW * (rows.length + (hasPauses ? 1 : 0)) + 8 + 18 * notes.length;
  const current = all.filter(({ name }) => visits.get(name)?.at(-1)?.until === undefined && visits.has(name));
  const says = `The visits of the states since ${clockText(since, now)}. Current: ${current.map(({ name }) => name).join(', ') || 'none'}. The history has the same as a table.`;
  const last = isDone && end < now ? `now, ${durationText(now - changed)} after the end` : 'now';
  let drawn = String(
    html`<svg xmlns="http://www.w3.org/2000/svg" class="diagram timeline" width="720" height="${height}" role="img" aria-labelledby="timeline-title timeline-description"><title id="timeline-title">Timeline of ${title}</title><desc id="timeline-description">${says}</desc>${isInline ? '' : raw(`<style>${TIMELINE_STYLE}</style>`)}<rect class="paper" width="100%" height="${height}" rx="8"/><text class="caption" x="${LEFT}%" y="18">${clockText(since, now)}</text><text class="caption" x="${LEFT + SPAN}%" y="18" text-anchor="end">${isDone && end < now ? '' : `${clockText(now, now)}, `}${last}</text>`,
  );
  let y = HEAD;
  if (hasPauses) {
    yield pauses.length;
    drawn += drawPauses(pauses, { y, height, scale, now });
    y += ROW;
  }
  for (const state of rows) {
    yield 2 + (visits.get(state.name)?.length ?? 0) / 2;
    drawn += drawRow(state, visits.get(state.name) ?? [], { y, scale, now });
    y += ROW;
  }
  for (const note of notes) {
    drawn += html`<text class="caption" x="${LEFT}%" y="${y + 12}">${note}</text>`;
    y += 18;
  }
  const right = scale.at(now);
  return `${drawn}${html`<line class="now" x1="${right}%" x2="${right}%" y1="24" y2="${HEAD + ROW * (rows.length + (hasPauses ? 1 : 0))}"/>`}</svg>`;
}

/** Places on the axis, in per cent of the width with two digits. */
class Scale {
  readonly #since: number;
  readonly #end: number;
  readonly #now: number;

  constructor(since: number, end: number, now: number) {
    this.#since = since;
    this.#end = end;
    this.#now = now;
  }

  at(time: number): number {
    const share = Math.min(1, Math.max(0, (time - this.#since) / (this.#end - this.#since)));
    return Math.round((LEFT + SPAN * share) * 100) / 100;
  }

  /** @returns the left end and the width of a time, of which all is visible. */
  bar(from: number, until = this.#now): { readonly x: number; readonly width: number } {
    const [x, end] = [this.at(from), this.at(until)];
    return { x: Math.min(x, LEFT + SPAN - LEAST), width: Math.max(LEAST, Math.round((end - x) * 100) / 100) };
  }
}

interface Place {
  readonly y: number;
  readonly scale: Scale;
  readonly now: number;
}

function drawRow(state: TimelineState, visits: readonly Visit[], { y, scale, now }: Place): string {
  const isCurrent = visits.at(-1)?.until === undefined && visits.length > 0;
  const text = isCurrent ? 'on' : '';
  const bars = visits.map(({ from, until, isCut, isByHand }) => {
    const { x, width } = scale.bar(from, until);
    const kind = kindOf(state, until === undefined);
    const start = isCut ? `before ${clockText(from, now)}` : clockText(from, now);
    const to = until === undefined ? 'now' : clockText(until, now);
    const says = `${start} to ${to}, ${durationText((until ?? now) - from)}${isByHand ? ', moved by hand' : ''}`;
    return html`<rect class="visit ${kind}${isByHand ? ' hand' : ''}" x="${x}%" y="${y + 18}" width="${width}%" height="${BAR}" rx="2"><title>${says}</title></rect>`;
  });
  return String(
    html`<g><title>${state.name}</title><text class="${text}" x="${LEFT}%" dx="${Math.min(state.depth, 6) * 10}" y="${y + 12}" direction="auto">${shortened(state.label, NAME_SHOWN)}</text><text class="caption ${text}" x="${LEFT + SPAN}%" dx="-6" y="${y + 12}" text-anchor="end">${sumOf(state, visits, now)}</text><rect class="track" x="${LEFT}%" y="${y + 18}" width="${SPAN}%" height="${BAR}" rx="2"/>${bars}</g>`,
  );
}

/** What a row says in words: the time in the state, and what has come of it. */
function sumOf({ isFailed }: TimelineState, visits: readonly Visit[], now: number): string {
  if (visits.length === 0) return 'not entered';
  const time = visits.reduce((sum, { from, until = now }) => sum + until - from, 0);
  return [
    ...(visits.at(-1)?.until === undefined ? ['● now'] : []),
    ...(isFailed ? ['✗ failed'] : []),
    ...(visits.some(({ isByHand }) => isByHand) ? ['by hand'] : []),
    ...(visits.length > 1 ? [`${visits.length} visits`] : []),
    durationText(time),
  ].join(', ');
}

function kindOf({ isFailed, isFinal }: TimelineState, isOpen: boolean): string {
  if (isFailed) return 'bad';
  if (!isOpen) return '';
  return isFinal ? 'end' : 'open';
}

function drawPauses(
  pauses: Timeline['pauses'],
  { y, height, scale, now }: Place & { readonly height: number },
): string {
  const time = pauses.reduce((sum, { from, until = now }) => sum + until - from, 0);
  const isPaused = pauses.some(({ until }) => until === undefined);
  const bars = pauses.map(({ from, until }) => {
    const { x, width } = scale.bar(from, until);
    const says = `Paused ${clockText(from, now)} to ${until === undefined ? 'now' : clockText(until, now)}, ${durationText((until ?? now) - from)}`;
    return html`<rect class="band" x="${x}%" y="${y}" width="${width}%" height="${height - y - 8}"><title>${says}</title></rect><rect class="pause" x="${x}%" y="${y + 18}" width="${width}%" height="${BAR}"/>`;
  });
  return String(
    html`<g>${bars}<text x="${LEFT}%" y="${y + 12}">‖ paused</text><text class="caption" x="${LEFT + SPAN}%" dx="-6" y="${y + 12}" text-anchor="end">${isPaused ? '● now, ' : ''}${durationText(time)}</text></g>`,
  );
}

/** Adds the visited states that the chart does not have any more. */
function withUnknown(
  states: readonly TimelineState[],
  visits: ReadonlyMap<string, unknown>,
): readonly TimelineState[] {
  const known = new Set(states.map(({ name }) => name));
  const others = [...visits.keys()].filter((name) => !known.has(name));
  return [
    ...states,
    ...others.map((name) => ({ name, label: name, depth: 0, isFailed: false, isFinal: false })),
  ];
}
