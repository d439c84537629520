/** Draws machines at the edge. A layout is computed once per chart and cached; the current states are drawn per request. */
import { modelOf } from '../chart/chart.ts';
import type { Model } from '../chart/model.ts';
import { LAYOUTS_KEPT } from '../limits.ts';
import { LruCache } from '../lru-cache.ts';
import type { View } from '../objects/view-data.ts';
import type { Sliced } from '../sliced.ts';
import { inSlices, nextSlice, SharedWork } from '../slices.ts';
import { type Graph, graphOf } from '../view/graph.ts';
import { type Layout, layOut } from '../view/layout.ts';
import { drawMermaid } from '../view/mermaid.ts';
import { countKey, drawSvg, type Overlay } from '../view/svg.ts';
import type { RemoteMachine } from './remote-machine.ts';

/** The layout of a chart, which all of its machines share. */
interface ChartLayout {
  readonly model: Model;
  readonly graph: Graph;
  readonly layout: Layout;
}

/** The layouts, by the hash of the chart; each costs its states and arrows. */
const layouts = new LruCache<string, ChartLayout>(
  LAYOUTS_KEPT,
  ({ model, graph }) => model.states.length + graph.arrows.length,
);
const work = new SharedWork(layouts);

/**
 * Draws a machine.
 *
 * @param isInline whether the page around it has the style already.
 * @returns SVG, and the names of the states; undefined where the machine's chart has been replaced since `view` was read.
 */
export async function pictureOf(
  machine: RemoteMachine,
  view: View,
  isInline = false,
): Promise<{ readonly svg: string; readonly states: readonly string[] } | undefined> {
  const found = await layoutOf(machine, view.hash);
  if (found === undefined) return undefined;
  const description = describe(view, found.model);
  const options = { title: machine.name, description, isInline };
  const svg = await inSlices(drawSvg(found.layout, overlayOf(view), options));
  return { svg, states: found.model.states.flatMap(({ name }, state) => (state === 0 ? [] : [name])) };
}

/**
 * Draws a chart without a machine, for a page.
 *
 * @param definition the checked chart, as JSON.
 * @param hash of a chart that is stored: its layout is kept. That of a draft is not.
 */
export async function drawingOf(definition: string, title: string, hash?: string): Promise<string> {
  const found =
    hash === undefined
      ? await inSlices(chartLayout(definition))
      : await work.result(hash, () => chartLayout(definition));
  const description = `A state chart of ${found.model.states.length - 1} states.`;
  return inSlices(drawSvg(found.layout, NO_MACHINE, { title, description, isInline: true }));
}

const NO_MACHINE: Overlay = {
  active: new Set(),
  visited: new Set(),
  counts: new Map(),
  due: new Map(),
  now: 0,
};

/** Draws a machine as Mermaid's text; undefined as in `pictureOf`. */
export async function mermaidOf(machine: RemoteMachine, view: View): Promise<string | undefined> {
  const found = await layoutOf(machine, view.hash);
  if (found === undefined) return undefined;
  await nextSlice();
  return drawMermaid(found.model, found.graph, overlayOf(view));
}

async function layoutOf(machine: RemoteMachine, hash: string): Promise<ChartLayout | undefined> {
  const known = layouts.get(hash);
  if (known !== undefined) return known;
  const answer = await machine.read({ type: 'definition', hash });
  return answer.ok ? work.result(hash, () => chartLayout(answer.definition)) : undefined;
}

function* chartLayout(definition: string): Sliced<ChartLayout> {
  yield definition.length * UNITS_PER_CHARACTER;
  const model = modelOf(JSON.parse(definition));
  const graph = yield* graphOf(model);
  const layout = yield* layOut(model, graph);
  return { model, graph, layout };
}

/** The cost of parsing a definition: its 256 kB take 3 ms, and 8 ms in the first drawing of a process. */
const UNITS_PER_CHARACTER = 1 / 1_000;

function overlayOf({ active, visited, counts, due }: View): Overlay {
  return {
    active: new Set(active),
    visited: new Set(visited),
    counts: new Map(counts.map((count) => [countKey(count), count])),
    due: new Map(due.map(({ event, at }) => [event, at])),
    now: Date.now(),
  };
}

/** @returns the picture's text alternative. */
function describe({ active, revision }: View, model: Model): string {
  const names = active.map((state) => model.states[state]?.name ?? '').filter((name) => name !== '');
  return `A state chart of ${model.states.length - 1} states. Current: ${names.join(', ') || 'none'}. Revision ${revision}.`;
}
