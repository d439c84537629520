/** Static analysis of a chart: which states its transitions can reach, and which rings never end. */
import {
  type ActionModel,
  ancestorsOf,
  childrenOf,
  isWithin,
  type Model,
  ROOT,
  type StateNumber,
  type TransitionModel,
} from './model.ts';

/** Whether a transition of `state` for `event` (the `index`th of that event) can ever be taken. */
export type IsOpen = (
  state: StateNumber,
  event: string,
  transition: TransitionModel,
  index: number,
) => boolean;

/** @returns the states that can become active after a chart starts. Guards and quorums count as true. */
export function reachableFromStart(model: Model): ReadonlySet<StateNumber> {
  const search = new Search(model, () => true);
  search.enter(ROOT);
  return search.run();
}

/** @returns the states that are or can become active from those of `active`. */
export function reachableFrom(
  model: Model,
  active: Iterable<StateNumber>,
  isOpen: IsOpen,
): ReadonlySet<StateNumber> {
  const search = new Search(model, isOpen);
  for (const state of active) search.reach(state);
  return search.run();
}

/** Searches reachable states. It may find too many; a state that it does not find is unreachable. */
class Search {
  readonly #model: Model;
  readonly #isOpen: IsOpen;
  readonly #reached = new Set<StateNumber>();
  /** States that were entered, and not only active at first: their initial states are entered with them. */
  readonly #entered = new Set<StateNumber>();
  readonly #waiting: StateNumber[] = [];

  constructor(model: Model, isOpen: IsOpen) {
    this.#model = model;
    this.#isOpen = isOpen;
  }

