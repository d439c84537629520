/**
 * The pure core: (chart, snapshot, event, now) -> (snapshot, effects).
 *
 * No clock, no randomness, no I/O: `now` comes in as milliseconds since the epoch, and what has to be stored
 * goes out as data. Snapshots are immutable; one that was handed out stays what it was.
 */

import { CHART_TIMERS } from '../limits.ts';
import type { MachineSnapshot, Program } from './compile.ts';
import { BoundError, ExpressionError, TOO_LONG } from './evaluator.ts';
import { ROOT, type StateNumber } from './model.ts';
import { activeStates, awake, reviveMachine, storeMachine } from './persist.ts';
import { isDone, type Snapshot, type Timer, type Visit } from './snapshot.ts';
import { type Action, initialTransition, transition } from './transition.ts';
import type { EngineEvent } from './xstate-config.ts';

/** What one event, or the start, has done. */
export interface Step {
  readonly ok: true;
  readonly snapshot: Snapshot;
  /** States in the order in which they were left and entered; one that was reentered is in both. */
  readonly left: readonly LeftState[];
  readonly entered: readonly StateNumber[];
  readonly timersSet: readonly Timer[];
  readonly timersCleared: readonly number[];
  /** Guards that could not be evaluated and so were false, each with its reason. */
  readonly failures: readonly string[];
}

/** A state that was left, and the visit that has ended so. */
export interface LeftState {
  readonly state: StateNumber;
  readonly visit: number;
}

/** Why an event has changed nothing. */
export interface NoStep {
  readonly ok: false;
  /** No transition takes it, an action's expression fails, or what it would do crosses a bound of running charts. */
  readonly reason: 'not-taken' | 'expression-failed' | 'over-bound';
  readonly detail: string;
  readonly failures: readonly string[];
}

/**
 * Enters the initial state. Timers that are due at `now` already are not fired here: see `nextDue`.
 *
 * @param after the run before, whose numbers of visits and timers are not used again.
 */
export function start(
  program: Program,
  now: number,
  after: Pick<Snapshot, 'visits' | 'timersSet'> = { visits: 0, timersSet: 0 },
): Step | NoStep {
  return bounded(program, () => {
    const [machine, actions] = initialTransition(program);
    const { visits, timersSet } = after;
    const before: Snapshot = { machine, active: new Map(), visits, timers: new Map(), timersSet };
    return advance(program, before, machine, actions, now);
  });
}

/** Sends one event. */
export function send(program: Program, snapshot: Snapshot, event: EngineEvent, now: number): Step | NoStep {
  return bounded(program, () => {
    if (isDone(snapshot)) return NOT_TAKEN;
    const [machine, actions] = transition(program, awake(program.machine, snapshot.machine), event);
    const taken = actions.some(({ type, info }) => type === 'taken' && info.event === event);
    if (taken || event.address === undefined) return advance(program, snapshot, machine, actions, now);
    return { ...NOT_TAKEN, failures: program.evaluator.failures };
  });
}

const NOT_TAKEN: NoStep = { ok: false, reason: 'not-taken', detail: 'no transition takes it', failures: [] };

/**
 * Fires a timer that is set: it is gone afterwards, whatever its event did.
 *
 * Its time is the timer's own moment and not that of the call, so that a timer fired late leaves exactly what a
 * punctual one would have left. (Nothing can have come in between: due timers are fired before any event.)
 *
 * @param now the timer's moment, or a later one.
 */
export function fire(program: Program, snapshot: Snapshot, timer: Timer, now = timer.at): Step | NoStep {
  const without = withoutTimer(snapshot, timer);
  const step = send(program, without, { type: timer.event }, now);
  return step.ok ? { ...step, timersCleared: [timer.id, ...step.timersCleared] } : step;
}

/** Drops a timer whose event cannot be taken without crossing a bound. */
export function dropTimer(snapshot: Snapshot, timer: Timer): Step {
  const idle = { left: [], entered: [], timersSet: [], failures: [] };
  return { ok: true, snapshot: withoutTimer(snapshot, timer), ...idle, timersCleared: [timer.id] };
}

