/** A machine's picture, at the edge: laid out once for each chart, and lit for each request. */
import { type Definition, modelOf } from '../chart/index.ts';
import type { Model } from '../chart/model.ts';
import { LAYOUTS } from '../limits.ts';
import type { Machine } from '../machine.ts';
import type { View } from '../replies.ts';
import { type Graph, graphOf } from './graph.ts';
import { type Layout, layOut } from './layout.ts';
import { drawMermaid } from './mermaid.ts';
import { drawSvg, type Present } from './svg.ts';

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
  return plan && drawMermaid(plan.model, plan.graph, new Set(view.active));
}

async function planOf(machine: DurableObjectStub<Machine>, hash: string): Promise<Plan | undefined> {
  const known = plans.get(hash);
  if (known !== undefined) {
    // The last to be asked for is the last to go.
    plans.delete(hash);
    plans.set(hash, known);
    return known;
  }
  const text = await machine.definition(hash);
  if (text === undefined) return undefined;
  const definition: Definition = JSON.parse(text);
  const model = modelOf(definition);
  const graph = graphOf(model);
  const plan = { model, graph, layout: layOut(model, graph) };
  plans.set(hash, plan);
  const [oldest] = plans.keys();
  if (plans.size > LAYOUTS && oldest !== undefined) plans.delete(oldest);
  return plan;
}

function presentOf({ active, visited, counts, due }: View): Present {
  return {
    active: new Set(active),
    visited: new Set(visited),
    counts,
    due: new Map(due.map(({ event, at }) => [event, at])),
    now: Date.now(),
  };
}

/** For who does not see it. */
function describe({ active, revision }: View, model: Model): string {
  const names = active.map((state) => model.states[state]?.name ?? '').filter((name) => name !== '');
  return `A state chart of ${model.states.length - 1} states. Current: ${names.join(', ') || 'none'}. Revision ${revision}.`;
}
