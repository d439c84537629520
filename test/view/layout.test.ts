/** Layouts: no state covers another, and every chart is drawn in slices of bounded time. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readChart } from '../../src/chart/chart.ts';
import type { Model } from '../../src/chart/model.ts';
import { CHART_STATES } from '../../src/chart-limits.ts';
import { ARROWS_DRAWN } from '../../src/limits.ts';
import { atOnce, type Sliced } from '../../src/sliced.ts';
import { nextSlice, Task } from '../../src/slices.ts';
import { graphOf } from '../../src/view/graph.ts';
import { type Layout, layOut } from '../../src/view/layout.ts';
import { drawSvg } from '../../src/view/svg.ts';
import { counting, final, sequence } from '../charts.ts';
import { charts } from '../objects/random-charts.ts';
import { allowed, TIMED } from '../slowness.ts';

function layoutOf(text: string): Layout {
  const reading = readChart(text);
  if (!reading.ok) throw new Error(reading.errors.map(({ message }) => message).join('\n'));
  const { model } = reading.chart;
  return atOnce(layOut(atOnce(graphOf(model))));
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

const NO_OVERLAY = {
  active: new Set<number>(),
  visited: new Set<number>(),
  counts: new Map(),
  due: new Map(),
  now: 0,
};

/** The whole way from a model to SVG. */
function* drawing(model: Model): Sliced<string> {
  const graph = yield* graphOf(model);
  const layout = yield* layOut(graph);
  return yield* drawSvg(layout, NO_OVERLAY, { title: 'a chart', description: 'large' });
}

/** @returns the time of the longest slice of some work, ms. */
async function longestSlice(work: Sliced<unknown>): Promise<number> {
  const task = new Task(work);
  let longest = 0;
  for (;;) {
    await nextSlice();
    const began = performance.now();
    const done = task.advance();
    longest = Math.max(longest, performance.now() - began);
    if (done !== undefined) return longest;
  }
}

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

  it('lets no state cover another, for every chart', () => {
    fc.assert(
      fc.property(charts, (text) => {
        // Some of the charts loop for ever, and are refused.
        fc.pre(readChart(text).ok);
        expect(faultsOf(layoutOf(text))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  }, 120_000);
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

  const regions = (count: number, inside: string) =>
    JSON.stringify({
      type: 'parallel',
      states: Object.fromEntries(Array.from({ length: count }, (_, i) => [`r${i}`, JSON.parse(inside)])),
    });
  const side = (count: number) =>
    JSON.stringify({
      initial: 's0',
      states: Object.fromEntries(
        Array.from({ length: count }, (_, i) => [
          `s${i}`,
          i + 1 < count ? { on: { update: `s${i + 1}` } } : {},
        ]),
      ),
    });
  const CHARTS = [
    ['60 states with random targets', tangle(60, 10)],
    ['200 states in a row', chain(200)],
    ['200 states with random targets', tangle(200, 2)],
    ['the most states a chart may have, in a row', chain(CHART_STATES)],
    ['the most states a chart may have, with random targets', tangle(CHART_STATES - 1, 3)],
    ['the most arrows a drawing may have', tangle(200, 19)],
    ['16 regions of 60 states in a row', regions(16, side(60))],
    ['16 regions of 60 states with random targets', regions(16, tangle(60, 3))],
    ['32 regions of 8 states with random targets', regions(32, tangle(8, 4))],
  ] as const;

  it.each(CHARTS)(
    'is drawn in slices of less than 60 ms: %s',
    { ...TIMED, timeout: 180_000 },
    async (_, text) => {
      const reading = readChart(text);
      if (!reading.ok) throw new Error('the chart is wrong');
      const { model } = reading.chart;
      let least = Number.POSITIVE_INFINITY;
      for (let i = 0; i < 8 && least > 60; i++) least = Math.min(least, await longestSlice(drawing(model)));
      expect(least).toBeLessThan(allowed(least, 60));
    },
  );

  it('with thousands of captions at one arrow or in one state is drawn in many slices', TIMED, async () => {
    const events = range(4_000).map((i) => [`e${i}`, i % 2 === 0 ? 'b' : { actions: { raise: 'x' } }]);
    const text = JSON.stringify({ initial: 'a', states: { a: { on: Object.fromEntries(events) }, b: {} } });
    const reading = readChart(text);
    if (!reading.ok) throw new Error('the chart is wrong');
    for (const part of drawing(reading.chart.model)) expect(part).toBeLessThan(5_000);
    const least = Math.min(
      await longestSlice(drawing(reading.chart.model)),
      await longestSlice(drawing(reading.chart.model)),
    );
    expect(least).toBeLessThan(allowed(least, 60));
  });

  it.each(CHARTS)('has all states and arrows, and none covers another: %s', (_, text) => {
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
