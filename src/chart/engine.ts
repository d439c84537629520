/**
 * The pure core: (chart, snapshot, event, now) -> (snapshot, effects).
 *
 * No clock, no randomness, no I/O: `now` comes in as milliseconds since the epoch, and what has to be stored
 * goes out as data. Snapshots are immutable; one that was handed out stays what it was.
 */
import { initialTransition, transition } from 'xstate';
import { countOf, type EngineEvent, type Machine, numberOf, quorumKey, type Signal } from './compile.ts';
import type { Model, StateModel, StateNumber } from './model.ts';

/** What the engine runs: the model, and the same compiled for xstate. */
export interface Program {
  readonly model: Model;
  readonly machine: Machine;
}

/** A running chart between two events. */
export interface Snapshot {
  readonly machine: ReturnType<Machine['getInitialSnapshot']>;
  /** The active states and their visits, in document order: outermost first. */
  readonly active: ReadonlyMap<StateNumber, Visit>;
  /** Visits begun so far, over all states; numbers the next one. */
  readonly visits: number;
  /** Timers that are set, by id. */
  readonly timers: ReadonlyMap<string, Timer>;
}

/** The time from entering a state to leaving it. */
export interface Visit {
  /** Counts all visits of a run, from 1. */
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** An event that the chart sends itself when its time has come. */
export interface Timer {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The event it sends. */
  readonly event: string;
}

/** What one event, or the start, has done. */
export interface Step {
  readonly snapshot: Snapshot;
  /** States in the order in which they were left and entered; one that was reentered is in both. */
  readonly left: readonly StateNumber[];
  readonly entered: readonly StateNumber[];
  readonly timersSet: readonly Timer[];
  readonly timersCleared: readonly string[];
}

/** Enters the initial state. Timers that are due at `now` already are not fired here: see `nextDue`. */
export function start(program: Program, now: number): Step {
  const [machine, actions] = initialTransition(program.machine);
  const before: Snapshot = { machine, active: new Map(), visits: 0, timers: new Map() };
  return advance(before, machine, signalsOf(actions), now);
}

/**
 * Sends one event.
 *
 * @returns the step, or undefined where no transition takes the event: nothing has changed then.
 */
export function send(
  program: Program,
  snapshot: Snapshot,
  event: EngineEvent,
  now: number,
): Step | undefined {
  const [machine, actions] = transition(program.machine, snapshot.machine, event);
  const taken = actions.some(({ type, info }) => type === 'taken' && info.event === event);
  return taken ? advance(snapshot, machine, signalsOf(actions), now) : undefined;
}

/**
 * Fires a timer that is set: it is gone afterwards, whatever its event did.
 *
 * `now` is the timer's own moment and not that of the call, so that a timer fired late leaves exactly what a
 * punctual one would have left. (Nothing can have come in between: due timers are fired before any event.)
 */
export function fire(program: Program, snapshot: Snapshot, timer: Timer): Step {
  const timers = new Map(snapshot.timers);
  timers.delete(timer.id);
  const without = { ...snapshot, timers };
  const step = send(program, without, { type: timer.event }, timer.at);
  return {
    ...(step ?? { snapshot: without, left: [], entered: [], timersSet: [] }),
    timersCleared: [timer.id, ...(step?.timersCleared ?? [])],
  };
}

/** @returns the timer to fire first among those due at `now`, the earliest set one among equals. */
export function nextDue({ timers }: Snapshot, now: number): Timer | undefined {
  const earliest = nextTimer(timers.values());
  return earliest !== undefined && earliest.at <= now ? earliest : undefined;
}

/** @returns the earliest of `timers`. */
export function nextTimer(timers: Iterable<Timer>): Timer | undefined {
  let earliest: Timer | undefined;
  for (const timer of timers) if (earliest === undefined || timer.at < earliest.at) earliest = timer;
  return earliest;
}

/** Whether the chart has come to its end: no event will ever change it again. */
export function isDone({ machine }: Snapshot): boolean {
  return machine.status === 'done';
}

/** Whether `state` is active. */
export function isActive({ active }: Snapshot, state: StateNumber): boolean {
  return active.has(state);
}

/** A transition that waits for more events than one. */
export interface QuorumProgress {
  readonly state: StateNumber;
  readonly event: string;
  readonly from: number;
  /** Where the count stands in this visit. */
  readonly have: number;
  readonly until: number;
}

/** @returns the quorums of the active states. */
export function quorums({ model }: Program, { machine, active }: Snapshot): QuorumProgress[] {
  return [...active.keys()].flatMap((state) =>
    (model.states[state]?.on ?? []).flatMap(({ event, transitions }) =>
      transitions.flatMap(({ quorum }, i) => {
        if (quorum === undefined) return [];
        const have = countOf(machine.context, quorumKey(state, event, i), quorum.from);
        return [{ state, event, ...quorum, have }];
      }),
    ),
  );
}

/** @returns the events that an active state or its ancestors name. */
export function eventsOf({ model }: Program, state: StateNumber): string[] {
  const events = new Set<string>();
  for (let at: StateModel | undefined = model.states[state]; at !== undefined; at = parentOf(model, at)) {
    for (const { event } of at.on ?? []) events.add(event);
  }
  return [...events];
}

function parentOf(model: Model, state: StateModel): StateModel | undefined {
  return state.parent === undefined ? undefined : model.states[state.parent];
}

function signalsOf(actions: readonly { readonly type: string; readonly params: unknown }[]): Signal[] {
  return actions as readonly Signal[] as Signal[];
}

/** Applies the signals of one transition to everything that is kept beside xstate's snapshot. */
function advance(
  before: Snapshot,
  machine: Snapshot['machine'],
  signals: readonly Signal[],
  now: number,
): Step {
  const left: StateNumber[] = [];
  const entered: StateNumber[] = [];
  const set = new Map<string, Timer>();
  const cleared: string[] = [];
  const timers = new Map(before.timers);
  const visits = new Map(before.active);
  const configuration = activeStates(machine.value);
  let count = before.visits;
  for (const { type, params } of signals) {
    if (type === 'entered') {
      entered.push(params.state);
      visits.set(params.state, { number: ++count, since: now });
    } else if (type === 'left') {
      // A machine that is done runs all exit actions and still stands in its final states.
      if (machine.status !== 'done' || !configuration.includes(params.state)) left.push(params.state);
    } else if (type === 'setTimer') {
      const timer = { id: params.id, at: params.at, event: params.id };
      timers.set(timer.id, timer);
      set.set(timer.id, timer);
    } else if (type === 'clearTimer' && timers.delete(params.id) && !set.delete(params.id)) {
      cleared.push(params.id);
    }
  }
  const active = new Map<StateNumber, Visit>();
  for (const state of configuration) active.set(state, visits.get(state) ?? { number: ++count, since: now });
  return {
    snapshot: { machine, active, visits: count, timers },
    left,
    entered,
    timersSet: [...set.values()],
    timersCleared: cleared,
  };
}

/** The states of an xstate value, the root left out, in document order. */
function activeStates(value: Snapshot['machine']['value']): StateNumber[] {
  const states: StateNumber[] = [];
  const walk = (part: Snapshot['machine']['value']) => {
    if (typeof part === 'string') states.push(numberOf(part));
    else {
      for (const [key, inner] of Object.entries(part)) {
        states.push(numberOf(key));
        if (inner) walk(inner);
      }
    }
  };
  walk(value);
  return states.sort((a, b) => a - b);
}
