/** `slots` and `lease` in a chart: their syntax, and errors with their lines. */
import { describe, expect, it } from 'vitest';
import { readChart } from '../../src/chart/chart.ts';
import { counting, final, newAddress, newChart, sequence } from '../charts.ts';
import { chartOf } from '../service.ts';
import { claim, refusedOf, upload } from './callers.ts';

const inSequence = (keys: string) => `current_state: work
states:
  - name: work
    func: increment
    current: {key: n, value: 0}
    target: {name: rest, when: {key: n, value: 3}}
    ${keys}
  - name: rest
`;
const inStatechart = (keys: string) => `initial: work
states:
  work:
    on: {update: rest}
    ${keys}
  rest: {}
`;
const dialects = { sequence: inSequence, statechart: inStatechart };

describe.each(Object.entries(dialects))('in a %s', (dialect, chart) => {
  const line = dialect === 'sequence' ? 7 : 5;

  it.each([
    'slots: 1',
    'slots: 1000',
    'slots: 5\n    lease: 1s',
    'slots: 5\n    lease: 90000',
    'slots: 5\n    lease: 1h30m',
  ])('may be written as %s', (keys) => {
    expect(readChart(chart(keys))).toMatchObject({ ok: true, warnings: [] });
  });

  it.each(['0', '-1', '1.5', '1001', 'many', '[1]', 'null'])('may not have %s slots', (slots) => {
    expect(issues(chart(`slots: ${slots}`))).toEqual([
      { line, column: 12, message: expect.stringContaining('a whole number from 1 to 1000') },
    ]);
  });

  it.each(['0', '999ms', '999', 'soon', '-5m', '1y', '11y', '[1m]', 'true'])(
    'may not be leased for %s',
    (lease) => {
      expect(issues(chart(`slots: 1\n    lease: ${lease}`))).toEqual([
        { line: line + 1, column: 12, message: expect.stringContaining('a duration of at least 1s') },
      ]);
    },
  );

  it('gets an issue about a lease without slots', () => {
    const reading = readChart(chart('lease: 5m'));
    const told = [...(reading.ok ? [] : reading.errors), ...reading.warnings];
    expect(told).toMatchObject([{ line, message: expect.stringContaining('`slots`') }]);
  });
});

describe('a state that cannot have slots', () => {
  it.each([
    ['the end', 'initial: a\nstates:\n  a: {on: {update: b}}\n  b: {type: final, slots: 1}\n', 4],
    [
      'a history state',
      'initial: a\nstates:\n  a:\n    initial: b\n    states:\n      b: {}\n      h: {type: history, slots: 1}\n',
      7,
    ],
    ['the chart as a whole', 'initial: a\nslots: 1\nstates:\n  a: {}\n', 2],
  ])('is refused: %s', (_, text, line) => {
    expect(issues(text)).toMatchObject([{ line, message: expect.stringMatching(/has no `slots`/) }]);
  });

  it('in a sequence is only a warning', () => {
    const reading = readChart('current_state: a\nstates:\n  - name: a\n    slots: 1\n');
    expect(reading).toMatchObject({
      ok: true,
      warnings: [{ line: 4, message: expect.stringContaining('"slots"') }],
    });
  });
});

describe('a chart that is refused', () => {
  it('is refused over HTTP with line, column and path', async () => {
    const response = await upload(newAddress(), inSequence('slots: 0\n    lease: soon'));
    expect(response.status).toBe(422);
    expect((await refusedOf(response)).errors).toMatchObject([
      { severity: 'error', line: 7, column: 12, path: 'states[0].slots' },
      { severity: 'error', line: 8, column: 12, path: 'states[0].lease' },
    ]);
  });
});

describe('a sequence that is downloaded', () => {
  it.each([{ slots: 2 }, { slots: 2, lease: '20m' }, { slots: 2, lease: 90_000 }])(
    'has them as they were written: %o',
    async (keys) => {
      const text = sequence({ ...counting('work', 'rest', 3), ...keys }, final('rest'));
      const address = await newChart(text);
      await claim(address, 'work', 'a');
      const written = await chartOf(address);
      const reading = readChart(written);
      if (!reading.ok) throw new Error(written);
      expect(reading.chart.definition).toEqual(definitionOf(text));
    },
  );
});

function issues(text: string) {
  const reading = readChart(text);
  if (reading.ok) throw new Error('the chart was accepted');
  return reading.errors.map(({ line, column, message }) => ({ line, column, message }));
}

function definitionOf(text: string) {
  const reading = readChart(text);
  if (!reading.ok) throw new Error('the chart was refused');
  return reading.chart.definition;
}
