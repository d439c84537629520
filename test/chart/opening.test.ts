/** When work may be begun, by the windows of a state and of the states around it. */
import { describe, expect, it } from 'vitest';
import { type Opening, openingOf } from '../../src/chart/chart.ts';
import { windowAt } from '../../src/chart/opening.ts';
import { allowed, TIMED } from '../slowness.ts';
import { chartOf } from './run.ts';

const windowsOf = (window: string) =>
  chartOf(`initial: a\nstates: {a: {window: ${window}}}\n`).model.states[1]?.windows ?? [];

/** What a window says at a time, with times as text. */
function at(window: string, now: string): string {
  return shown(windowAt(windowsOf(window), Date.parse(now)));
}

const iso = (time: number) => new Date(time).toISOString().replace(':00.000Z', 'Z');

function shown(opening: Opening): string {
  if (opening.open) return `open until ${iso(opening.until)}`;
  return opening.again === undefined ? 'closed' : `closed until ${iso(opening.again)}`;
}

describe('a window', () => {
  const NIGHT = '{cron: 0 2 * * 1-5, for: 4h, zone: Europe/Berlin, cutoff: 30m}';

  // 2026-12-01 is a Tuesday.
  it.each([
    ['2026-12-01T00:59:59.999Z', 'closed until 2026-12-01T01:00Z'],
    ['2026-12-01T01:00:00Z', 'open until 2026-12-01T04:30Z'],
    ['2026-12-01T04:29:59.999Z', 'open until 2026-12-01T04:30Z'],
    ['2026-12-01T04:30:00Z', 'closed until 2026-12-02T01:00Z'],
    ['2026-12-01T12:00:00Z', 'closed until 2026-12-02T01:00Z'],
    ['2026-12-04T12:00:00Z', 'closed until 2026-12-07T01:00Z'],
  ])('is at %s %s', (now, expected) => {
    expect(at(NIGHT, now)).toBe(expected);
  });

  it('may be open over midnight, and over several days', () => {
    expect(at('{cron: 0 22 * * FRI, for: 2d}', '2026-12-06T21:00:00Z')).toBe('open until 2026-12-06T22:00Z');
    expect(at('{cron: 0 22 * * FRI, for: 2d}', '2026-12-04T21:00:00Z')).toBe(
      'closed until 2026-12-04T22:00Z',
    );
  });

  it('may open seldom', () => {
    expect(at('{cron: 0 0 29 2 *, for: 1d}', '2028-03-01T00:00:00Z')).toBe('closed until 2032-02-29T00:00Z');
    expect(at('{cron: 0 0 * 2 MON#5, for: 1d}', '2026-12-01T00:00:00Z')).toBe(
      'closed until 2044-02-29T00:00Z',
    );
    expect(at('{cron: 0 3 * * TUE#2, for: 1h}', '2026-12-09T00:00:00Z')).toBe(
      'closed until 2027-01-12T03:00Z',
    );
  });

  it('does not open again after the years that are looked at', () => {
    expect(windowAt(windowsOf('{cron: 0 0 29 2 *, for: 1d}'), Date.UTC(2999, 0))).toEqual({
      open: false,
      again: undefined,
    });
  });
});

