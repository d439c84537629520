/** `diagram`: draws a chart without a machine. */
import { writeFile } from 'node:fs/promises';
import { atOnce } from '../sliced.ts';
import { graphOf } from '../view/graph.ts';
import { layOut } from '../view/layout.ts';
import { drawMermaid } from '../view/mermaid.ts';
import { drawSvg } from '../view/svg.ts';
import { readChartFile } from './chart-files.ts';
import { readFlags } from './flags.ts';
import { DONE, type Result, reasonOf, refuse, shown } from './result.ts';

export const help = `usage: npx stateservice diagram CHART [--out FILE] [--format svg|mermaid]

Draws a chart, to stdout or to the file of --out. The format follows the file's extension: .svg, or .mmd for Mermaid.

examples:
  npx stateservice diagram charts/acme/canary.yaml --out canary.svg
  npx stateservice diagram charts/acme/canary.yaml --format mermaid`;

const OPTIONS = { out: { type: 'string' }, format: { type: 'string' } } as const;

export async function run(args: string[]): Promise<Result<void>> {
  const flags = readFlags(args, OPTIONS, true);
  if (!flags.ok) return flags;
  const { out, format = formatOf(out) } = flags.value.values;
  const [file, ...more] = flags.value.positionals;
  if (file === undefined || more.length > 0) return refuse('diagram takes one chart', 'usage');
  if (format === undefined) {
    return refuse(
      `--out ${out} has neither extension, .svg or .mmd; add --format. Browsers, rsvg-convert and inkscape convert an SVG to PNG`,
      'usage',
    );
  }
  if (format !== 'svg' && format !== 'mermaid') return refuse('--format is svg or mermaid', 'usage');
  const chart = await readChartFile(file);
  if (!chart.ok) return chart;
  const { model } = chart.value;
  const graph = atOnce(graphOf(model));
  const description = `A state chart of ${model.states.length - 1} states.`;
  const text =
    format === 'mermaid'
      ? drawMermaid(model, graph, NO_OVERLAY)
      : `${atOnce(drawSvg(atOnce(layOut(graph)), NO_OVERLAY, { title: shown(file), description }))}\n`;
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

/** @returns the format for a file's extension. */
function formatOf(out: string | undefined): string | undefined {
  if (out === undefined || out.endsWith('.svg')) return 'svg';
  return out.endsWith('.mmd') ? 'mermaid' : undefined;
}

/** The overlay of a chart without a machine. */
const NO_OVERLAY = {
  active: new Set<number>(),
  visited: new Set<number>(),
  counts: new Map<string, never>(),
  due: new Map<string, number>(),
  now: 0,
};
