/** The states after which a chart has failed, or can end only in failure. */
import {
  ancestorsOf,
  childrenOf,
  FAILED_TAG,
  isWithin,
  type Model,
  ROOT,
  type StateNumber,
} from './model.ts';

/**
 * Whether a chart whose transition enters these states has failed by it, or can end only in failure: one of them is tagged
 * `failed` or enters such a state, or every end that can be reached then is tagged `failed`. Guards and quorums count as
 * true, and what is active beside the states may be anything.
 *
 * A chart that reaches no other end from its beginning may run for ever: there, states that can go round do not fail. A final
 * state inside another state is no end, since the chart goes on. If the root is parallel, each region has ends of its own,
 * and a failed one is enough.
 */
export function leadsToFailure(model: Model, targets: readonly StateNumber[]): boolean {
  let known = failures.get(model);
  if (known === undefined) {
    known = failingStates(model);
    failures.set(model, known);
  }
  return targets.some((target) => known.has(target));
}

/** Kept: each view of a machine asks. */
const failures = new WeakMap<Model, ReadonlySet<StateNumber>>();

/** Finds all of them at once, in time that is linear in the chart's size, times its bounded depth. */
function failingStates(model: Model): ReadonlySet<StateNumber> {
  const { states } = model;
  if (states.every(({ tags = [] }) => !tags.includes(FAILED_TAG))) return new Set();
  const scopes = scopesOf(model);
  const isEnd = (state: StateNumber) => {
    const { type, parent } = states[state] ?? {};
    return type === 'final' && parent !== undefined && scopes[state] === parent;
  };
  const failed = failedIn(model, isEnd);
  const { graph, isClosed } = graphOf(model, scopes, isEnd);
  const all = [...states.keys()];
  const ends = all
    .filter((state) => isEnd(state) && !failed.has(state))
    .map((state) => node('active', state));
  const good = graph.reaching(ends);
  const restless = all.filter((state) => !good.has(node('entered', scopes[state] ?? state)));
  if (restless.length > 0) {
    const endless = graph.endless();
    const nodes = restless.flatMap((state) => KINDS.map((kind) => node(kind, state)));
    for (const found of graph.reaching(nodes.filter((at) => endless.has(at)))) good.add(found);
  }
  const bad = graph.reaching([...failed].map((state) => node('active', state)));
  const fails = new Set(all.filter((state) => failed.has(state)));
  // From the end: what a state enters with itself has greater numbers.
  for (const state of all.toReversed()) {
    const { type, initial } = states[state] ?? {};
    const entered = initial === undefined ? [] : [initial.target];
    const certain = type === 'parallel' ? childrenOf(model, state) : entered;
    const mayBe = (found: ReadonlySet<number>) =>
      found.has(node('entered', state)) || found.has(node('around', state));
    if (certain.some((child) => fails.has(child)) || (isClosed && !mayBe(good) && mayBe(bad)))
      fails.add(state);
  }
  fails.delete(ROOT);
  return fails;
}

/** Returns the states that are tagged as failed, and all inside them. Final states inside others are left out: the chart goes on. */
function failedIn({ states }: Model, isEnd: (state: StateNumber) => boolean): ReadonlySet<StateNumber> {
  const failed = new Set<StateNumber>();
  for (const [state, { tags = [], type, parent }] of states.entries()) {
    const isTagged = tags.includes(FAILED_TAG) && (type !== 'final' || isEnd(state));
    if (state !== ROOT && (isTagged || failed.has(parent ?? ROOT))) failed.add(state);
  }
  return failed;
}

/**
 * Returns for each state the state whose final children are ends: the root, or the region of a parallel root that it is in.
 * Parallel states at the top are in none, and have themselves.
 */
function scopesOf({ states }: Model): readonly StateNumber[] {
  const scopes: StateNumber[] = [];
  for (const [state, { parent }] of states.entries()) {
    const isAtTop = parent !== undefined && states[parent]?.type === 'parallel' && scopes[parent] === parent;
    scopes.push(parent === undefined || isAtTop ? state : (scopes[parent] ?? state));
  }
  return scopes;
}

/**
 * What may be the case, each for one state: it is active, it is entered by default, what is around it is active, anything
 * inside it may be active, the same of the regions up to it and from it on, it is done.
 */
const KINDS = ['active', 'entered', 'around', 'inside', 'upTo', 'fromOn', 'done'] as const;
type Kind = (typeof KINDS)[number];

