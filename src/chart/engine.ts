/**
 * The pure core: (chart, snapshot, event, now) -> (snapshot, effects).
 *
 * No clock, no randomness, no I/O: the caller passes `now`, in ms since the epoch, and gets back as data what has to be
 * stored. Snapshots are immutable.
 */
import { CHART_TIMERS } from '../chart-limits.ts';
import type { MachineSnapshot, Program } from './compile.ts';
import { BoundError, ExpressionError, TOO_LONG } from './evaluator.ts';
import { ROOT, type StateNumber } from './model.ts';
import { activeStates, awake, reviveMachine, storeMachine } from './persist.ts';
import { isDone, type Snapshot, type Timer, type Visit } from './snapshot.ts';
import { NO_TERMS, type Terms } from './terms.ts';
import { type Action, initialTransition, transition } from './transition.ts';
import type { EngineEvent } from './xstate-config.ts';
import { timedBy } from './xstate-names.ts';

/** The effects of one event, or of the start. */
export interface Step {
  readonly ok: true;
  readonly snapshot: Snapshot;
  /** States in the order in which they were left and entered; a reentered state is in both. */
  readonly left: readonly LeftState[];
  readonly entered: readonly StateNumber[];
  readonly timersSet: readonly Timer[];
  readonly timersCleared: readonly number[];
  /** Guards that counted as false because they could not be evaluated, each with its reason. */
  readonly failures: readonly string[];
}

/** A state that was left, and the number of the visit that ended. */
export interface LeftState {
  readonly state: StateNumber;
  readonly visit: number;
}

/** The reason why an event changed nothing. */
export interface NoStep {
  readonly ok: false;
  /** No transition takes it, an action's expression fails, or its effects would cross a bound of running charts. */
  readonly reason: 'not-taken' | 'expression-failed' | 'over-bound';
  readonly detail: string;
  readonly failures: readonly string[];
}

/**
 * Enters the initial state. It does not fire timers that are due at `now`: see `nextDue`.
 *
 * @param terms of the run.
 * @param after the previous run: its numbers of visits and timers are not used again.
 */
export function start(
  program: Program,
  now: number,
  terms: Terms = NO_TERMS,
  after: Pick<Snapshot, 'visits' | 'timersSet'> = { visits: 0, timersSet: 0 },
): Step | NoStep {
  return bounded(program, terms, () => {
    const [machine, actions] = initialTransition(program);
    const { visits, timersSet } = after;
    const before: Snapshot = { machine, active: new Map(), visits, timers: new Map(), timersSet, terms };
    return advance(program, before, machine, actions, now);
  });
}

/** Sends one event. */
export function send(program: Program, snapshot: Snapshot, event: EngineEvent, now: number): Step | NoStep {
  return sendAfter(program, snapshot, event, now);
}

/** @param fired the timer that has sent the event, and is gone. */
function sendAfter(
  program: Program,
  snapshot: Snapshot,
  event: EngineEvent,
  now: number,
  fired?: number,
): Step | NoStep {
  return bounded(program, snapshot.terms, () => {
    if (isDone(snapshot)) return NOT_TAKEN;
    const [machine, actions] = transition(program, awake(program.machine, snapshot.machine), event);
    const taken = actions.some(({ type, info }) => type === 'taken' && info.event === event);
    if (taken || event.address === undefined) return advance(program, snapshot, machine, actions, now, fired);
    return { ...NOT_TAKEN, failures: program.evaluator.failures };
  });
}

const NOT_TAKEN: NoStep = { ok: false, reason: 'not-taken', detail: 'no transition takes it', failures: [] };

/**
 * Fires a timer and removes it, whatever its event does.
 *
 * The event takes effect at the timer's own time, so that a late call has the same effects as a punctual one. (No event
 * can have come in between: due timers fire before any event.)
 *
 * @param now the timer's time, or a later one.
 */
export function fire(program: Program, snapshot: Snapshot, timer: Timer, now = timer.at): Step | NoStep {
  const step = sendAfter(program, snapshot, { type: timer.event }, now, timer.id);
  return step.ok ? { ...step, timersCleared: [timer.id, ...step.timersCleared] } : step;
}

