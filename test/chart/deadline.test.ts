/** Deadlines: timers after which a chart can end only in failure. */
import { describe, expect, it } from 'vitest';
import { readChart } from '../../src/chart/chart.ts';
import { isLate, leadsToFailure } from '../../src/chart/deadline.ts';

function leads(text: string, ...names: string[]): boolean {
  const reading = readChart(text);
  if (!reading.ok) throw new Error('the chart is not valid');
  const { model } = reading.chart;
  return leadsToFailure(
    model,
    names.map((name) => model.states.findIndex((state) => state.name === name)),
  );
}

const CHART = `
initial: a
states:
  a: {on: {update: b, fail: back, ask: either}}
  b: {type: final}
  back: {on: {update: failed}}
  either: {on: {yes: b, no: failed}}
  round: {on: {update: round}}
  failed: {type: final, tags: [failed]}
`;

describe('a transition', () => {
  it('leads to failure if each end that it can still reach has failed', () => {
    expect(leads(CHART, 'failed')).toBe(true);
    expect(leads(CHART, 'back')).toBe(true);
  });

  it('does not, if another end can be reached, or none, or if it has no target', () => {
    for (const state of ['a', 'b', 'either', 'round'])
      expect([state, leads(CHART, state)]).toEqual([state, false]);
    expect(leads(CHART)).toBe(false);
    expect(leads(CHART, 'failed', 'b')).toBe(false);
  });

  it('does not, if only a part of the chart ends in failure', () => {
    const parts =
      'initial: a\nstates: {a: {initial: x, onDone: good, states: {x: {on: {fail: y}}, y: {type: final, tags: [failed]}}}, good: {type: final}}';
    expect(leads(parts, 'a.y')).toBe(false);
  });
});

it('a deadline is late in the last quarter of its time', () => {
  expect(isLate({ since: 0, at: 100 }, 74)).toBe(false);
  expect(isLate({ since: 0, at: 100 }, 75)).toBe(true);
  expect(isLate({ since: 0, at: 100 }, 200)).toBe(true);
});
