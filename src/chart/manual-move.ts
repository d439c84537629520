/**
 * Override: moves a running chart by hand to any of its states.
 *
 * The move is a transition of the innermost active state around the target. So it leaves as little as it can: what is
 * active in that state, and nothing in the regions beside it. It needs an event that charts do not have. A machine of
 * its own takes the event, made for the one move: so charts neither run nor wake slower.
 */
import { cancel, raise } from 'xstate';
import { configOf, machineOf, type Program } from './compile.ts';
import { advance, bounded, type NoStep, type Step } from './engine.ts';
import { ancestorsOf, isWithin, type Model, ROOT, type StateNumber, withAncestors } from './model.ts';
import { reviveMachine, storeMachine } from './persist.ts';
import { isDone, type Snapshot, type StoredMachineSnapshot } from './snapshot.ts';
import { transition } from './transition.ts';
import { type Action, type StateConfig, signal, type TransitionConfig, targetIds } from './xstate-config.ts';
import { delayEvent, delayName, keyOf, momentEvent, numberOf, OVERRIDE_EVENT } from './xstate-names.ts';

/**
 * Moves a run to a state. Exits, entries, timers and visits are those of a transition.
 *
 * - A state that is active is left and entered again.
 * - An active region of a parallel state begins again, and the regions beside it stay. The root begins again, without
 *   being left.
 * - A history state leads to what it remembers.
 * - A run that is done goes on. Its end has run the exit actions and cleared the timers of all states: the exits do not
 *   run again, and the states around the target set their timers anew, except for moments that have passed.
 *
 * @param now ms since the epoch.
 */
export function override(program: Program, snapshot: Snapshot, to: StateNumber, now: number): Step | NoStep {
  return bounded(program, snapshot.terms, () => {
    const { model, evaluator } = program;
    const stored = storeMachine(snapshot.machine);
    const move = moveTo(model, snapshot, stored, to);
    const config = withMove(configOf(model, evaluator), model, move, isDone(snapshot) ? now : undefined);
    const machine = machineOf(config, model, evaluator);
    const history = { ...stored.history, ...memoriesOf(model, snapshot, move.again) };
    // xstate takes no event in a snapshot that is done.
    const before = Object.assign(reviveMachine(machine, { ...stored, history }), { status: 'active' });
    const event = { type: OVERRIDE_EVENT, own: 'override' };
    const [after, actions] = transition({ ...program, machine: () => machine }, before, event);
    return advance(program, snapshot, reviveMachine(program.machine(), storeMachine(after)), actions, now);
  });
}

/** The transitions that move a run: one, or one for each region that begins again. */
interface Move {
  /** The states that xstate leaves a part of, each with the targets in it; all are active. */
  readonly sources: ReadonlyMap<StateNumber, readonly StateNumber[]>;
  /** States that begin again while xstate leaves only what is active in them; in document order. */
  readonly again: readonly StateNumber[];
  /** The states whose initial child is a target as such, so that the actions of their `initial` run. */
  readonly begun: ReadonlySet<StateNumber>;
  /** The innermost active state that is not left. */
  readonly around: StateNumber;
}

function moveTo(model: Model, { active }: Snapshot, stored: StoredMachineSnapshot, to: StateNumber): Move {
  const { states } = model;
  const isActive = (state: StateNumber) => state === ROOT || active.has(state);
  const { type, parent = ROOT } = states[to] ?? {};
  const isBeside = to !== ROOT && states[parent]?.type === 'parallel' && isActive(parent);
  if (isBeside && type === 'history') {
    const memory = (stored.history?.[keyOf(to)] ?? []).map(numberOf);
    return moveRegions(model, regionsOf(states, parent), parent, memory);
  }
  if (isBeside) return moveRegions(model, [to], parent);
  if (to === ROOT && type === 'parallel') return moveRegions(model, regionsOf(states, ROOT), ROOT);
  const source = to === ROOT ? ROOT : (ancestorsOf(model, to).find(isActive) ?? ROOT);
  const targets = to === ROOT ? beginningOf(states, ROOT) : [to];
  return {
    sources: new Map([[source, targets]]),
    again: [],
    begun: new Set(to === ROOT ? [ROOT] : []),
    around: source,
  };
}

/**
 * Lets active regions of a parallel state begin again, and no region beside them. A transition of the parallel state would
 * leave all of its regions, and xstate (5.33.3) would enter the parallel state again without leaving it. So each region
 * has a transition of its own, whose actions are its exit and its entry.
 *
 * @param memory states to enter in the regions instead of the initial ones.
 */
