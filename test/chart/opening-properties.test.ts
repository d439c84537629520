/** Windows compared with a second implementation, minute by minute, around the days on which clocks change. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Window } from '../../src/chart/model.ts';
import { windowAt } from '../../src/chart/opening.ts';
import { FUZZ } from '../fuzz.ts';

const MINUTE = 60_000;
const HOURS = 60;

/** A minute of a wall clock. */
interface Wall {
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

/** A zone's wall clock for some days, minute by minute. */
interface Calendar {
  readonly zone: string;
  /** ms since the epoch. */
  readonly from: number;
  readonly walls: readonly Wall[];
}

/** Days of each calendar: windows are compared on the middle ones. */
const DAYS = 8;

/** Reads a wall clock from Intl. */
function calendarOf(zone: string, middle: string): Calendar {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    month: 'numeric',
    day: 'numeric',
    weekday: 'short',
    hour: 'numeric',
    minute: 'numeric',
  });
  const from = Date.parse(`${middle}T00:00:00Z`) - (DAYS / 2) * 24 * HOURS * MINUTE;
  const walls = Array.from({ length: DAYS * 24 * HOURS }, (_, minute) => {
    const parts = new Map(
      format.formatToParts(from + minute * MINUTE).map(({ type, value }) => [type, value]),
    );
    const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
    const weekday = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(parts.get('weekday') ?? '');
    return {
      month: number('month'),
      day: number('day'),
      weekday,
      hour: number('hour'),
      minute: number('minute'),
    };
  });
  return { zone, from, walls };
}

/** One field of cron: its text and its values; undefined for `*`. */
interface Field {
  readonly text: string;
  readonly values: readonly number[] | undefined;
}

/** A generated window. All times are minutes. */
interface Plan {
  readonly fields: readonly [minute: Field, hour: Field, day: Field, month: Field, weekday: Field];
  readonly length: number;
  readonly cutoff: number;
}

const has = ({ values }: Field, value: number) => values === undefined || values.includes(value);

/** Whether the date is one of the window's: of two restricted fields for the day, one is enough. */
function isDay({ fields: [, , day, month, weekday] }: Plan, wall: Wall): boolean {
  if (!has(month, wall.month)) return false;
  if (day.values === undefined || weekday.values === undefined)
    return has(day, wall.day) && has(weekday, wall.weekday);
  return has(day, wall.day) || has(weekday, wall.weekday);
}

/** @returns for each minute of the calendar, whether the window opens at it. */
function opensOf(plan: Plan, { walls }: Calendar): boolean[] {
  const { fields } = plan;
  const [minuteField, hourField] = fields;
  const isFixed = !/[*]/.test(`${minuteField.text}${hourField.text}`);
  const ofDay = ({ hour, minute }: Wall) => hour * HOURS + minute;
  return walls.map((wall, i) => {
    const isTime = (minute: number) =>
      has(hourField, Math.floor(minute / HOURS)) && has(minuteField, minute % HOURS);
    if (!isDay(plan, wall)) return false;
    if (!isFixed) return isTime(ofDay(wall));
    const isRepeated = walls
      .slice(Math.max(0, i - 3 * HOURS), i)
      .some((past) => past.day === wall.day && ofDay(past) === ofDay(wall));
    if (isTime(ofDay(wall)) && !isRepeated) return true;
    // Times of this day that the clock has skipped.
    const before = walls[i - 1];
    if (before === undefined) return false;
    const first = before.day === wall.day ? ofDay(before) + 1 : 0;
    return Array.from({ length: Math.max(0, ofDay(wall) - first) }, (_, skipped) => first + skipped).some(
      isTime,
    );
  });
}

/** @returns for each minute, whether work may be begun. */
function admissionsOf(plans: readonly Plan[], calendar: Calendar): boolean[] {
  const minutes = calendar.walls.length;
  const opens = plans.map((plan) => opensOf(plan, calendar));
  const openBy = plans.map((plan, p) => {
    let left = 0;
    return opens[p]?.map((isOpening) => {
      left = isOpening ? plan.length : left - 1;
      return left > 0;
    });
  });
  const admitted = Array<boolean>(minutes).fill(false);
  // From the end: for how long the state stays open.
  let remaining = 0;
  for (let minute = minutes - 1; minute >= 0; minute--) {
    const open = plans.filter((_, p) => openBy[p]?.[minute]);
    remaining = open.length === 0 ? 0 : remaining + 1;
    admitted[minute] = open.some(({ cutoff }) => remaining > cutoff);
  }
  return admitted;
}

