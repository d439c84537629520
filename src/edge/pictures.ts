/** Draws machines at the edge. A layout is computed once per chart and cached; the current states are drawn per request. */
import type { Context } from 'hono';
import { modelOf } from '../chart/chart.ts';
import { type Model, ROOT } from '../chart/model.ts';
import { LAYOUTS_KEPT } from '../limits.ts';
import { LruCache } from '../lru-cache.ts';
import { deleted } from '../objects/refusals.ts';
import type { View } from '../objects/view-data.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { Sliced } from '../sliced.ts';
import { inSlices, nextSlice, SharedWork } from '../slices.ts';
import type { DrawingProps } from '../view/drawing-view.tsx';
import { type Folding, foldingOf, frameNamed, type Idle, layOutPart, noFrame } from '../view/folding.ts';
import { type Graph, graphOf } from '../view/graph.ts';
import type { Layout } from '../view/layout.ts';
import { drawMermaid } from '../view/mermaid.ts';
import { countKey, drawSvg, NO_MACHINE, type Overlay } from '../view/svg.ts';
import type { AppEnv } from './env.ts';
import { IDLE, IN } from './parameters.ts';
import type { RemoteMachine } from './remote-machine.ts';

/** The graph of a chart. */
interface ChartGraph {
  readonly model: Model;
  readonly graph: Graph;
}

/** The graphs, by the hash of the chart, and the layouts of what is drawn of them; each costs its states and arrows. */
const graphs = new SharedWork(
  new LruCache<string, ChartGraph>(
    LAYOUTS_KEPT,
    ({ model, graph }) => model.states.length + graph.arrows.length,
  ),
);
const layouts = new SharedWork(
  new LruCache<string, Layout>(LAYOUTS_KEPT, ({ boxes, lines }) => boxes.length + lines.length),
);

/** What of a chart is drawn. */
export interface Part {
  /** The name of a state, or its path. */
  readonly inside?: string | undefined;
  readonly idle?: Idle;
}

/** @returns what of a chart a request asks for. */
export function partOf(c: Context<AppEnv>): { readonly ok: true; readonly part: Part } | Refusal {
  const [inside, idle] = [IN.read(c), IDLE.read(c)];
  if (!inside.ok) return inside;
  return idle.ok ? { ok: true, part: { inside: inside.value, idle: idle.value } } : idle;
}

interface Picture {
  readonly ok: true;
  readonly drawing: DrawingProps;
  /** The names of the chart's states. */
  readonly states: readonly string[];
}

/**
 * Draws a machine.
 *
 * @param place in the page of the machine, states that are folded are links; in another page they are not.
 * @returns SVG; a refusal where the machine's chart has been replaced since `view` was read, or has no such state.
 */
export async function pictureOf(
  machine: RemoteMachine,
  view: View,
  { inside, idle }: Part,
  place: 'file' | 'page' | 'own page' = 'file',
): Promise<Picture | Refusal> {
  const found = await graphIn(machine, view.hash);
  if (found === undefined) return deleted();
  const { model, graph } = found;
  const root = frameNamed(model, inside);
  if (root === undefined) return refuse('wrong-parameter', noFrame(inside ?? ''));
  const overlay = overlayOf(view);
  const folding = foldingOf(model, root, overlay.active, idle);
  const layout = await layouts.result(keyOf(view.hash, folding), () => layOutPart(graph, folding));
  const options = { title: machine.name, description: describe(view, model) };
  const query = idle === undefined ? '?' : `?idle=${idle}&`;
  const inline = place === 'file' ? {} : { query: place === 'page' ? '' : query };
  const svg = await inSlices(drawSvg(layout, overlay, { ...options, ...inline }));
  const isFolded = layout.boxes.some(({ node }) => node.folded !== undefined);
  const hasFrames = model.states.some(({ parent, last }, state) => parent !== undefined && last > state);
  return {
    ok: true,
    drawing: { svg, idle, isFolded, hasFrames, inside: root === ROOT ? undefined : inside },
    states: model.states.flatMap(({ name }, state) => (state === 0 ? [] : [name])),
  };
}

/**
 * Draws a chart without a machine, for a page.
 *
 * @param definition the checked chart, as JSON.
 * @param hash of a chart that is stored: its layout is kept. That of a draft is not.
 */
export async function drawingOf(definition: string, title: string, hash?: string): Promise<string> {
  const begin = () => chartGraph(definition);
  const { model, graph } = await (hash === undefined ? inSlices(begin()) : graphs.result(hash, begin));
  const folding = foldingOf(model, ROOT, NO_MACHINE.active, 'open');
  const lay = () => layOutPart(graph, folding);
  const layout = await (hash === undefined ? inSlices(lay()) : layouts.result(keyOf(hash, folding), lay));
  const description = `A state chart of ${model.states.length - 1} states.`;
  return inSlices(drawSvg(layout, NO_MACHINE, { title, description, query: '' }));
}

/** @returns the key of the layout of a part of a chart. */
function keyOf(hash: string, { inside, open }: Folding): string {
  return `${hash} ${inside} ${[...open].join(',')}`;
}

/** Draws a machine as Mermaid's text; undefined where its chart has been replaced since `view` was read. */
export async function mermaidOf(machine: RemoteMachine, view: View): Promise<string | undefined> {
  const found = await graphIn(machine, view.hash);
  if (found === undefined) return undefined;
  await nextSlice();
  return drawMermaid(found.model, found.graph, overlayOf(view));
}

async function graphIn(machine: RemoteMachine, hash: string): Promise<ChartGraph | undefined> {
  const known = graphs.known(hash);
  if (known !== undefined) return known;
  const answer = await machine.read({ type: 'definition', hash });
  return answer.ok ? graphs.result(hash, () => chartGraph(answer.definition)) : undefined;
}

function* chartGraph(definition: string): Sliced<ChartGraph> {
  yield definition.length * UNITS_PER_CHARACTER;
  const model = modelOf(JSON.parse(definition));
  return { model, graph: yield* graphOf(model) };
}

/** The cost of parsing a definition: its 256 kB take 3 ms, and 8 ms in the first drawing of a process. */
const UNITS_PER_CHARACTER = 1 / 1_000;

function overlayOf({ active, visited, counts, due, inputs = {} }: View): Overlay {
  return {
    active: new Set(active),
    visited: new Set(visited),
    counts: new Map(counts.map((count) => [countKey(count), count])),
    due: new Map(due.map(({ event, at }) => [event, at])),
    inputs,
    now: Date.now(),
  };
}

/** @returns the picture's text alternative. */
function describe({ active, revision }: View, model: Model): string {
  const names = active.map((state) => model.states[state]?.name ?? '').filter((name) => name !== '');
  return `A state chart of ${model.states.length - 1} states. Current: ${names.join(', ') || 'none'}. Revision ${revision}.`;
}