/** Removes a timer whose event would cross a bound. */
export function dropTimer(snapshot: Snapshot, timer: Timer): Step {
  const idle = { left: [], entered: [], timersSet: [], failures: [] };
  return { ok: true, snapshot: withoutTimer(snapshot, timer), ...idle, timersCleared: [timer.id] };
}

/** Runs one step of a chart, within its bounds. A failed expression or a crossed bound is a result; any other error is a bug, and thrown. */
export function bounded(program: Program, terms: Terms, run: () => Step | NoStep): Step | NoStep {
  const { evaluator } = program;
  evaluator.begin(terms);
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

/** @returns the bound that was crossed. xstate wraps errors of guards, and ends a loop with an error of its own. */
function boundCrossed(error: unknown): string | undefined {
  if (error instanceof BoundError) return error.message;
  if (!(error instanceof Error)) return undefined;
  if (error.message.startsWith('Infinite loop detected'))
    return 'it sets off a loop of transitions without end';
  return error.message.startsWith('Unable to evaluate guard') ? TOO_LONG : undefined;
}

/**
 * Applies the actions of one transition to the visits and timers, which xstate's snapshot does not have.
 *
 * @param fired a timer that is gone.
 */
export function advance(
  program: Program,
  before: Snapshot,
  after: MachineSnapshot,
  actions: readonly Action[],
  now: number,
  fired?: number,
): Step {
  // The same form as from storage, so that going on in memory and after a restart are the same by construction.
  // Without parallel regions there is only one order of states, and nothing to do.
  const machine = program.hasRegions ? reviveMachine(program.machine(), storeMachine(after)) : after;
  const configuration = activeStates(machine.value);
  const left: LeftState[] = [];
  const entered: StateNumber[] = [];
  const visits = new Map(before.active);
  const timers = new TimerChanges(before, fired);
  let count = before.visits;
  // The relative timers of a paused run stand still, also those that it sets meanwhile.
  const clock = before.terms.paused?.since ?? now;
  for (const action of actions) {
    if (action.type === 'entered') {
      const { state } = action.params;
      entered.push(state);
      visits.set(state, { number: ++count, since: now });
    } else if (action.type === 'left') {
      const { state } = action.params;
      // A machine that is done runs all exit actions, and stays in its final states.
      const stays = machine.status === 'done' && (state === ROOT || configuration.includes(state));
      if (!stays) left.push({ state, visit: visits.get(state)?.number ?? 0 });
    } else timers.take(action, clock);
  }
  if (machine.status === 'done') timers.clear();
  const active = new Map<StateNumber, Visit>();
  for (const state of configuration) active.set(state, visits.get(state) ?? { number: ++count, since: now });
  // xstate (5.33.3) can enter a state in a transition that leaves the state around it.
  timers.clearOf((state) => state !== ROOT && !active.has(state));
  return {
    ok: true,
    snapshot: {
      machine,
      active,
      visits: count,
      timers: timers.timers,
      timersSet: timers.count,
      terms: before.terms,
    },
    left,
    entered,
    timersSet: [...timers.set.values()],
    timersCleared: timers.cleared,
    failures: program.evaluator.failures,
  };
}

/** The changes that one transition makes to the timers. */
class TimerChanges {
  readonly timers: Map<number, Timer>;
  readonly set = new Map<number, Timer>();
  readonly cleared: number[] = [];
  count: number;

  constructor(before: Snapshot, fired?: number) {
    // One copy: a turn may fire a thousand of a thousand timers.
    this.timers = new Map(before.timers);
    if (fired !== undefined) this.timers.delete(fired);
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

  /** Clears all timers, at the end of the chart. */
  clear(): void {
    for (const id of this.timers.keys()) this.#delete(id);
  }

  /** Clears those of states that were set in this transition, and are not active after it. */
  clearOf(isGone: (state: StateNumber) => boolean): void {
    for (const { id, label } of this.set.values()) {
      const timed = timedBy(label);
      if (timed !== undefined && isGone(timed.state)) this.#delete(id);
    }
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
