/** The key `window` in both dialects: what is read, and what is refused. */
import { describe, expect, it } from 'vitest';
import { readChart, writeChart } from '../../src/chart/chart.ts';
import { CHART_WINDOWS } from '../../src/chart-limits.ts';
import { errorsOf, messageAt, placesOf, warningsOf } from './reading.ts';
import { chartOf } from './run.ts';
import { begin, leftOf, openText, reportAll } from './walk.ts';

const HOUR = 3_600_000;

/** A statechart whose first state, `a`, has a window. */
const statechart = (window: string) =>
  `initial: a\nstates:\n  a:\n    window: ${window}\n    on: {go: b}\n  b: {}\n`;

/** A sequence whose first state has a window. */
const sequence = (window: string) => `current_state: a
states:
  - name: a
    func: increment
    current: {key: n, value: 0}
    target: {name: b, when: {key: n, value: 1}}
    window: ${window}
  - {name: b}
`;

const windowsOf = (text: string) => chartOf(text).model.states[1]?.windows;

describe.each([
  ['statechart', statechart],
  ['sequence', sequence],
] as const)('a window in a %s', (_, chart) => {
  it('is read, in UTC and without a cutoff unless it says otherwise', () => {
    expect(windowsOf(chart('{cron: 0 2 * * 1-5, for: 4h}'))).toEqual([
      { cron: '0 2 * * 1-5', zone: 'UTC', length: 4 * HOUR, cutoff: 0 },
    ]);
    expect(windowsOf(chart('{cron: 0 2 * * 1-5, for: 4h, zone: Europe/Berlin, cutoff: 30m}'))).toEqual([
      { cron: '0 2 * * 1-5', zone: 'Europe/Berlin', length: 4 * HOUR, cutoff: HOUR / 2 },
    ]);
  });

  it('may be one of a list', () => {
    expect(
      windowsOf(chart('[{cron: 0 2 * * *, for: 4h}, {cron: 0 12 * * SUN, for: 7200000}]')),
    ).toMatchObject([{ length: 4 * HOUR }, { cron: '0 12 * * SUN', length: 2 * HOUR }]);
  });

  it('is refused with every error', () => {
    const issues = errorsOf(
      chart(
        '\n      - {cron: 0 25 * * *, for: 4h}\n      - {cron: 0 2 * * *, for: 1h, zone: Europe/Berlni, cutoff: 1h}',
      ),
    );
    expect(placesOf(issues).map(([, , path]) => path.replace(/^states[.[][a0][.\]]+/, ''))).toEqual([
      'window[0].cron',
      'window[1].zone',
      'window[1].cutoff',
    ]);
    expect(issues[1]?.message).toContain('Did you mean "Europe/Berlin"?');
  });

  it('has no other keys', () => {
    expect(errorsOf(chart('{cron: 0 2 * * *, for: 4h, cutof: 10m}'))).toMatchObject([
      { message: expect.stringContaining('Did you mean "cutoff"?') },
    ]);
  });
});

