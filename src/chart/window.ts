/** `window`: a key that neither the original nor XState has, the same in both dialects. `opening.ts` evaluates it. */
import { CronPattern } from 'croner';
import * as z from 'zod/mini';
import {
  CHART_WINDOWS,
  CRON_LENGTH,
  NESTED_WINDOWS_CHECKED,
  STATE_WINDOWS,
  WINDOW_MAX,
  WINDOW_MIN,
} from '../chart-limits.ts';
import type { Data, Document } from './document.ts';
import { type IssueList, type PathStep, quote } from './issue.ts';
import { ancestorsOf, type Model, type StateModel, type Window } from './model.ts';
import { isEverOpen } from './opening.ts';
import { DURATION, parseDuration } from './time.ts';

const CRON = { error: 'must be five fields of cron in quotes, such as "0 2 * * 1-5"' };
const LENGTH = { error: 'must be a duration from 1m to 31d, such as 4h' };
const CUTOFF = { error: 'must be a duration, such as 30m' };
const ZONE = { error: 'must be a name of the IANA time zone database, such as Europe/Berlin' };
const EXAMPLE = '`{cron: "0 2 * * 1-5", for: 4h}`';
const WINDOW = { error: `must be a window, such as ${EXAMPLE}` };
const WINDOWS = { error: `${WINDOW.error}, or a list of 1 to ${STATE_WINDOWS}` };

const durationShape = (what: { error: string }, from: number, to: number) =>
  z.union([z.number(), z.string().check(z.meta({ pattern: DURATION.source }))], what).check(
    z.refine((written) => {
      const duration = parseDuration(String(written));
      return duration !== undefined && duration >= from && duration <= to;
    }, what),
  );

const WindowShape = z.strictObject(
  {
    cron: z
      .string(CRON)
      .check(
        z.maxLength(CRON_LENGTH, { error: `must have at most ${CRON_LENGTH} characters` }),
        z.describe('When it opens: minute, hour, day of the month, month, day of the week. `0 2 * * 1-5`.'),
      ),
    for: durationShape(LENGTH, WINDOW_MIN, WINDOW_MAX).check(z.describe('How long it is open: 90m, 4h, 2d.')),
    zone: z
      .optional(z.string(ZONE))
      .check(
        z.describe('The time zone of `cron`, as in the IANA database: Europe/Berlin. Left out, it is UTC.'),
      ),
    cutoff: z
      .optional(durationShape(CUTOFF, 0, WINDOW_MAX))
      .check(z.describe('How long before it closes no more work is begun: 30m.')),
  },
  WINDOW,
);

/** A window as written. */
type WrittenWindow = z.infer<typeof WindowShape>;

/** The value of the key as written, once its shape was checked. */
export type WrittenWindows = WrittenWindow | readonly WrittenWindow[];

/** The shape of the key. */
export const WindowFields = {
  window: z
    .optional(
      z.union([WindowShape, z.array(WindowShape).check(z.minLength(1), z.maxLength(STATE_WINDOWS))], WINDOWS),
    )
    .check(
      z.describe('When work may be begun here and in the states inside: one window, or a list of them.'),
    ),
};

/** Every key of a window, for suggestions. */
export const WINDOW_KEYS: readonly string[] = Object.keys(WindowShape.shape);

/** @returns the windows of a state; undefined if the key is absent. */
export function readWindows(written: WrittenWindows | undefined): readonly Window[] | undefined {
  return written === undefined ? undefined : listOf(written).map(readWindow);
}

function readWindow({ cron, for: length, zone = 'UTC', cutoff = 0 }: WrittenWindow): Window {
  return {
    cron,
    // One spelling for each zone: evaluation keeps some 50 kB for each name.
    zone: canonicalZone(zone) ?? zone,
    length: parseDuration(String(length)) ?? WINDOW_MIN,
    cutoff: parseDuration(String(cutoff)) ?? 0,
  };
}

function listOf(written: WrittenWindows): readonly WrittenWindow[] {
  return 'cron' in written ? [written] : written;
}

/** Checks what the shape of a window cannot say, for one document. */
export class WindowCheck {
  readonly #document: Document;
  readonly #issues: IssueList;
  #count = 0;

  constructor(document: Document, issues: IssueList) {
    this.#document = document;
    this.#issues = issues;
  }

  /**
   * Reports fields of cron that are wrong, windows that never open, unknown zones and cutoffs that are too long.
   *
   * @param data the value of the key; of a wrong shape, nothing is reported.
   * @returns the windows; undefined if the key is absent, its shape is wrong, or the chart has too many.
   */
  read(data: Data | undefined, path: readonly PathStep[]): readonly Window[] | undefined {
    if (data === undefined) return undefined;
    const before = this.#count;
    this.#count += Array.isArray(data) ? data.length : 1;
    if (this.#count > CHART_WINDOWS) {
      if (before <= CHART_WINDOWS) this.#error(path, `A chart has at most ${CHART_WINDOWS} windows.`);
      return undefined;
    }
    const { data: written } = WindowFields.window.safeParse(data);
    if (written === undefined) return undefined;
    for (const [i, window] of listOf(written).entries())
      this.#check(window, Array.isArray(data) ? [...path, i] : path);
    return readWindows(written);
  }

