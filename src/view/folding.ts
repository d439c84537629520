/** Draws large charts in parts: states inside some states are not drawn, or only those inside one. */
import { quoteShort } from '../chart/chart.ts';
import { type Model, ROOT, type StateNumber } from '../chart/model.ts';
import { DRAWN_STATES, FOLDED_FROM } from '../limits.ts';
import type { Sliced } from '../sliced.ts';
import type { Arrow, Caption, Graph, Node } from './graph.ts';
import { type Layout, layOut } from './layout.ts';

/** Captions of one arrow to or from a folded state; the others are counted. */
const CAPTIONS = 4;

export interface Folding {
  /** The state whose inside is drawn; the root for the whole chart. */
  readonly inside: StateNumber;
  /** The states inside which states are drawn. */
  readonly open: ReadonlySet<StateNumber>;
}

/** Which states are drawn: by default, idle ones with states inside are folded in a chart of more than `FOLDED_FROM` states. */
export type Idle = 'open' | 'folded' | undefined;

/**
 * Selects the states inside which states are drawn, outer ones first, up to `DRAWN_STATES`. The state that is asked for is
 * always one of them.
 */
export function foldingOf(
  model: Model,
  inside: StateNumber,
  active: ReadonlySet<StateNumber>,
  idle: Idle,
): Folding {
  const children = new Map<StateNumber, StateNumber[]>();
  for (const [state, { parent }] of model.states.entries()) {
    if (parent === undefined) continue;
    const list = children.get(parent);
    if (list === undefined) children.set(parent, [state]);
    else list.push(state);
  }
  const count = (model.states[inside]?.last ?? inside) - inside;
  const isFolded = idle === undefined ? count > FOLDED_FROM : idle === 'folded';
  const open = new Set([ROOT, inside]);
  let drawn = children.get(inside)?.length ?? 0;
  let level = children.get(inside) ?? [];
  while (level.length > 0) {
    const next: StateNumber[] = [];
    for (const state of level) {
      const own = children.get(state);
      if (own === undefined || (isFolded && !active.has(state)) || drawn + own.length > DRAWN_STATES)
        continue;
      open.add(state);
      drawn += own.length;
      next.push(...own);
    }
    level = next;
  }
  return { inside, open };
}

/** @returns the state with states inside it that has a name or a path; the root without a name. */
export function frameNamed(model: Model, wanted: string | undefined): StateNumber | undefined {
  if (wanted === undefined) return ROOT;
  const state = model.states.findIndex(
    ({ name, path, last }, i) => last > i && (name === wanted || path === wanted),
  );
  return state === -1 ? undefined : state;
}

/** Says that a chart has no such state as `frameNamed` looks for. */
export function noFrame(wanted: string): string {
  return `The chart has no state ${quoteShort(wanted)} with states inside it.`;
}

/** Lays out what of a chart is drawn. */
export function* layOutPart(graph: Graph, folding: Folding): Sliced<Layout> {
  return yield* layOut(yield* folded(graph, folding));
}

/** @returns the graph without what is in folded states: their arrows begin and end at the folded state. */
function* folded(graph: Graph, { inside, open }: Folding): Sliced<Graph> {
  const shown = new Map<StateNumber, StateNumber>();
  const root = inside === ROOT ? prune(graph.root, open, shown) : around(graph.root, inside, open, shown);
  yield 0.3 * shown.size;
  const arrows = new Map<string, { from: StateNumber; to: StateNumber; captions: Caption[]; more: number }>();
  for (const { from, to, captions } of graph.arrows) {
    yield 0.3;
    const [a, b] = [shown.get(from), shown.get(to)];
    // Outside of what is drawn, or inside of a folded state.
    if (a === undefined || b === undefined || (a === b && from !== to)) continue;
    if (a === b && a !== from) continue;
    const key = `${a}>${b}`;
    const arrow = arrows.get(key) ?? { from: a, to: b, captions: [], more: 0 };
    arrows.set(key, arrow);
    const isWhole = a === from && b === to;
    for (const caption of captions) {
      if (arrow.captions.some(({ text }) => text === caption.text) && !isWhole) continue;
      if (isWhole || arrow.captions.length < CAPTIONS) arrow.captions.push(caption);
      else arrow.more += 1;
    }
  }
  const all = [...arrows.values()].map(({ more, captions, ...arrow }): Arrow => {
    return { ...arrow, captions: more === 0 ? captions : [...captions, { text: `and ${more} more` }] };
  });
  return { root, arrows: all };
}

/** @returns a root that has one state, with its inside. */
function around(
  root: Node,
  inside: StateNumber,
  open: Folding['open'],
  shown: Map<StateNumber, StateNumber>,
): Node {
  let at = root;
  for (;;) {
    const next = at.children.find(({ state, last }) => state <= inside && inside <= last);
    if (next === undefined) break;
    at = next;
    if (at.state === inside) break;
  }
  const { initial, ...bare } = root;
  return { ...bare, notes: [], children: [prune(at, open, shown)] };
}

/** @param shown gets for each state the state that stands for it in the drawing. */
function prune(node: Node, open: Folding['open'], shown: Map<StateNumber, StateNumber>): Node {
  shown.set(node.state, node.state);
  if (node.children.length === 0) return node;
  if (open.has(node.state))
    return { ...node, children: node.children.map((child) => prune(child, open, shown)) };
  for (let state = node.state + 1; state <= node.last; state++) shown.set(state, node.state);
  const { initial, ...bare } = node;
  const count = node.last - node.state;
  const note = { text: `▸ ${count} ${count === 1 ? 'state' : 'states'}` };
  return { ...bare, children: [], notes: [...node.notes, note], folded: count };
}
