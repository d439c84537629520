/** States that lead to each other by the clock alone. */
import { describe, expect, it } from 'vitest';
import { readChart } from '../../../src/chart/chart.ts';

const chart = (states: string, more = '') => `initial: a\n${more}states:\n${states}`;

describe('a ring of timers without delay and without a guard', () => {
  it.each([
    ['of one state', '  a: {after: {0: {target: a, reenter: true}}}\n', 'states.a.after'],
    ['of two states', '  a: {after: {0s: b}}\n  b: {after: {0: a}}\n', 'states.a.after'],
    [
      'behind other states',
      '  a: {on: {go: b}}\n  b: {after: {0: c}}\n  c: {after: {0ms: b}}\n',
      'states.b.after',
    ],
    [
      'of moments, which will have passed',
      "  a: {at: {'2040-01-01T00:00:00Z': b}}\n  b: {at: {'2041-01-01T00:00:00Z': a}}\n",
      'states.a.at',
    ],
  ])('is refused: %s', (_, states, path) => {
    const reading = readChart(chart(states));
    expect(reading).toMatchObject({ ok: false });
    expect(reading.ok ? [] : reading.errors).toMatchObject([
      { path, message: expect.stringContaining('without end') },
    ]);
  });

  it.each([
    ['with a guard', '  a: {after: {0: {target: b, guard: context.n < 3}}}\n  b: {after: {0: a}}\n'],
    ['with a delay', '  a: {after: {0: b}}\n  b: {after: {1s: a}}\n'],
    ['that is not entered anew', '  a: {after: {0: a}}\n'],
    ['that ends', '  a: {after: {0: b}}\n  b: {after: {0: c}}\n  c: {type: final}\n'],
    [
      'that a raised event may leave',
      '  a: {entry: {raise: x}, on: {x: c}, after: {0: b}}\n  b: {after: {0: a}}\n  c: {}\n',
    ],
  ])('is no ring %s', (_, states) => {
    expect(readChart(chart(states, 'context: {n: 0}\n'))).toMatchObject({ ok: true });
  });

  it('is none where the state around it is left first', () => {
    const states =
      '  a:\n    initial: x\n    after: {0: b}\n    states: {x: {after: {0: y}}, y: {after: {0: x}}}\n  b: {}\n';
    expect(readChart(chart(states))).toMatchObject({ ok: true });
  });
});
