/** Where states and arrows stand: nothing covers anything, and no chart takes long. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readChart } from '../../src/chart/index.ts';
import { CHART_STATES } from '../../src/chart/limits.ts';
import { graphOf } from '../../src/view/graph.ts';
import { type Layout, layOut } from '../../src/view/layout.ts';
import { counting, final, sequence } from '../charts.ts';
import { charts } from '../coordination/random-charts.ts';

function layoutOf(text: string): Layout {
  const reading = readChart(text);
  if (!reading.ok) throw new Error(reading.errors.map(({ message }) => message).join('\n'));
  const { model } = reading.chart;
  return layOut(model, graphOf(model));
}

/** What is wrong with a layout: states that cover each other though neither is in the other, and what is outside. */
function faultsOf({ boxes, lines, width, height }: Layout): string[] {
  const faults: string[] = [];
  for (const [i, a] of boxes.entries()) {
    if (a.x < 0 || a.y < 0 || a.x + a.width > width || a.y + a.height > height)
      faults.push(`${a.title} is outside`);
    for (const b of boxes.slice(i + 1)) {
      const apart =
        a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
      const inside =
        b.x >= a.x && b.y >= a.y && b.x + b.width <= a.x + a.width && b.y + b.height <= a.y + a.height;
      if (!apart && !inside) faults.push(`${a.title} covers ${b.title}`);
    }
  }
  for (const { points } of lines) {
    for (const { x, y } of points)
      if (!Number.isFinite(x) || !Number.isFinite(y)) faults.push('an arrow to nowhere');
  }
  return faults;
}

describe('a layout', () => {
  it('has each state once, and each arrow', () => {
    const { boxes, lines, dots } = layoutOf(`
initial: a
states:
  a: {on: {go: b, stay: a, up: c.d}}
  b: {always: [{target: a, guard: 'context.x'}], on: {note: {actions: {assign: {x: '1'}}}}}
  c: {initial: d, states: {d: {on: {out: '#e'}}, h: {type: history}}, on: {in: .d}}
  e: {id: e, type: final}
`);
    expect(boxes.map(({ node }) => node.label)).toEqual(['a', 'b', 'c', 'd', 'h', 'e']);
    expect(lines.map(({ arrow }) => [arrow.from, arrow.to]).sort()).toEqual(
      [
        [1, 1],
        [1, 2],
        [1, 4],
        [2, 1],
        [3, 4],
        [4, 6],
      ].sort(),
    );
    expect(dots.map(({ kind }) => kind).sort()).toEqual(['initial', 'initial', 'port']);
  });

  it('lets no state cover another, whatever the chart', () => {
    fc.assert(
      fc.property(charts, (text) => {
        // Some of them go round for ever.
        fc.pre(readChart(text).ok);
        expect(faultsOf(layoutOf(text))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a large chart', () => {
  const chain = (count: number) =>
    sequence(
      ...Array.from({ length: count - 1 }, (_, i) => counting(`s${i}`, `s${i + 1}`, 2)),
      final(`s${count - 1}`),
    );
  const tangle = (count: number, ways: number) =>
    JSON.stringify({
      initial: 's0',
      states: Object.fromEntries(
        Array.from({ length: count }, (_, i) => [
          `s${i}`,
          {
            on: Object.fromEntries(
              Array.from({ length: ways }, (_, j) => [`e${j}`, `s${(i * (7 + j) + 3 * j + 1) % count}`]),
            ),
          },
        ]),
      ),
    });

  it.each([
    ['200 states in a row', chain(200), 200],
    ['200 states that lead anywhere', tangle(200, 2), 200],
    ['as many states as there may be, in a row', chain(CHART_STATES), 1_000],
    ['as many states as there may be, that lead anywhere', tangle(CHART_STATES - 1, 3), 2_000],
  ])(
    'is laid out soon enough: %s',
    (_, text, most) => {
      const reading = readChart(text);
      if (!reading.ok) throw new Error('the chart is wrong');
      const { model } = reading.chart;
      let least = Number.POSITIVE_INFINITY;
      for (let i = 0; i < 8 && least > most; i++) {
        const began = performance.now();
        layOut(model, graphOf(model));
        least = Math.min(least, performance.now() - began);
      }
      expect(least).toBeLessThan(most);
    },
    60_000,
  );
});
