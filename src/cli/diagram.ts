/** `diagram`: a chart drawn, before any machine runs by it. */
import { writeFile } from 'node:fs/promises';
import { graphOf } from '../view/graph.ts';
import { layOut } from '../view/layout.ts';
import { drawMermaid } from '../view/mermaid.ts';
import { drawSvg } from '../view/svg.ts';
import { readChartFile } from './chart-files.ts';
import { readFlags } from './flags.ts';
import { DONE, type Outcome, reasonOf, refuse, shown } from './outcome.ts';

export const help = `usage: npx stateservice diagram CHART [--out FILE] [--format svg|mermaid]

Draws a chart. Without --out it is printed. The format is that of the file's name: .svg, or .mmd for Mermaid.

examples:
  npx stateservice diagram charts/acme/canary.yaml --out canary.svg
  npx stateservice diagram charts/acme/canary.yaml --format mermaid`;

const OPTIONS = { out: { type: 'string' }, format: { type: 'string' } } as const;

export async function run(args: string[]): Promise<Outcome<void>> {
  const flags = readFlags(args, OPTIONS, true);
  if (!flags.ok) return flags;
  const { out, format = formatOf(out) } = flags.value.values;
  const [file, ...more] = flags.value.positionals;
  if (file === undefined || more.length > 0) return refuse('diagram takes one chart', 'usage');
  if (format === undefined) {
    return refuse(
      `--out ${out} names no format: .svg or .mmd, or say --format. Browsers, rsvg-convert and inkscape make a PNG of an SVG`,
      'usage',
    );
  }
  if (format !== 'svg' && format !== 'mermaid') return refuse('--format is svg or mermaid', 'usage');
  const chart = await readChartFile(file);
  if (!chart.ok) return chart;
  const { model } = chart.value;
  const graph = graphOf(model);
  const description = `A state chart of ${model.states.length - 1} states.`;
  const text =
    format === 'mermaid'
      ? drawMermaid(model, graph, NOWHERE)
      : `${drawSvg(layOut(model, graph), NOWHERE, { title: shown(file), description })}\n`;
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

/** The format that a file's name asks for. */
function formatOf(out: string | undefined): string | undefined {
  if (out === undefined || out.endsWith('.svg')) return 'svg';
  return out.endsWith('.mmd') ? 'mermaid' : undefined;
}

/** No machine is anywhere yet. */
const NOWHERE = {
  active: new Set<number>(),
  visited: new Set<number>(),
  counts: new Map<string, number>(),
  due: new Map<string, number>(),
  now: 0,
};
