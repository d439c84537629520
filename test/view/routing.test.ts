/** How arrows are drawn: around states, and with their captions. The charts are generated with fixed seeds. */
import { describe, expect, it } from 'vitest';
import { readChart } from '../../src/chart/chart.ts';
import { atOnce } from '../../src/sliced.ts';
import { CAPTION_SIZE } from '../../src/view/geometry.ts';
import { graphOf } from '../../src/view/graph.ts';
import { type Layout, layOut } from '../../src/view/layout.ts';
import { drawSvg, scaleOf } from '../../src/view/svg.ts';
import { faultsOf } from './drawing-faults.ts';
import { generatedCharts } from './generated-charts.ts';
import { NO_OVERLAY } from './no-overlay.ts';

function drawn(text: string): { readonly layout: Layout; readonly svg: string } {
  const reading = readChart(text);
  if (!reading.ok) throw new Error(reading.errors.map(({ message }) => message).join('\n'));
  const { model } = reading.chart;
  const layout = atOnce(layOut(atOnce(graphOf(model))));
  return { layout, svg: atOnce(drawSvg(layout, NO_OVERLAY, { title: 'a chart', description: 'generated' })) };
}

const ALL = generatedCharts();

/** The others take seconds to measure: `npm run bench:drawings` does. */
const CHARTS = ALL.filter(({ name }) => !/^1,000|^flat 200/.test(name));

describe('arrows', () => {
  it.each(CHARTS)('pass around states, and have their captions on them: $name', ({ text }) => {
    const { layout, svg } = drawn(text);
    const { crossings, ...faults } = faultsOf(layout, svg);
    expect(faults).toEqual({
      hits: 0,
      boxOverlaps: 0,
      captionOverlaps: 0,
      captionsOff: 0,
      captionsCrossed: 0,
    });
  });

  it.each([
    ['flat 60, a row', 5],
    ['flat 60, a tangle', 170],
    ['loops 60', 2],
    ['nested 60, deep', 6],
    ['nested 60, long phases', 6],
    ['parallel 60', 0],
    ['flat 200, a row with far ways', 180],
  ])('cross rarely: %s', (name, most) => {
    const { layout, svg } = drawn(ALL.find((chart) => chart.name === name)?.text ?? '');
    expect(layout.lines.filter(({ tag }) => tag !== undefined)).toEqual([]);
    expect(faultsOf(layout, svg).crossings).toBeLessThanOrEqual(most);
  });

  it('to one state merge, and those beyond a bound end at its name', () => {
    const states = Array.from({ length: 400 }, (_, i) => [
      `s${i}`,
      { on: Object.fromEntries([1, 2, 3].map((way) => [`e${way}`, `s${(i * 7 * way + 11 * way) % 400}`])) },
    ]);
    const text = JSON.stringify({ initial: 's0', states: Object.fromEntries(states) });
    const { layout } = drawn(text);
    const cut = layout.lines.filter(({ tag }) => tag !== undefined);
    expect(cut.length).toBeGreaterThan(0);
    const names = new Map(layout.boxes.map(({ node }) => [node.state, node.label]));
    expect(cut.every(({ arrow, tag }) => tag?.text === names.get(arrow.to))).toBe(true);
  });

  it('turn with corners of one radius, and a loop leads back to its state', () => {
    const { layout, svg } = drawn(
      'initial: a\nstates: {a: {on: {again: {target: a, reenter: true}, go: b}}, b: {}}',
    );
    const loop = layout.lines.find(({ arrow }) => arrow.from === arrow.to);
    const [box] = layout.boxes;
    const right = (box?.x ?? 0) + (box?.width ?? 0);
    expect(loop?.points.map(({ x }) => Math.round(x - right))).toEqual([0, 22, 22, 0]);
    expect(svg).toMatch(/<path class="arrow" d="M[\d.]+ [\d.]+L/);
  });
});

describe('a drawing', () => {
  it.each([
    ['acme-sized', 'initial: a\nstates: {a: {on: {go: b}}, b: {}}', 0.1, 11],
    ['parallel 200', undefined, 2.99, 9],
    ['flat 200, a pipeline', undefined, 2.99, 9],
    ['flat 200, a row', undefined, 4, 9],
    ['flat 200, a tree', undefined, 5.5, 9],
  ])('is small, with captions that are legible: %s', (wanted, text, screens, caption) => {
    const { layout, svg } = drawn(text ?? ALL.find(({ name }) => name === wanted)?.text ?? '');
    const [, width = Number.NaN, height = Number.NaN] = (/ width="(\d+)" height="(\d+)"/.exec(svg) ?? []).map(
      Number,
    );
    expect((width * height) / (1280 * 800)).toBeLessThan(screens);
    expect((CAPTION_SIZE * width) / layout.width).toBeGreaterThanOrEqual(caption);
    expect(scaleOf(layout)).toBeLessThanOrEqual(1);
  });
});