describe('a chart is refused', () => {
  const messageOf = (window: string, key: string) =>
    messageAt(errorsOf(statechart(window)), `states.a.window${key}`);

  it.each([
    ['0 2 * *', /has 4 of five fields: minute, hour/],
    ['0 0 2 * * *', /has 6 of five fields/],
    ['@daily', /has 1 of five fields/],
    ['60 2 * * *', /The minute of `cron` is "60"; it must be .* 0 to 59/],
    ['0 24 * * *', /The hour of `cron` is "24"; it must be .* 0 to 23/],
    ['0 2-1 * * *', /The hour of `cron` is "2-1"/],
    ['0 2 0 * *', /The day of the month of `cron` is "0"; it must be .* 1 to 31/],
    ['0 2 * 13 *', /The month of `cron` is "13"; it must be .* JAN to DEC/],
    ['0 2 * * 8', /The day of the week of `cron` is "8"; it must be .* 0 to 7/],
    ['0 2 * * MUN', /The day of the week of `cron` is "MUN"/],
    ['0 2 * * MON#6', /The day of the week of `cron` is "MON#6"/],
    ['0 2 ? * *', /The day of the month of `cron` is "\?"/],
    ['0 2 1 * +MON', /The day of the week of `cron` is "\+MON"/],
    ['2026-12-01T02:00:00', /has 1 of five fields/],
    ['02:00 2 * * *', /The minute of `cron` is "02:00"/],
    ['*/0 2 * * *', /The minute/],
    ['1,,2 2 * * *', /The minute/],
  ])('whose cron is wrong: %s', (cron, message) => {
    expect(messageOf(`{cron: "${cron}", for: 1h}`, '.cron')).toMatch(message);
  });

  it.each(['0 0 31 2 *', '0 0 30 FEB *', '0 0 31 4,6,9,11 *', '0 0 31W 2 *', '* * 30-31 2 *'])(
    'whose window never opens: %s',
    (cron) => {
      expect(messageOf(`{cron: "${cron}", for: 1h}`, '.cron')).toMatch(/never comes/);
    },
  );

  it.each([
    '0 0 29 2 *',
    '0 0 31 2-3 *',
    '0 0 31 2 MON',
    '0 0 L 2 *',
    '0 0 LW 2 *',
    '0 0 31,L 2 *',
    '0 0 * 2 MON#5',
  ])('but not one whose window opens seldom: %s', (cron) => {
    expect(readChart(statechart(`{cron: "${cron}", for: 1h}`))).toMatchObject({ ok: true, warnings: [] });
  });

  it.each([
    ['59s', /from 1m to 31d/],
    ['32d', /from 1m to 31d/],
    ['soon', /from 1m to 31d/],
    ['.inf', /from 1m to 31d/],
  ])('whose window is open for %s', (length, message) => {
    expect(messageOf(`{cron: 0 2 * * *, for: ${length}}`, '.for')).toMatch(message);
  });

  it('whose window has no cron, or is open for no time', () => {
    expect(messageOf('{for: 1h}', '.cron')).toMatch(/`cron` is missing: .*five fields/);
    expect(messageOf('{cron: 0 2 * * *}', '.for')).toMatch(/`for` is missing/);
  });

  it.each(['4h', '5h', '.inf', 'soon'])('whose window of four hours has a cutoff of %s', (cutoff) => {
    expect(messageOf(`{cron: 0 2 * * *, for: 4h, cutoff: ${cutoff}}`, '.cutoff')).toMatch(/shorter|duration/);
  });

  it.each([
    ['Berlin', 'Europe/Berlin'],
    ['new_york', 'America/New_York'],
    ['Europe/Berlni', 'Europe/Berlin'],
  ])('whose zone is %s; it is told of %s', (zone, meant) => {
    expect(messageOf(`{cron: 0 2 * * *, for: 4h, zone: ${zone}}`, '.zone')).toBe(
      `There is no time zone "${zone}" in the IANA database. Did you mean "${meant}"?`,
    );
  });

  it.each(['+01:00', '""', 'CEST'])('whose zone is %s, which is none of the database', (zone) => {
    expect(messageOf(`{cron: 0 2 * * *, for: 4h, zone: "${zone.replaceAll('"', '')}"}`, '.zone')).toMatch(
      /There is no time zone/,
    );
  });

  it.each(['0 2 * * *', '[]', 'true', '[0 2 * * *]'])('whose window is no window: %s', (window) => {
    expect(errorsOf(statechart(window))).toMatchObject([{ message: expect.stringMatching(/window/) }]);
  });

  it('that has a window on a final state or on a history state', () => {
    const text =
      'initial: a\nstates:\n  a: {initial: x, states: {x: {}, h: {type: history, W}}, on: {go: z}}\n  z: {type: final, W}\n';
    const issues = errorsOf(text.replaceAll('W', 'window: {cron: 0 2 * * *, for: 1h}'));
    expect(issues.map(({ message }) => message)).toEqual([
      'A history state has no `window`.',
      'A final state has no `window`.',
    ]);
  });

  it('in which more than eight windows hold for a state', () => {
    const windows = (count: number) => JSON.stringify(Array(count).fill({ cron: '0 2 * * *', for: '1h' }));
    const nested = (outer: number, inner: number) =>
      `initial: a\nwindow: ${windows(outer)}\nstates:\n  a: {window: ${windows(inner)}}\n  b: {}\n`;
    expect(readChart(nested(4, 4)).ok).toBe(true);
    expect(messageAt(errorsOf(nested(5, 4)), 'states.a.window')).toMatch(/^9 windows hold here.*at most 8/);
    expect(errorsOf(statechart(windows(9)))).toMatchObject([
      { message: expect.stringContaining('or a list of 1 to 8') },
    ]);
  });

  it('that has more than 32 windows', () => {
    const chart = (count: number) => {
      const states = Array.from({ length: count }, (_, i) => `  s${i}: {window: {cron: 0 2 * * *, for: 1h}}`);
      return `initial: s0\nstates:\n${states.join('\n')}\n`;
    };
    expect(readChart(chart(CHART_WINDOWS)).ok).toBe(true);
    expect(errorsOf(chart(CHART_WINDOWS + 5)).map(({ message }) => message)).toEqual([
      'A chart has at most 32 windows.',
    ]);
  });
});

