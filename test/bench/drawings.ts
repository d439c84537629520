/**
 * Measures the drawings of charts: `npm run bench:drawings`. The charts are those of `charts/` and twenty generated ones.
 * `--out FOLDER` writes the drawings.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readChart } from '../../src/chart/chart.ts';
import type { Sliced } from '../../src/sliced.ts';
import { CAPTION_SIZE } from '../../src/view/geometry.ts';
import { graphOf } from '../../src/view/graph.ts';
import { type Layout, layOut } from '../../src/view/layout.ts';
import { drawSvg, scaleOf } from '../../src/view/svg.ts';
import { faultsOf } from '../view/drawing-faults.ts';
import { type Generated, generatedCharts } from '../view/generated-charts.ts';
import { NO_OVERLAY } from '../view/no-overlay.ts';

/** A screen, px. */
const SCREEN = { width: 1280, height: 800 };

const FOLDER = [
  'default',
  ...['approval', 'canary', 'maintenance', 'night', 'patch', 'reboot', 'regions', 'release', 'rolling'].map(
    (name) => `acme/${name}`,
  ),
];
const { values } = parseArgs({ options: { out: { type: 'string' }, only: { type: 'string' } } });
const charts: Generated[] = [
  ...(await Promise.all(
    FOLDER.map(async (name) => ({ name, text: await readFile(join('charts', `${name}.yaml`), 'utf8') })),
  )),
  ...generatedCharts(),
].filter(({ name }) => values.only === undefined || name.includes(values.only));

console.log(
  '| chart | states | arrows | crossings | hits | boxes overlap | captions overlap | off | crossed | cut | size | captions, px | screens | ms | longest part, ms |',
);
console.log('| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |');
for (const { name, text } of charts) {
  const reading = readChart(text);
  if (!reading.ok) throw new Error(`${name}: ${reading.errors.map(({ message }) => message).join('\n')}`);
  const { model } = reading.chart;
  let layout: Layout | undefined;
  let svg = '';
  const work = function* () {
    layout = yield* layOut(yield* graphOf(model));
    svg = yield* drawSvg(layout, NO_OVERLAY, { title: name, description: name });
  };
  // The first drawing of a process compiles the code: it counts too, and is measured by the first chart.
  const times = [timesOf(work()), timesOf(work()), timesOf(work())].sort((a, b) => a.total - b.total);
  if (layout === undefined) throw new Error('there is no layout');
  if (values.out !== undefined) {
    await mkdir(values.out, { recursive: true });
    await writeFile(join(values.out, `${name.replaceAll(/\W+/g, '-')}.svg`), svg);
  }
  const { crossings, hits, boxOverlaps, captionOverlaps, captionsOff, captionsCrossed } = faultsOf(
    layout,
    svg,
  );
  const scale = scaleOf(layout);
  const [width, height] = [scale * layout.width, scale * layout.height];
  const screens = (width * height) / (SCREEN.width * SCREEN.height);
  const cut = layout.lines.filter(({ tag }) => tag !== undefined).length;
  const [least] = times;
  console.log(
    `| ${[
      name,
      model.states.length - 1,
      layout.lines.length,
      crossings,
      hits,
      boxOverlaps,
      captionOverlaps,
      captionsOff,
      captionsCrossed,
      cut,
      `${Math.round(width)} × ${Math.round(height)}`,
      (scale * CAPTION_SIZE).toFixed(1),
      screens.toFixed(1),
      least?.total.toFixed(0),
      least?.longest.toFixed(0),
    ].join(' | ')} |`,
  );
}

/** @returns the time of some work, and of its longest part between two places where others may run, ms. */
function timesOf(work: Sliced<void>): { readonly total: number; readonly longest: number } {
  const began = performance.now();
  let [at, longest] = [began, 0];
  for (;;) {
    const { done } = work.next();
    const now = performance.now();
    longest = Math.max(longest, now - at);
    at = now;
    if (done) return { total: now - began, longest };
  }
}
