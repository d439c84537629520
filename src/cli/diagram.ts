/** `diagram`: draws a chart without a machine. */
import { writeFile } from 'node:fs/promises';
import type { Model } from '../chart/model.ts';
import { DRAWN_STATES, FOLDED_FROM } from '../limits.ts';
import { atOnce } from '../sliced.ts';
import { type Folding, foldingOf, frameNamed, layOutPart, noFrame } from '../view/folding.ts';
import { type Graph, graphOf } from '../view/graph.ts';
import { drawMermaid } from '../view/mermaid.ts';
import { drawSvg, NO_MACHINE } from '../view/svg.ts';
import { readChartFile } from './chart-files.ts';
import { readFlags } from './flags.ts';
import { DONE, type Result, reasonOf, refuse, shown } from './result.ts';

export const help = `usage: npx stateservice diagram CHART [--out FILE] [--format svg|mermaid] [--in STATE] [--idle open|folded]

Draws a chart, to stdout or to the file of --out. The format follows the file's extension: .svg, or .mmd for Mermaid.

As in the drawing of a page, the states inside others are left out of an SVG of more than ${FOLDED_FROM} states, and a note on stderr says so.
--idle open draws them, up to ${DRAWN_STATES} states, and --idle folded leaves them out of any chart. --in draws the inside of one state. Mermaid's
text always has all states.

examples:
  npx stateservice diagram charts/acme/canary.yaml --out canary.svg
  npx stateservice diagram charts/acme/canary.yaml --format mermaid
  npx stateservice diagram charts/acme/night.yaml --in rollout.fleet --out fleet.svg`;

const OPTIONS = {
  out: { type: 'string' },
  format: { type: 'string' },
  in: { type: 'string' },
  idle: { type: 'string' },
} as const;

export async function run(args: string[]): Promise<Result<void>> {
  const flags = readFlags(args, OPTIONS, true);
  if (!flags.ok) return flags;
  const { out, format = formatOf(out), in: inside, idle } = flags.value.values;
  const [file, ...more] = flags.value.positionals;
  if (file === undefined || more.length > 0) return refuse('diagram takes one chart', 'usage');
  if (format === undefined) {
    return refuse(
      `--out ${out} has neither extension, .svg or .mmd; add --format. Browsers, rsvg-convert and inkscape convert an SVG to PNG`,
      'usage',
    );
  }
  if (format !== 'svg' && format !== 'mermaid') return refuse('--format is svg or mermaid', 'usage');
  if (idle !== undefined && idle !== 'open' && idle !== 'folded')
    return refuse('--idle is open or folded', 'usage');
  if (format === 'mermaid' && (inside ?? idle) !== undefined)
    return refuse("--in and --idle are for an SVG; Mermaid's text always has all states", 'usage');
  const chart = await readChartFile(file);
  if (!chart.ok) return chart;
  const { model } = chart.value;
  const graph = atOnce(graphOf(model));
  const root = frameNamed(model, inside);
  if (root === undefined) return refuse(`--in: ${noFrame(inside ?? '')}`, 'usage');
  const text =
    format === 'mermaid'
      ? drawMermaid(model, graph, NO_MACHINE)
      : drawPart(shown(file), model, graph, foldingOf(model, root, NO_MACHINE.active, idle));
  if (out === undefined) {
    process.stdout.write(text);
    return DONE;
  }
  try {
    await writeFile(out, text);
    return DONE;
  } catch (error) {
    return refuse(`cannot write ${shown(out)}: ${reasonOf(error)}`);
  }
}

/** Draws a part of a chart as SVG, and notes on stderr what is left out. */
function drawPart(title: string, model: Model, graph: Graph, folding: Folding): string {
  const layout = atOnce(layOutPart(graph, folding));
  const states = model.states.length - 1;
  const left = layout.boxes.reduce((sum, { node }) => sum + (node.folded ?? 0), 0);
  if (left > 0)
    process.stderr.write(
      `${title}: ${left} of ${states} states are inside folded ones; --idle open draws more of them, --in STATE the inside of one\n`,
    );
  const description = `A state chart of ${states} states.`;
  return `${atOnce(drawSvg(layout, NO_MACHINE, { title, description }))}\n`;
}

/** @returns the format for a file's extension. */
function formatOf(out: string | undefined): string | undefined {
  if (out === undefined || out.endsWith('.svg')) return 'svg';
  return out.endsWith('.mmd') ? 'mermaid' : undefined;
}