it('warns of a window that opens anew in each minute of an hour', () => {
  expect(warningsOf(statechart('{cron: "* 2 * * *", for: 4h}')).map(({ message }) => message)).toEqual([
    '"* 2 * * *" opens anew in each minute of an hour; write the minute, such as "0 2 * * *".',
  ]);
  expect(warningsOf(statechart('{cron: "0 * * * *", for: 10m}'))).toEqual([]);
});

it('warns of windows that are never open at the same time as those around them', () => {
  const nested = (inner: string) =>
    `initial: a\nwindow: {cron: 0 8 * * 1-5, for: 9h}\nstates:\n  a: {window: ${inner}, on: {go: b}}\n  b: {}\n`;
  expect(warningsOf(nested('{cron: 0 8 * * SUN, for: 1d}'))).toMatchObject([
    { line: 4, path: 'states.a.window', message: expect.stringContaining('not open at the same time') },
  ]);
  for (const inner of [
    '{cron: 0 7 * * *, for: 2h}',
    '{cron: 0 0 29 2 *, for: 1d}',
    '{cron: 0 16 L * *, for: 2h}',
  ])
    expect(warningsOf(nested(inner))).toEqual([]);
});

it('warns that a window of the end of a sequence is not used', () => {
  const text = sequence('{cron: 0 2 * * *, for: 1h}').replace('{name: b}', '{name: b, window: 5}');
  expect(warningsOf(text).map(({ path }) => path)).toContain('states[1].window');
});

it('knows a zone by one name, however it is written', () => {
  const zoneOf = (zone: string) =>
    windowsOf(statechart(`{cron: 0 2 * * *, for: 4h, zone: ${zone}}`))?.[0]?.zone;
  expect(zoneOf('europe/BERLIN')).toBe('Europe/Berlin');
  expect(zoneOf('Asia/Kathmandu')).toBe(zoneOf('Asia/Katmandu'));
});

it('keeps a sequence’s window where its present values are written into its text', () => {
  const text = sequence('{cron: 0 2 * * *, for: 1h} # at night').replace('value: 1}}', 'value: 2}}');
  const walk = begin(openText(text));
  reportAll(walk, ['a']);
  expect(writeChart(walk.chart, walk.snapshot, leftOf(walk), text)).toBe(
    text.replace('{key: n, value: 0}', '{key: n, value: 1}'),
  );
});