describe('several windows', () => {
  it('are one where they overlap, or follow each other without a gap', () => {
    const windows = '[{cron: 0 2 * * *, for: 2h, cutoff: 30m}, {cron: 0 4 * * *, for: 2h, cutoff: 30m}]';
    expect(at(windows, '2026-12-01T02:00:00Z')).toBe('open until 2026-12-01T05:30Z');
    expect(at(windows, '2026-12-01T03:45:00Z')).toBe('open until 2026-12-01T05:30Z');
    expect(at(windows, '2026-12-01T05:30:00Z')).toBe('closed until 2026-12-02T02:00Z');
  });

  it('each count their cutoff from the end of all', () => {
    const windows = '[{cron: 0 2 * * *, for: 4h, cutoff: 1h}, {cron: 30 5 * * *, for: 1h}]';
    // The first alone would close at 05:00; the second goes on until 06:30.
    expect(at(windows, '2026-12-01T02:00:00Z')).toBe('open until 2026-12-01T06:30Z');
    const shorter = '[{cron: 0 2 * * *, for: 4h, cutoff: 1h}, {cron: 30 5 * * *, for: 15m}]';
    expect(at(shorter, '2026-12-01T02:00:00Z')).toBe('open until 2026-12-01T05:00Z');
    expect(at(shorter, '2026-12-01T05:00:00Z')).toBe('closed until 2026-12-01T05:30Z');
    expect(at(shorter, '2026-12-01T05:30:00Z')).toBe('open until 2026-12-01T05:45Z');
  });

  it('may be in several zones', () => {
    const windows =
      '[{cron: 0 2 * * *, for: 2h, zone: Asia/Tokyo}, {cron: 0 2 * * *, for: 2h, zone: America/New_York}]';
    expect(at(windows, '2026-11-30T17:00:00Z')).toBe('open until 2026-11-30T19:00Z');
    expect(at(windows, '2026-11-30T19:00:00Z')).toBe('closed until 2026-12-01T07:00Z');
  });

  it('that follow each other without an end are open until as far as is looked at', () => {
    const opening = windowAt(windowsOf('{cron: 0 * * * *, for: 1h, cutoff: 50m}'), Date.UTC(2026, 11, 1));
    expect(opening).toEqual({ open: true, until: expect.any(Number) });
    expect(opening.open && opening.until).toBeGreaterThan(Date.UTC(2026, 11, 1, 12));
  });
});

describe('where the clock is put forward', () => {
  // Berlin skips 02:00 to 03:00 on 2027-03-28, Lord Howe 02:00 to 02:30 on 2026-10-04, Apia the whole 2011-12-30.
  it('a time that is skipped opens at that moment', () => {
    const window = (cron: string) => `{cron: "${cron}", for: 1h, zone: Europe/Berlin}`;
    expect(at(window('30 2 * * *'), '2027-03-28T00:59:00Z')).toBe('closed until 2027-03-28T01:00Z');
    expect(at(window('30 2 * * *'), '2027-03-28T01:00:00Z')).toBe('open until 2027-03-28T02:00Z');
    expect(at(window('0,30 2,14 * * *'), '2027-03-28T00:59:00Z')).toBe('closed until 2027-03-28T01:00Z');
    expect(at('{cron: 15 2 * * *, for: 1h, zone: Australia/Lord_Howe}', '2026-10-03T15:00:00Z')).toBe(
      'closed until 2026-10-03T15:30Z',
    );
  });

  it('it is left out where the minute or the hour is `*`', () => {
    expect(at('{cron: 30 */2 * * *, for: 1h, zone: Europe/Berlin}', '2027-03-27T23:45:00Z')).toBe(
      'open until 2027-03-28T00:30Z',
    );
    expect(at('{cron: 30 */2 * * *, for: 1h, zone: Europe/Berlin}', '2027-03-28T00:30:00Z')).toBe(
      'closed until 2027-03-28T02:30Z',
    );
  });

  it('a day that is skipped has no window', () => {
    expect(at('{cron: 0 2 30 * *, for: 1h, zone: Pacific/Apia}', '2011-12-29T00:00:00Z')).toBe(
      'closed until 2012-01-29T12:00Z',
    );
  });

  it('a window is as long as on other days', () => {
    expect(at('{cron: 0 1 * * *, for: 4h, zone: Europe/Berlin}', '2027-03-28T00:00:00Z')).toBe(
      'open until 2027-03-28T04:00Z',
    );
  });
});

