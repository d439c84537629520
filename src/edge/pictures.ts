/** A machine's picture, at the edge: laid out once for each chart, and lit for each request. */
import { type Definition, modelOf } from '../chart/chart.ts';
import type { Model } from '../chart/model.ts';
import { LAYOUT_REST, LAYOUTS_KEPT } from '../limits.ts';
import type { Machine } from '../objects/machine.ts';
import type { View } from '../objects/results.ts';
import { type Graph, graphOf } from '../view/graph.ts';
import { type Layout, layOut } from '../view/layout.ts';
import { drawMermaid } from '../view/mermaid.ts';
import { countKey, drawSvg, type Present } from '../view/svg.ts';

/** What a chart looks like, wherever its machines stand. */
interface Plan {
  readonly model: Model;
  readonly graph: Graph;
  readonly layout: Layout;
}

/** The plans that were asked for last, by the hash of their chart. */
const plans = new Map<string, Plan>();

/**
 * The picture of a machine.
 *
 * @param name what the picture is called.
 * @param isInline whether it stands in a page that has its style.
 * @returns SVG; undefined where the machine has changed its chart meanwhile.
 */
export async function pictureOf(
  machine: DurableObjectStub<Machine>,
  view: View,
  name: string,
  isInline = false,
): Promise<string | undefined> {
  const plan = await planOf(machine, view.hash);
  if (plan === undefined) return undefined;
  const description = describe(view, plan.model);
  return drawSvg(plan.layout, presentOf(view), { title: name, description, isInline });
}

/** The same as Mermaid's text. */
export async function mermaidOf(
  machine: DurableObjectStub<Machine>,
  view: View,
): Promise<string | undefined> {
  const plan = await planOf(machine, view.hash);
  return plan && drawMermaid(plan.model, plan.graph, presentOf(view));
}

async function planOf(machine: DurableObjectStub<Machine>, hash: string): Promise<Plan | undefined> {
  const known = recall(hash);
  if (known !== undefined) return known;
  const text = await machine.definition(hash);
  if (text === undefined) return undefined;
  // Each waits with a timer of its own: workerd cancels a request that awaits only what another request does.
  while (!mayLayOut(performance.now())) await scheduler.wait(LAYOUT_REST);
  return recall(hash) ?? keep(hash, planFrom(JSON.parse(text)));
}

/** Whether a layout has been made since the last look, and until when no other is: ms, by `performance.now`. */
let hasLaidOut = false;
let restUntil = 0;

/**
 * Whether a chart may be laid out now. Between two layouts the isolate rests, so that other requests run: a tenant's
 * page asks for many drawings at once. Time stands still while code runs, so the rest begins with the next look.
 */
function mayLayOut(now: number): boolean {
  if (hasLaidOut) restUntil = now + LAYOUT_REST;
  hasLaidOut = false;
  return now >= restUntil;
}

function planFrom(definition: Definition): Plan {
  const model = modelOf(definition);
  const graph = graphOf(model);
  const plan = { model, graph, layout: layOut(model, graph) };
  hasLaidOut = true;
  return plan;
}

/** Finds a plan. The last to be asked for is the last to go. */
function recall(hash: string): Plan | undefined {
  const plan = plans.get(hash);
  if (plan === undefined) return undefined;
  plans.delete(hash);
  plans.set(hash, plan);
  return plan;
}

/** Keeps a plan, and drops the oldest where all of them together are too large. */
function keep(hash: string, plan: Plan): Plan {
  plans.set(hash, plan);
  size += sizeOf(plan);
  for (const [oldest, old] of plans) {
    if (size <= LAYOUTS_KEPT || oldest === hash) break;
    plans.delete(oldest);
    size -= sizeOf(old);
  }
  return plan;
}

/** States and arrows of all plans that are kept. */
let size = 0;

function sizeOf({ model, graph }: Plan): number {
  return model.states.length + graph.arrows.length;
}

function presentOf({ active, visited, counts, due }: View): Present {
  return {
    active: new Set(active),
    visited: new Set(visited),
    counts: new Map(counts.map((count) => [countKey(count), count.have])),
    due: new Map(due.map(({ event, at }) => [event, at])),
    now: Date.now(),
  };
}

/** For who does not see it. */
function describe({ active, revision }: View, model: Model): string {
  const names = active.map((state) => model.states[state]?.name ?? '').filter((name) => name !== '');
  return `A state chart of ${model.states.length - 1} states. Current: ${names.join(', ') || 'none'}. Revision ${revision}.`;
}