/** Runs one step; a failed expression or a crossed bound is an answer, anything else that is thrown is a bug. */
function bounded(program: Program, run: () => Step | NoStep): Step | NoStep {
  const { evaluator } = program;
  evaluator.begin();
  try {
    return run();
  } catch (error) {
    const { failures } = evaluator;
    if (error instanceof ExpressionError)
      return { ok: false, reason: 'expression-failed', detail: error.message, failures };
    const detail = boundCrossed(error);
    if (detail === undefined) throw error;
    return { ok: false, reason: 'over-bound', detail, failures };
  }
}

/** @returns which bound was crossed; xstate wraps what guards throw, and ends a loop with an error of its own. */
function boundCrossed(error: unknown): string | undefined {
  if (error instanceof BoundError) return error.message;
  if (!(error instanceof Error)) return undefined;
  if (error.message.startsWith('Infinite loop detected'))
    return 'it sets off a loop of transitions without end';
  return error.message.startsWith('Unable to evaluate guard') ? TOO_LONG : undefined;
}

/** Applies the actions of one transition to everything that is kept beside xstate's snapshot. */
function advance(
  program: Program,
  before: Snapshot,
  after: MachineSnapshot,
  actions: readonly Action[],
  now: number,
): Step {
  // As it comes back from storage: going on in memory and going on after a restart are the same by construction.
  // Where no two states can be active side by side, there is but one order anyway.
  const machine = program.hasRegions ? reviveMachine(program.machine(), storeMachine(after)) : after;
  const configuration = activeStates(machine.value);
  const left: LeftState[] = [];
  const entered: StateNumber[] = [];
  const visits = new Map(before.active);
  const timers = new TimerChanges(before);
  let count = before.visits;
  for (const action of actions) {
    if (action.type === 'entered') {
      const { state } = action.params;
      entered.push(state);
      visits.set(state, { number: ++count, since: now });
    } else if (action.type === 'left') {
      const { state } = action.params;
      // A machine that is done runs all exit actions and still stands in its final states.
      const stays = machine.status === 'done' && (state === ROOT || configuration.includes(state));
      if (!stays) left.push({ state, visit: visits.get(state)?.number ?? 0 });
    } else timers.take(action, now);
  }
  if (machine.status === 'done') timers.clear();
  const active = new Map<StateNumber, Visit>();
  for (const state of configuration) active.set(state, visits.get(state) ?? { number: ++count, since: now });
  return {
    ok: true,
    snapshot: { machine, active, visits: count, timers: timers.timers, timersSet: timers.count },
    left,
    entered,
    timersSet: [...timers.set.values()],
    timersCleared: timers.cleared,
    failures: program.evaluator.failures,
  };
}

/** What one transition does to the timers. */
class TimerChanges {
  readonly timers: Map<number, Timer>;
  readonly set = new Map<number, Timer>();
  readonly cleared: number[] = [];
  count: number;

  constructor(before: Snapshot) {
    this.timers = new Map(before.timers);
    this.count = before.timersSet;
  }

  take(action: Action, now: number): void {
    if (action.type === 'setMoment') this.#set(action.params.id, action.params.at, action.params.id);
    else if (action.type === 'xstate.cancel') this.#cancel(action.params.sendId);
    else if (action.type === 'xstate.raise' && action.params.delay !== undefined) {
      const { id = '', delay, event } = action.params;
      this.#set(id, now + delay, event.type);
    }
  }

  /** Nothing comes after the end. */
  clear(): void {
    for (const id of this.timers.keys()) this.#delete(id);
  }

  #set(label: string, at: number, event: string): void {
    if (this.timers.size >= CHART_TIMERS) throw new BoundError(`it sets more than ${CHART_TIMERS} timers`);
    const timer = { id: ++this.count, label, at, event };
    this.timers.set(timer.id, timer);
    this.set.set(timer.id, timer);
  }

  #cancel(label: string): void {
    for (const { id, label: other } of this.timers.values()) {
      if (other === label) this.#delete(id);
    }
  }

  #delete(id: number): void {
    this.timers.delete(id);
    if (!this.set.delete(id)) this.cleared.push(id);
  }
}

function withoutTimer(snapshot: Snapshot, { id }: Timer): Snapshot {
  const timers = new Map(snapshot.timers);
  timers.delete(id);
  return { ...snapshot, timers };
}
