/** Formats times, durations and names for pages, pictures and the terminal. */
import { UPDATE } from '../chart/chart.ts';

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** @returns a duration in at most two units, as charts write it: `1h 30m`. */
export function durationText(ms: number): string {
  const parts: string[] = [];
  let rest = Math.max(0, ms);
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
    // A duration of days is not shown with minutes.
    if (parts.length === 2 || (parts.length === 1 && count === 0)) break;
  }
  return parts.length === 0 ? (ms >= 1 && ms < 1_000 ? `${Math.round(ms)}ms` : '0s') : parts.join(' ');
}

/** @returns a time in UTC, to the minute where its seconds are zero: `2026-12-01 02:00Z`. */
export function momentText(at: number): string {
  const text = new Date(at).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, text.endsWith('00.000Z') ? 16 : 19)}Z`;
}

/** @returns the time of day in UTC, with the date where it is another day than that of `now`: `04:16 UTC`. */
export function clockText(at: number, now: number): string {
  const text = new Date(at).toISOString();
  const day = text.slice(0, 10);
  const time = `${text.slice(11, 16)} UTC`;
  return day === new Date(now).toISOString().slice(0, 10) ? time : `${day} ${time}`;
}

/** Shortens a text to `most` characters by leaving out its middle: names differ at both ends. */
export function shortened(text: string, most: number): string {
  const characters = [...text];
  if (characters.length <= most) return text;
  const head = Math.ceil((most - 1) * 0.6);
  return `${characters.slice(0, head).join('')}…${characters.slice(characters.length - (most - 1 - head)).join('')}`;
}

/** Classes of characters by width. Widths are in em, those of Helvetica, rounded up. */
const NARROW = /[\s.,:;'|!ijlI()[\]{}\u2026-]/;
const WIDE = /[mwMW@%\u2014]/;
const CAPITAL = /[A-Z#&+=<>~]/;
const FULL =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]|\p{Extended_Pictographic}/u;

/** Estimates the width of a text in px: the server has no font to measure. */
export function textWidth(text: string, size: number): number {
  let width = 0;
  for (const character of text) width += ASCII_WIDTHS.get(character) ?? widthOf(character);
  return width * size;
}

/** Kept: four patterns for each character took a third of a layout. */
const ASCII_WIDTHS: ReadonlyMap<string, number> = new Map(
  Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).map((character) => [
    character,
    widthOf(character),
  ]),
);

function widthOf(character: string): number {
  if (NARROW.test(character)) return 0.33;
  if (FULL.test(character)) return 1.1;
  if (WIDE.test(character)) return 0.95;
  return CAPITAL.test(character) ? 0.72 : 0.58;
}

/** @returns the names of the active states that have no active state inside them, in the given order. */
export function innermost(names: readonly string[]): readonly string[] {
  // In order, a path is directly before those that it begins. A page has 21 lists of up to 256 names.
  const paths = [...new Set(names)].map((name) => `${name}.`).sort();
  const around = new Set(paths.filter((path, i) => paths[i + 1]?.startsWith(path)));
  return names.filter((name) => !around.has(`${name}.`));
}

/** Sorts what is about events: `update` first, which is what moves a machine on; the others in their order. */
export function updateFirst<Item extends { readonly event: string }>(items: readonly Item[]): Item[] {
  return items.toSorted((a, b) => Number(b.event === UPDATE) - Number(a.event === UPDATE));
}

/**
 * Names that a page shows of one list of callers or holders. The largest machine has 10,000 holders, and its page with
 * all of them took 230 ms to write. The status document has all names.
 */
export const NAMES_SHOWN = 100;