const fieldOf = (from: number, to: number): fc.Arbitrary<Field> =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant({ text: '*', values: undefined }) },
    {
      weight: 4,
      arbitrary: fc
        .uniqueArray(fc.integer({ min: from, max: to }), { minLength: 1, maxLength: 3 })
        .map((values) => ({ text: values.join(), values })),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.integer({ min: from, max: to }), fc.nat(3)).map(([first, more]) => {
        const last = Math.min(to, first + more);
        const values = Array.from({ length: last - first + 1 }, (_, i) => first + i);
        return { text: `${first}-${last}`, values };
      }),
    },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 2, max: 5 }).map((step) => {
        const values = Array.from({ length: Math.ceil((to - from + 1) / step) }, (_, i) => from + i * step);
        return { text: `*/${step}`, values };
      }),
    },
  );

/** The small hours, in which clocks change, more often than others. */
const hourField = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(0, 1, 2, 3).map((hour) => ({ text: String(hour), values: [hour] })),
  },
  { weight: 2, arbitrary: fieldOf(0, 23) },
);
const oneMinute: fc.Arbitrary<Field> = fc
  .constantFrom(0, 15, 30, 45)
  .map((minute) => ({ text: String(minute), values: [minute] }));

const plansWith = (minutes: fc.Arbitrary<Field>): fc.Arbitrary<Plan> =>
  fc
    .tuple(
      fc.tuple(minutes, hourField, fieldOf(1, 31), fieldOf(1, 12), fieldOf(0, 6)),
      fc.constantFrom(1, 10, 45, 60, 90, 240, 1_000, 2_000),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
    )
    .map(([fields, length, share]) => ({ fields, length, cutoff: Math.floor(length * share) }));

/** Follows a state that is open at least until `until`: of long chains of windows, only the first are looked at. */
function lastOf(windows: readonly Window[], until: number): number {
  const next = windowAt(windows, until);
  return next.open ? lastOf(windows, next.until) : until;
}

/** Beside other windows, one opens at most once an hour: the chains that decide a cutoff are as long as is looked at. */
const lists = fc.oneof(
  fc.tuple(plansWith(fc.oneof(oneMinute, fieldOf(0, 59)))),
  fc.array(plansWith(oneMinute), { minLength: 2, maxLength: 3 }),
);

const CALENDARS: readonly (readonly [zone: string, middle: string])[] = [
  ['Europe/Berlin', '2027-03-28'],
  ['Europe/Berlin', '2027-10-31'],
  ['America/New_York', '2026-03-08'],
  ['America/New_York', '2026-11-01'],
  ['Australia/Lord_Howe', '2026-10-04'],
  ['Australia/Lord_Howe', '2027-04-04'],
  ['Asia/Kathmandu', '2026-12-31'],
  ['Pacific/Apia', '2011-12-30'],
  ['Africa/Cairo', '2027-04-30'],
  ['UTC', '2028-02-29'],
];

describe.each(CALENDARS)('in %s around %s', (zone, middle) => {
  const calendar = calendarOf(zone, middle);
  const first = 2 * 24 * HOURS;
  const last = (DAYS - 2) * 24 * HOURS;

  it('work may be begun when the second implementation says so, and until and again when it says so', () => {
    fc.assert(
      fc.property(
        lists,
        fc.array(fc.integer({ min: first, max: last }), { minLength: 1, maxLength: 8 }),
        (all, minutes) => {
          const windows = all.map(
            ({ fields, length, cutoff }): Window => ({
              cron: fields.map(({ text }) => text).join(' '),
              zone,
              length: length * MINUTE,
              cutoff: cutoff * MINUTE,
            }),
          );
          const admitted = admissionsOf(all, calendar);
          for (const minute of minutes) {
            const opening = windowAt(windows, calendar.from + minute * MINUTE);
            expect([minute, opening.open]).toEqual([minute, admitted[minute]]);
            // The next change, where it lies in the calendar, long enough before its end.
            const change = admitted.indexOf(!opening.open, minute);
            if (change === -1 || change >= last) continue;
            const told = opening.open ? lastOf(windows, opening.until) : (opening.again ?? 0);
            expect([minute, (told - calendar.from) / MINUTE]).toEqual([minute, change]);
          }
        },
      ),
      { numRuns: Math.ceil(FUZZ.runs / 20), seed: FUZZ.seed },
    );
  });
});