function moveRegions(
  model: Model,
  regions: readonly StateNumber[],
  around: StateNumber,
  memory: readonly StateNumber[] = [],
): Move {
  const { states } = model;
  const again: StateNumber[] = [];
  const sources = new Map<StateNumber, readonly StateNumber[]>();
  const begun = new Set<StateNumber>();
  const add = (region: StateNumber) => {
    again.push(region);
    if (states[region]?.type === 'parallel') regionsOf(states, region).forEach(add);
    else {
      const remembered = memory.filter((state) => state !== region && isWithin(model, state, region));
      if (remembered.length === 0) begun.add(region);
      sources.set(region, remembered.length === 0 ? beginningOf(states, region) : remembered);
    }
  };
  regions.forEach(add);
  return { sources, again, begun, around };
}

function beginningOf(states: Model['states'], state: StateNumber): StateNumber[] {
  const { initial } = states[state] ?? {};
  return initial === undefined ? [] : [initial.target];
}

function regionsOf(states: Model['states'], parallel: StateNumber): StateNumber[] {
  return childrenOf(states, parallel).filter((child) => states[child]?.type !== 'history');
}

function childrenOf(states: Model['states'], state: StateNumber): StateNumber[] {
  return [...states.keys()].filter((child) => states[child]?.parent === state);
}

/**
 * Adds the move to a configuration.
 *
 * @param back the present moment, ms since the epoch, if the run was done.
 */
function withMove(root: StateConfig, model: Model, move: Move, back: number | undefined): StateConfig {
  const leaving: Action[] = [];
  const entering: Action[] = [];
  const [carrier] = move.sources.keys();
  const renewed =
    back === undefined
      ? []
      : withAncestors(model, move.around).flatMap((state) => timersOf(model, state, back));
  const again = new Set(move.again);
  const walk = (config: StateConfig): StateConfig => {
    const number = numberOf(config.id);
    const { entry = [], initial } = config;
    // The exits of a run that is done have run.
    const exit = (config.exit ?? []).slice(
      back === undefined ? 0 : (model.states[number]?.exit?.length ?? 0),
    );
    // As xstate orders them, which adds those of `after` at the end.
    if (again.has(number)) {
      leaving.unshift(...exit, ...delaysOf(model, number).map(([event]) => cancel(event)));
      entering.push(...entry, ...afterTimers(model, number));
    }
    if (move.begun.has(number)) entering.push(...(initial?.actions ?? []));
    const targets = move.sources.get(number);
    const states =
      config.states && Object.entries(config.states).map(([key, inner]) => [key, walk(inner)] as const);
    return {
      ...config,
      ...(config.exit === undefined ? {} : { exit }),
      ...(states === undefined ? {} : { states: Object.fromEntries(states) }),
      ...(targets === undefined ? {} : { on: { ...config.on, [OVERRIDE_EVENT]: [taking(number, targets)] } }),
    };
  };
  const taking = (source: StateNumber, targets: readonly StateNumber[]): TransitionConfig => ({
    ...(targets.length === 0 ? {} : { target: targetIds(targets) }),
    // The transitions are taken together, and their actions run between the exits and the entries.
    ...(source === carrier ? { actions } : {}),
  });
  const actions: Action[] = [];
  const moved = walk(root);
  actions.push(...renewed, ...leaving, ...entering);
  return moved;
}

/** @returns the actions that set the timers of a state, as its entry does, except for moments that have passed. */
function timersOf(model: Model, state: StateNumber, now: number): Action[] {
  const moments = (model.states[state]?.at ?? []).flatMap(({ at }, i) =>
    at > now ? [signal('setMoment', { id: momentEvent(state, i), at })] : [],
  );
  return [...moments, ...afterTimers(model, state)];
}

/** @returns the actions that xstate adds to the entry of a state with `after`. */
function afterTimers(model: Model, state: StateNumber): Action[] {
  return delaysOf(model, state).map(([type, delay]) => raise({ type }, { id: type, delay } as never));
}

/** @returns the delays of a state: the event of each, which is the label of its timer too, and ms or the name of an input. */
function delaysOf({ states }: Model, state: StateNumber): [event: string, delay: number | string][] {
  const delays = (states[state]?.after ?? []).map(({ delay }): [string, number | string] => [
    delayEvent(state, delay),
    typeof delay === 'number' ? delay : delayName(delay),
  ]);
  return [...new Map(delays)];
}

/** @returns what the history states in these states remember when the states are left, as xstate notes it. */
function memoriesOf(model: Model, { active }: Snapshot, left: readonly StateNumber[]) {
  const { states } = model;
  const noted = left.flatMap((parent) => {
    const inside = [...active.keys()].filter((state) => state !== parent && isWithin(model, state, parent));
    const shallow = inside.filter((state) => states[state]?.parent === parent);
    const deep = inside.filter((state) => states[state]?.last === state);
    return childrenOf(states, parent).flatMap((child) => {
      const { history } = states[child] ?? {};
      return history === undefined
        ? []
        : [[keyOf(child), (history.depth === 'deep' ? deep : shallow).map(keyOf)]];
    });
  });
  return Object.fromEntries(noted) as Record<string, readonly string[]>;
}
