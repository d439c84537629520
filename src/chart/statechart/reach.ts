/** What can be told of a chart without running it: states that nothing leads to, and `always` loops. */
import type { Document } from '../document.ts';
import { type IssueList, quote } from '../issue.ts';
import { ancestorsOf, isWithin, type Model, ROOT, type StateNumber, type TransitionModel } from '../model.ts';
import { nameOfOutline, type OutlineTree } from './outline.ts';

/** Warns of states that are never entered, and refuses `always` transitions that surely run for ever. */
export function checkReach(model: Model, tree: OutlineTree, document: Document, issues: IssueList): void {
  const reached = reachableFrom(model, [ROOT]);
  for (const outline of tree.states) {
    // A history state is no place to be, and what lies inside an unreachable state is told with it.
    const { number, parent, type, path } = outline;
    if (reached.has(number) || type === 'history' || (parent !== undefined && !reached.has(parent.number)))
      continue;
    const message = `No way leads to ${quote(nameOfOutline(outline))}.`;
    issues.warn(document.locate(path, 'key'), path, message);
  }
  const loop = findLoop(model);
  const outline = loop === undefined ? undefined : tree.states[loop];
  if (outline !== undefined) {
    const path = [...outline.path, 'always'];
    const message = 'This runs for ever: nothing guards the `always` transitions that lead back here.';
    issues.error(document.locate(path), path, message);
  }
}

/**
 * The states that can be active once one of `from` is entered, as far as the chart's shape says: guards and
 * quorums are taken for open.
 */
function reachableFrom(model: Model, from: Iterable<StateNumber>): ReadonlySet<StateNumber> {
  const reached = new Set<StateNumber>();
  const waiting: StateNumber[] = [];
  const enter = (state: StateNumber) => {
    for (const at of [state, ...ancestorsOf(model, state)]) {
      if (reached.has(at)) continue;
      reached.add(at);
      waiting.push(at);
    }
  };
  for (const state of from) enter(state);
  for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
    for (const next of successors(model, state)) enter(next);
  }
  return reached;
}

/** States that an active `state` may bring about: its children on entry, and its transitions' targets. */
function successors(model: Model, state: StateNumber): StateNumber[] {
  const { initial, history, type } = model.states[state] ?? {};
  const regions = type === 'parallel' ? childrenOf(model, state) : [];
  const targets = transitionsOf(model, state).flatMap(({ targets = [] }) => targets);
  return [
    ...(initial === undefined ? [] : [initial.target]),
    ...(history?.targets ?? []),
    ...regions,
    ...targets,
  ];
}

function childrenOf({ states }: Model, parent: StateNumber): StateNumber[] {
  const children: StateNumber[] = [];
  const last = states[parent]?.last ?? parent;
  for (let child = parent + 1; child <= last; child = (states[child]?.last ?? child) + 1)
    children.push(child);
  return children;
}

/** Every transition that has `state` as its source. */
function transitionsOf({ states }: Model, state: StateNumber): TransitionModel[] {
  const { on = [], always = [], onDone = [], after = [], at = [] } = states[state] ?? {};
  return [...[...on, ...after, ...at].flatMap(({ transitions }) => transitions), ...always, ...onDone];
}

/** @returns a state whose unguarded `always` leads back to it by nothing but such transitions. */
function findLoop(model: Model): StateNumber | undefined {
  const done = new Set<StateNumber>();
  for (const start of model.states.keys()) {
    const trail = new Set<StateNumber>();
    for (let state: StateNumber | undefined = start; state !== undefined && !done.has(state); ) {
      if (trail.has(state)) return state;
      trail.add(state);
      state = certainNext(model, state);
    }
    for (const state of trail) done.add(state);
  }
  return undefined;
}

/** The state with an unguarded `always` that is surely active after that of `state` was taken. */
function certainNext(model: Model, state: StateNumber): StateNumber | undefined {
  const [first] = model.states[state]?.always ?? [];
  if (first === undefined || first.guard !== undefined) return undefined;
  const target = first.targets?.[0];
  // Without a target, or with one inside it, the state is active as before, and so is its transition.
  if (target === undefined || isWithin(model, target, state)) return state;
  return entered(model, target).find((at) => isCertain(model, at));
}

function isCertain(model: Model, state: StateNumber): boolean {
  const [first] = model.states[state]?.always ?? [];
  return first !== undefined && first.guard === undefined;
}

/** `state` and what is entered below it by default, the innermost first: inner transitions go before. */
function entered(model: Model, state: StateNumber): StateNumber[] {
  const { initial, type } = model.states[state] ?? {};
  const below =
    type === 'parallel' ? childrenOf(model, state) : initial === undefined ? [] : [initial.target];
  return [...below.flatMap((child) => entered(model, child)), state];
}
