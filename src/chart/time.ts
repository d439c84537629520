/** Durations and timestamps, as charts write them. */
import type { InputReference, Scalar } from './terms.ts';

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The syntax of a duration. It includes durations that are too long. */
export const DURATION = /^(?:\d{1,15}|(?:\d{1,15}(?:\.\d{1,6})?(?:ms|[smhd]))+)$/;

/** Ten years: longer than any chart runs, and far inside the range of a clock. */
const LONGEST = 3_650 * UNITS.d;

/**
 * Reads `90s`, `30m`, `12h`, `7d`, `1h30m`, or milliseconds as a number.
 *
 * @returns milliseconds; undefined if the text is not a duration.
 */
export function parseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  if (/^\d+$/.test(text)) return bounded(Number(text));
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) {
    sum += Number(count) * UNITS[unit as keyof typeof UNITS];
  }
  return bounded(Math.round(sum));
}

/** A delay of a timer, ms, or an input whose value is a duration. */
export type Delay = number | InputReference;

/** The shortest duration that an input may have, ms: a ring of timers without delay would not end. */
const SHORTEST_INPUT = UNITS.s;

/** Reads the value of an input as a duration. @returns ms; undefined for anything else, and below one second. */
export function parseDelay(value: Scalar | undefined): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const delay = parseDuration(String(value));
  return delay === undefined || delay < SHORTEST_INPUT ? undefined : delay;
}

/** @returns the input of a delay; undefined for a number. */
export function inputOf(delay: Delay): string | undefined {
  return typeof delay === 'number' ? undefined : delay.input;
}

/** The default lease: long enough for a reboot. */
export const DEFAULT_LEASE = 15 * UNITS.m;

function bounded(duration: number): number | undefined {
  return duration <= LONGEST ? duration : undefined;
}

/** The syntax of a timestamp. It includes days that do not exist, such as 30 February. */
export const TIMESTAMP =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.\d{1,9})?)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?$/;

/**
 * Reads a date and time of ISO 8601; without an offset it is UTC.
 *
 * @returns milliseconds since the epoch; undefined if there is no such day (30 February).
 */
export function parseTimestamp(text: string): number | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, , , , offset] = match;
  // Date.parse turns 30 February into a day of March; a day that exists stays the same.
  const midnight = new Date(`${year}-${month}-${day}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || midnight.getUTCDate() !== Number(day)) return undefined;
  return Date.parse(offset === undefined ? `${text}Z` : text);
}