describe('where the clock is put back', () => {
  // Berlin has 02:00 to 03:00 twice on 2027-10-31: from 00:00Z and from 01:00Z.
  it('a time that comes twice opens the first time only', () => {
    const window = '{cron: 30 2 * * *, for: 15m, zone: Europe/Berlin}';
    expect(at(window, '2027-10-31T00:00:00Z')).toBe('closed until 2027-10-31T00:30Z');
    expect(at(window, '2027-10-31T00:45:00Z')).toBe('closed until 2027-11-01T01:30Z');
  });

  it('it opens twice where the minute or the hour is `*`', () => {
    const window = '{cron: 30 * * * *, for: 15m, zone: Europe/Berlin}';
    expect(at(window, '2027-10-31T00:30:00Z')).toBe('open until 2027-10-31T00:45Z');
    expect(at(window, '2027-10-31T01:30:00Z')).toBe('open until 2027-10-31T01:45Z');
  });

  it('a window is as long as on other days', () => {
    expect(at('{cron: 0 1 * * *, for: 4h, zone: Europe/Berlin}', '2027-10-30T23:00:00Z')).toBe(
      'open until 2027-10-31T03:00Z',
    );
  });
});

describe('a state', () => {
  const chart = chartOf(`
initial: fleet
window: {cron: 0 8 * * 1-5, for: 9h}
states:
  fleet:
    type: parallel
    states:
      eu: {window: {cron: 0 12 * * *, for: 4h}}
      us: {}
  done: {window: {cron: 0 0 * * SUN, for: 1d}}
`);
  const stateAt = (name: string, now: string) => {
    const naming = chart.names.find(name);
    const opening = naming?.ok ? openingOf(chart, naming.state, Date.parse(now)) : undefined;
    return opening && shown(opening);
  };

  it('is open while it and every state around it is', () => {
    expect(stateAt('eu', '2026-12-01T07:00:00Z')).toBe('closed until 2026-12-01T12:00Z');
    expect(stateAt('eu', '2026-12-01T12:00:00Z')).toBe('open until 2026-12-01T16:00Z');
    expect(stateAt('eu', '2026-12-05T13:00:00Z')).toBe('closed until 2026-12-07T12:00Z');
  });

  it('is as open as the states around it if it has no windows', () => {
    for (const name of ['fleet', 'us'])
      expect(stateAt(name, '2026-12-01T09:00:00Z')).toBe('open until 2026-12-01T17:00Z');
  });

  it('that is never open at the same time as the states around it opens as late as is looked at', () => {
    const opening = stateAt('done', '2026-12-01T09:00:00Z');
    expect(opening).toMatch(/^closed until 2027-/);
  });

  it('without windows around it has no opening', () => {
    expect(openingOf(chartOf('initial: a\nstates: {a: {}}\n'), 1, 0)).toBeUndefined();
  });

  it('says the same when it is asked again, also of an earlier time', () => {
    const times = ['09:00', '12:00', '12:01', '15:59', '16:00', '11:59', '12:00'];
    expect(times.map((time) => stateAt('eu', `2026-12-01T${time}:00Z`))).toEqual([
      'closed until 2026-12-01T12:00Z',
      'open until 2026-12-01T16:00Z',
      'open until 2026-12-01T16:00Z',
      'open until 2026-12-01T16:00Z',
      'closed until 2026-12-02T12:00Z',
      'closed until 2026-12-01T12:00Z',
      'open until 2026-12-01T16:00Z',
    ]);
  });
});

describe('an evaluation takes at most 60 ms', () => {
  it.each([
    '{cron: 0 0 29 2 *, for: 1m}',
    '{cron: 0 0 * 2 MON#5, for: 31d}',
    '{cron: "* * * * *", for: 1m}',
    '{cron: "* * * * *", for: 31d, cutoff: 30d}',
    '{cron: "59 23 31W 12 FRI#5", for: 31d, zone: Australia/Lord_Howe}',
  ])('of eight windows %s', TIMED, (window) => {
    const windows = windowsOf(`[${Array(8).fill(window).join(', ')}]`);
    const times = Array.from({ length: 9 }, (_, i) => {
      const before = performance.now();
      windowAt(windows, Date.UTC(2026, 11, 1) + i);
      return performance.now() - before;
    }).sort((a, b) => a - b);
    const median = times[4] ?? 0;
    expect(median).toBeLessThan(allowed(median, 60));
  });
});