  run(): ReadonlySet<StateNumber> {
    for (let state = this.#waiting.pop(); state !== undefined; state = this.#waiting.pop())
      this.#follow(state);
    return this.#reached;
  }

  /** Marks `state` as active, and queues its transitions. */
  reach(state: StateNumber): void {
    if (this.#reached.has(state)) return;
    this.#reached.add(state);
    this.#waiting.push(state);
  }

  /** Marks `state` as entered, with its initial states. */
  enter(state: StateNumber): void {
    this.reach(state);
    if (this.#entered.has(state)) return;
    this.#entered.add(state);
    const { initial, type, parent = ROOT, history } = this.#model.states[state] ?? {};
    if (initial !== undefined) this.enter(initial.target);
    if (type === 'parallel') for (const child of childrenOf(this.#model, state)) this.enter(child);
    if (type !== 'history') return;
    for (const target of history?.targets ?? []) this.#enterTarget(parent, target);
    // A history state can remember any state inside its parent.
    this.enter(parent);
    const last = this.#model.states[parent]?.last ?? parent;
    for (let inside = parent + 1; inside <= last; inside++) this.reach(inside);
  }

  #follow(state: StateNumber): void {
    const { on = [], always = [], onDone = [], after = [], at = [] } = this.#model.states[state] ?? {};
    const events = on.flatMap(({ event, transitions }) =>
      transitions.filter((transition, i) => this.#isOpen(state, event, transition, i)),
    );
    const timed = [...after, ...at].flatMap(({ transitions }) => transitions);
    for (const { targets = [] } of [...events, ...timed, ...always, ...onDone]) {
      for (const target of targets) this.#enterTarget(state, target);
    }
  }

  /** Enters a target, the states around it that do not contain the source, and by default the regions beside it. */
  #enterTarget(source: StateNumber, target: StateNumber): void {
    this.enter(target);
    for (const around of ancestorsOf(this.#model, target)) {
      const isParallel = this.#model.states[around]?.type === 'parallel';
      if (!isParallel && around !== target && isWithin(this.#model, source, around)) return;
      this.reach(around);
      if (isParallel) this.enter(around);
    }
  }
}

/**
 * @returns a history state that leads to itself while it has nothing to remember: by its target, or by a state that is
 *   entered with the target.
 */
export function findHistoryRing(model: Model): StateNumber | undefined {
  const done = new Set<StateNumber>();
  const open = new Set<StateNumber>();
  const visit = (state: StateNumber): StateNumber | undefined => {
    if (done.has(state)) return undefined;
    if (open.has(state)) return state;
    open.add(state);
    for (const next of enteredWith(model, state)) {
      const ring = visit(next);
      if (ring !== undefined) return ring;
    }
    open.delete(state);
    done.add(state);
    return undefined;
  };
  for (const [state, { type }] of model.states.entries()) {
    const ring = type === 'history' ? visit(state) : undefined;
    if (ring !== undefined) return state;
  }
  return undefined;
}

/** @returns the states that are entered by default with a state. */
function enteredWith(model: Model, state: StateNumber): readonly StateNumber[] {
  const { type, initial, history, parent = ROOT } = model.states[state] ?? {};
  if (type === 'history') return history?.targets ?? enteredWith(model, parent);
  if (type !== 'parallel') return initial === undefined ? [] : [initial.target];
  return childrenOf(model, state).filter((child) => model.states[child]?.type !== 'history');
}

/** @returns a state that unguarded `always` transitions alone lead back to. */
export function findLoop(model: Model): StateNumber | undefined {
  return findRing(model, certainNext);
}

/**
 * @returns a state that leads back to itself by unguarded timed transitions without delay: `after: 0`, and `at` once its
 *   times have passed.
 */
export function findClockRing(model: Model): StateNumber | undefined {
  return findRing(model, nextByClock);
}

/** @returns a state to which `next` leads back. Each state is visited once. */
function findRing(
  model: Model,
  next: (model: Model, state: StateNumber) => StateNumber | undefined,
): StateNumber | undefined {
  const done = new Set<StateNumber>();
  for (const start of model.states.keys()) {
    const trail = new Set<StateNumber>();
    for (let state: StateNumber | undefined = start; state !== undefined && !done.has(state); ) {
      if (trail.has(state)) return state;
      trail.add(state);
      state = next(model, state);
    }
    for (const state of trail) done.add(state);
  }
  return undefined;
}

/** @returns the state that is certain to follow `state` when a timer fires, if no state around it can act first. */
function nextByClock(model: Model, state: StateNumber): StateNumber | undefined {
  const [first] = atOnce(model, state);
  const { type, always, entry } = model.states[state] ?? {};
  if (first === undefined || first.guard !== undefined || type !== 'atomic') return undefined;
  if (always !== undefined || raises(entry) || raises(first.actions)) return undefined;
  const [target, ...others] = first.targets ?? [];
  // Without `reenter`, a state that leads to itself is not entered again, and sets no timer.
  if (target === undefined || others.length > 0 || (target === state && !first.reenter)) return undefined;
  const around = ancestorsOf(model, target);
  const isAlone = around.every(
    (at) => model.states[at]?.always === undefined && atOnce(model, at).length === 0,
  );
  return isAlone ? target : undefined;
}

/** @returns the transitions that a state's timers take without delay, in the order in which they fire. */
function atOnce(model: Model, state: StateNumber): readonly TransitionModel[] {
  const { after = [], at = [] } = model.states[state] ?? {};
  const now = after.filter(({ delay }) => delay === 0).flatMap(({ transitions }) => transitions);
  // A single `at` waits once; afterwards its time has always passed.
  const isOnly = after.length === 0 && at.length === 1;
  return [...now, ...(isOnly ? (at[0]?.transitions ?? []) : [])];
}

function raises(actions: readonly ActionModel[] = []): boolean {
  return actions.some((action) => 'raise' in action);
}

/** @returns the state with an unguarded `always` that is certain to be active after the `always` of `state`. */
function certainNext(model: Model, state: StateNumber): StateNumber | undefined {
  const [first] = model.states[state]?.always ?? [];
  if (first === undefined || first.guard !== undefined) return undefined;
  const target = first.targets?.[0];
  // Without a target, or with one inside the state, the state and its transition stay active.
  if (target === undefined || isWithin(model, target, state)) return state;
  return entered(model, target).find((at) => isCertain(model, at));
}

function isCertain(model: Model, state: StateNumber): boolean {
  const [first] = model.states[state]?.always ?? [];
  return first !== undefined && first.guard === undefined;
}

/** @returns `state` and the states below it that are entered by default, innermost first: inner transitions win. */
function entered(model: Model, state: StateNumber): StateNumber[] {
  const { initial, type } = model.states[state] ?? {};
  const below =
    type === 'parallel' ? childrenOf(model, state) : initial === undefined ? [] : [initial.target];
  return [...below.flatMap((child) => entered(model, child)), state];
}
