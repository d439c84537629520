/** Layouts: each has all states and arrows, and no state covers another. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readChart } from '../../src/chart/chart.ts';
import { ARROWS_DRAWN } from '../../src/limits.ts';
import { atOnce } from '../../src/sliced.ts';
import { graphOf } from '../../src/view/graph.ts';
import { type Layout, layOut } from '../../src/view/layout.ts';
import { drawSvg } from '../../src/view/svg.ts';
import { inputsOf, timeOf } from '../fuzz.ts';
import { charts } from '../objects/random-charts.ts';
import { LARGE_CHARTS } from './large-charts.ts';
import { NO_OVERLAY } from './no-overlay.ts';

function layoutOf(text: string): Layout {
  const reading = readChart(text);
  if (!reading.ok) throw new Error(reading.errors.map(({ message }) => message).join('\n'));
  const { model } = reading.chart;
  return atOnce(layOut(atOnce(graphOf(model))));
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** @returns the faults of a layout: states that overlap without nesting, and states outside the drawing. */
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
      if (!Number.isFinite(x) || !Number.isFinite(y)) faults.push('an arrow without an end');
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
    // Outer states first: a later one is drawn over an earlier one.
    expect(boxes.map(({ node }) => node.label)).toEqual(['a', 'b', 'c', 'e', 'd', 'h']);
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

  it(
    'lets no state cover another, for every chart',
    () => {
      fc.assert(
        fc.property(charts, (text) => {
          // Some of the charts loop for ever, and are refused.
          fc.pre(readChart(text).ok);
          expect(faultsOf(layoutOf(text))).toEqual([]);
        }),
        { numRuns: inputsOf(200) },
      );
    },
    timeOf(120_000),
  );
});

describe('a large chart', () => {
  it.each(LARGE_CHARTS)('has all states and arrows, and none covers another: %s', (_, text) => {
    const reading = readChart(text);
    if (!reading.ok) throw new Error('the chart is wrong');
    const { model } = reading.chart;
    const graph = atOnce(graphOf(model));
    const layout = atOnce(layOut(graph));
    expect(layout.boxes).toHaveLength(model.states.length - 1);
    expect(layout.lines).toHaveLength(graph.arrows.length);
    expect(layout.entries).toHaveLength(model.states.filter(({ initial }) => initial !== undefined).length);
    expect(faultsOf(layout)).toEqual([]);
  });

  it('draws at most ARROWS_DRAWN arrows, and says how many are left out', () => {
    const inside = Object.fromEntries(range(24).map((i) => [`a${i}`, {}]));
    const regions = Object.fromEntries(range(32).map((i) => [`r${i}`, { initial: 'a0', states: inside }]));
    const sources = range(150).map((i) => {
      const target = range(32).map((region) => `all.r${region}.a${i % 24}`);
      return [`s${i}`, { on: { update: { target } } }];
    });
    const states = { ...Object.fromEntries(sources), all: { type: 'parallel', states: regions } };
    const layout = layoutOf(JSON.stringify({ initial: 's0', states }));
    expect([layout.lines.length, layout.omitted]).toEqual([ARROWS_DRAWN, 150 * 32 - ARROWS_DRAWN]);
    const svg = atOnce(drawSvg(layout, NO_OVERLAY, { title: 'all', description: 'all' }));
    expect(svg).toContain('>800 more arrows are not drawn</text>');
  });
});
