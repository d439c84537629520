/** Draws machines at the edge. A layout is computed once per chart and cached; the current states are drawn per request. */
import { type Definition, modelOf } from '../chart/chart.ts';
import type { Model } from '../chart/model.ts';
import { LAYOUTS_KEPT } from '../limits.ts';
import { LruCache } from '../lru-cache.ts';
import type { View } from '../objects/results.ts';
import { type Graph, graphOf } from '../view/graph.ts';
import { type Layout, layOut } from '../view/layout.ts';
import { drawMermaid } from '../view/mermaid.ts';
import { countKey, drawSvg, type Overlay } from '../view/svg.ts';
import type { RemoteMachine } from './remote-machine.ts';

/** Between two layouts, in ms: other requests run in it. */
const LAYOUT_REST = 2;

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

/**
 * Draws a machine.
 *
 * @param isInline whether the page around it has the style already.
 * @returns SVG; undefined where the machine's chart has been replaced since `view` was read.
 */
export async function pictureOf(
  machine: RemoteMachine,
  view: View,
  isInline = false,
): Promise<string | undefined> {
  const found = await layoutOf(machine, view.hash);
  if (found === undefined) return undefined;
  const description = describe(view, found.model);
  return drawSvg(found.layout, overlayOf(view), { title: machine.name, description, isInline });
}

/** Draws a machine as Mermaid's text; undefined as in `pictureOf`. */
export async function mermaidOf(machine: RemoteMachine, view: View): Promise<string | undefined> {
  const found = await layoutOf(machine, view.hash);
  return found && drawMermaid(found.model, found.graph, overlayOf(view));
}

async function layoutOf(machine: RemoteMachine, hash: string): Promise<ChartLayout | undefined> {
  const known = layouts.get(hash);
  if (known !== undefined) return known;
  const answer = await machine.read({ type: 'definition', hash });
  if (!answer.ok) return undefined;
  // Each request waits on a timer of its own: workerd cancels a request that awaits only another request's promise.
  while (!mayLayOut(performance.now())) await scheduler.wait(LAYOUT_REST);
  return layouts.get(hash) ?? layouts.set(hash, layOutChart(JSON.parse(answer.definition)));
}

/** Whether a layout was computed since the last `mayLayOut`, and when the next one may be: ms, by `performance.now`. */
let hasLaidOut = false;
let restUntil = 0;

/**
 * Whether a layout may be computed now. Other requests run in the pause between two layouts: a tenant's page asks for
 * many drawings at once. Workers' clock stands still while code runs, so the pause begins with the next call.
 */
function mayLayOut(now: number): boolean {
  if (hasLaidOut) restUntil = now + LAYOUT_REST;
  hasLaidOut = false;
  return now >= restUntil;
}

function layOutChart(definition: Definition): ChartLayout {
  const model = modelOf(definition);
  const graph = graphOf(model);
  const layout = layOut(model, graph);
  hasLaidOut = true;
  return { model, graph, layout };
}

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