  /** Reports states for which too many windows hold. */
  checkNesting(states: readonly StateModel[], pathOf: (state: number) => readonly PathStep[]): void {
    const counts: number[] = [];
    for (const [number, { parent, windows = [] }] of states.entries()) {
      const around = parent === undefined ? 0 : (counts[parent] ?? 0);
      counts.push(around + windows.length);
      if (windows.length === 0 || around + windows.length <= STATE_WINDOWS) continue;
      const message = `${around + windows.length} windows hold here, with those of the states around it; at most ${STATE_WINDOWS} may.`;
      this.#error([...pathOf(number), 'window'], message);
    }
  }

  /** Warns of states whose windows are never open at the same time as those of the states around them. */
  warnNeverOpen(model: Model, pathOf: (state: number) => readonly PathStep[]): void {
    const nested = [...model.states.keys()].filter(
      (state) =>
        model.states[state]?.windows !== undefined &&
        ancestorsOf(model, state).some((around) => model.states[around]?.windows !== undefined),
    );
    for (const state of nested.slice(0, NESTED_WINDOWS_CHECKED)) {
      if (isEverOpen({ model }, state)) continue;
      const path = [...pathOf(state), 'window'];
      const message =
        'This is not open at the same time as the windows of the states around it, as far as was looked.';
      this.#issues.warn(this.#document.locate(path, 'key'), path, message);
    }
  }

  #check({ cron, zone, for: length, cutoff = 0 }: WrittenWindow, path: readonly PathStep[]): void {
    const wrong = faultOf(cron);
    if (wrong !== undefined) this.#error([...path, 'cron'], wrong);
    else if (/^\s*\*\s+(?!\*)/.test(cron)) {
      const message = `${quote(cron)} opens anew in each minute of an hour; write the minute, such as "0 2 * * *".`;
      this.#issues.warn(this.#document.locate([...path, 'cron']), [...path, 'cron'], message);
    }
    if (zone !== undefined && canonicalZone(zone) === undefined) {
      const hint = this.#nearestZone(zone);
      this.#error([...path, 'zone'], `There is no time zone ${quote(zone)} in the IANA database.${hint}`);
    }
    const open = parseDuration(String(length)) ?? 0;
    if ((parseDuration(String(cutoff)) ?? 0) >= open)
      this.#error([...path, 'cutoff'], '`cutoff` must be shorter than `for`: else no work could be begun.');
  }

  #nearestZone(written: string): string {
    const zones = Intl.supportedValuesOf('timeZone');
    // Often only the city is written.
    const city = zones.find((zone) => zone.toLowerCase().endsWith(`/${written.toLowerCase()}`));
    return city === undefined ? this.#issues.didYouMean(written, zones) : ` Did you mean ${quote(city)}?`;
  }

  #error(path: readonly PathStep[], message: string): void {
    this.#issues.error(this.#document.locate(path), path, message);
  }
}

/** @returns the name under which Intl knows a zone; undefined if there is no such zone, and for offsets, `+01:00`. */
function canonicalZone(zone: string): string | undefined {
  if (!/^[A-Za-z]/.test(zone)) return undefined;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

/** The fields of cron, what each may have, and its place among others that are `*`. */
const FIELDS = [
  { name: 'minute', right: '0 to 59', alone: (field: string) => `${field} * * * *` },
  { name: 'hour', right: '0 to 23', alone: (field: string) => `* ${field} * * *` },
  {
    name: 'day of the month',
    right: '1 to 31, `L` for the last one, or `15W` for the weekday nearest to the 15th',
    alone: (field: string) => `* * ${field} * *`,
  },
  { name: 'month', right: '1 to 12, or JAN to DEC', alone: (field: string) => `* * * ${field} *` },
  {
    name: 'day of the week',
    right:
      '0 to 7 (0 and 7 are Sunday), SUN to SAT, `TUE#2` for the second Tuesday, or `FRIL` for the last Friday',
    alone: (field: string) => `* * * * ${field}`,
  },
] as const;

/** @returns what is wrong with a `cron`, and what would be right; undefined if it opens at some time. */
function faultOf(cron: string): string | undefined {
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== FIELDS.length) {
    const names = FIELDS.map(({ name }) => name).join(', ');
    return `\`cron\` has ${fields.length} of five fields: ${names}, such as "0 2 * * 1-5".`;
  }
  for (const [i, { name, right, alone }] of FIELDS.entries()) {
    const field = fields[i] ?? '';
    if (/^[\w*,/#-]+$/.test(field) && patternOf(alone(field)) !== undefined) continue;
    return `The ${name} of \`cron\` is ${quote(field)}; it must be \`*\`, or ${right}, as a list (\`1,3\`), a range (\`1-5\`) or steps (\`*/2\`).`;
  }
  const pattern = patternOf(cron);
  if (pattern === undefined) return `\`cron\` ${CRON.error}.`;
  return everOpens(pattern)
    ? undefined
    : `${quote(cron)} never comes: no month of it has such a day. \`L\` is the last day of any month.`;
}

function patternOf(cron: string): CronPattern | undefined {
  try {
    return new CronPattern(cron, undefined, { mode: '5-part' });
  } catch {
    return undefined;
  }
}

/** Days of the months, in a leap year. */
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** Whether a day comes. A day of the week always does: beside it, a day of the month is an alternative. */
function everOpens({
  starDOW,
  lastDayOfMonth,
  lastWeekday,
  day,
  nearestWeekdays,
  month,
}: CronPattern): boolean {
  if (!starDOW || lastDayOfMonth || lastWeekday) return true;
  const first = [...day.keys()].find((i) => day[i] || nearestWeekdays[i]) ?? day.length;
  return DAYS.some((days, i) => month[i] && first < days);
}
