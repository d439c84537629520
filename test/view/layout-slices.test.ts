/** Drawings of large charts: each is made in slices of bounded time. */
import { describe, expect, it } from 'vitest';
import { readChart } from '../../src/chart/chart.ts';
import type { Model } from '../../src/chart/model.ts';
import type { Sliced } from '../../src/sliced.ts';
import { nextSlice, Task } from '../../src/slices.ts';
import { graphOf } from '../../src/view/graph.ts';
import { layOut } from '../../src/view/layout.ts';
import { drawSvg } from '../../src/view/svg.ts';
import { allowed, TIMED } from '../slowness.ts';
import { LARGE_CHARTS } from './large-charts.ts';
import { NO_OVERLAY } from './no-overlay.ts';

describe('a large chart', () => {
  it.each(LARGE_CHARTS)(
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
    const events = Array.from({ length: 4_000 }, (_, i) => [
      `e${i}`,
      i % 2 === 0 ? 'b' : { actions: { raise: 'x' } },
    ]);
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
});

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