function node(kind: Kind, state: StateNumber): number {
  return state * KINDS.length + KINDS.indexOf(kind);
}

/** What may follow from what. */
class Graph {
  readonly #before: number[][];
  readonly #followers: number[];

  constructor(size: number) {
    this.#before = Array.from({ length: size }, () => []);
    this.#followers = Array.from({ length: size }, () => 0);
  }

  add(from: number, to: number): void {
    this.#before[to]?.push(from);
    this.#followers[from] = (this.#followers[from] ?? 0) + 1;
  }

  /** @returns the nodes from which one of `ends` can follow, with these. */
  reaching(ends: readonly number[]): Set<number> {
    const found = new Set(ends);
    for (const at of found) for (const before of this.#before[at] ?? []) found.add(before);
    return found;
  }

  /** @returns the nodes after which something can follow without end. */
  endless(): ReadonlySet<number> {
    const left = [...this.#followers];
    const endless = new Set(left.keys());
    const over = new Set([...left.keys()].filter((at) => left[at] === 0));
    for (const at of over) {
      endless.delete(at);
      for (const before of this.#before[at] ?? []) {
        left[before] = (left[before] ?? 0) - 1;
        if (left[before] === 0) over.add(before);
      }
    }
    return endless;
  }
}

/** @returns the graph of a chart. It is closed if no transition leads from one scope to another. */
function graphOf(model: Model, scopes: readonly StateNumber[], isEnd: (state: StateNumber) => boolean) {
  const { states } = model;
  const graph = new Graph(states.length * KINDS.length);
  let isClosed = true;
  /** Adds a target, and the states around it that do not contain the source, with the regions beside it. */
  const enter = (from: number, source: StateNumber, target: StateNumber) => {
    const isSame = scopes[source] === scopes[target];
    if (!isSame || (scopes[target] === target && states[target]?.type === 'parallel')) isClosed = false;
    graph.add(from, node('entered', target));
    for (const around of ancestorsOf(model, target)) {
      const isAround = isWithin(model, source, around);
      if (!isAround) graph.add(from, node('active', around));
      if (states[around]?.type === 'parallel') graph.add(from, node('entered', around));
      if (isAround) return;
    }
  };
  for (const [state, { type, parent, initial, history, on, after, at, always, onDone }] of states.entries()) {
    const active = node('active', state);
    const entered = node('entered', state);
    const children = childrenOf(model, state).filter((child) => states[child]?.type !== 'history');
    graph.add(entered, active);
    if (initial !== undefined) graph.add(entered, node('entered', initial.target));
    // An end is neither remembered nor beside something.
    if (!isEnd(state) || parent !== ROOT) graph.add(node('inside', state), active);
    for (const [i, child] of children.entries()) {
      graph.add(node('inside', state), node('inside', child));
      if (type !== 'parallel') continue;
      graph.add(entered, node('entered', child));
      const [previous, next] = [children[i - 1], children[i + 1]];
      graph.add(node('upTo', child), node('inside', child));
      graph.add(node('fromOn', child), node('inside', child));
      if (previous !== undefined) graph.add(node('upTo', child), node('upTo', previous));
      if (next !== undefined) graph.add(node('fromOn', child), node('fromOn', next));
      if (scopes[child] === child) continue;
      if (previous !== undefined) graph.add(node('around', child), node('upTo', previous));
      if (next !== undefined) graph.add(node('around', child), node('fromOn', next));
    }
    if (type === 'history') {
      graph.add(entered, node('inside', parent ?? ROOT));
      for (const target of history?.targets ?? []) enter(entered, parent ?? ROOT, target);
      if (history?.targets === undefined) graph.add(entered, node('entered', parent ?? ROOT));
    }
    // The chart stops at an end of its root: what is around it takes nothing any more.
    if (parent !== undefined && scopes[state] !== state && !(isEnd(state) && parent === ROOT)) {
      graph.add(node('around', state), node('around', parent));
      graph.add(node('around', state), node('active', parent));
      if (type === 'final') graph.add(active, node('done', parent));
      if (states[parent]?.type === 'parallel') graph.add(node('done', state), node('done', parent));
    }
    const timed = [...(on ?? []), ...(after ?? []), ...(at ?? [])].flatMap(({ transitions }) => transitions);
    for (const { targets = [] } of [...timed, ...(always ?? [])])
      for (const target of targets) enter(active, state, target);
    for (const { targets = [] } of onDone ?? [])
      for (const target of targets) enter(node('done', state), state, target);
  }
  return { graph, isClosed };
}
