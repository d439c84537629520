import {
  type Chart,
  dropTimer,
  fire,
  type NoStep,
  nameOf,
  nextDue,
  type Snapshot,
  type StateNumber,
  type Step,
  send,
  start,
  storeSnapshot,
  type Timer,
} from './chart/index.ts';
import { TIMERS_PER_TURN } from './limits.ts';
import type { Refusal } from './refusal.ts';
import { activeNames, findCurrent, notTaken, overBounds, type RunningMachine } from './running.ts';
import type { Cause, Changes, HistoryEntry } from './store.ts';

/** A report: `event` is sent to `state`. */
export interface Update {
  readonly state: string;
  readonly event: string;
}

/** What a machine answers where it says yes: the state that was asked for, and its revision. */
export interface Yes {
  readonly ok: true;
  readonly state: string;
  readonly revision: number;
}

/**
 * One turn of a machine: commands applied in order to a copy of it, and what they changed gathered for one
 * commit. Pure: the machine that it began with stays as it was, so that a turn can be thrown away.
 */
export class Turn {
  #machine: RunningMachine;
  readonly #history: HistoryEntry[] = [];
  readonly #timersSet = new Map<number, Timer>();
  readonly #timersCleared = new Set<number>();
  readonly #left = new Map<StateNumber, number>();

  /** @param machine where it stands before. */
  constructor(machine: RunningMachine) {
    this.#machine = machine;
  }

  /**
   * The first turn of a machine that was not there before: enters the chart's initial state.
   *
   * @returns undefined where the chart cannot start, which it could when it was checked.
   */
  static begin(chart: Chart, source: RunningMachine['source'], now: number): Turn | undefined {
    const step = start(chart, now);
    if (!step.ok) return undefined;
    const snapshot = { ...step.snapshot, active: new Map() };
    const turn = new Turn({ revision: 0, entries: 0, changedAt: now, chart, source, snapshot });
    turn.#take(step, now, 'start', null);
    turn.fireDue(now);
    return turn;
  }

  /** Fires what is due, the earliest first, up to the bound of one turn. */
  fireDue(now: number): void {
    for (let fired = 0; fired < TIMERS_PER_TURN; fired++) {
      const { chart, snapshot, changedAt } = this.#machine;
      const timer = nextDue(snapshot, now);
      if (timer === undefined) return;
      // At the timer's own moment, but never before what has happened already.
      const at = Math.max(timer.at, changedAt);
      const step = fire(chart, snapshot, timer, at);
      if (step.ok) this.#take(step, at, 'timer', eventName(timer));
      else
        this.#take(dropTimer(snapshot, timer), at, 'refused', eventName(timer), [
          step.detail,
          ...step.failures,
        ]);
    }
  }

  /** Applies one update. A refusal changes nothing. */
  update({ state: name, event }: Update, now: number): Yes | Refusal {
    const found = findCurrent(this.#machine, name);
    if (!found.ok) return found;
    const { chart, snapshot } = this.#machine;
    const step = send(chart, snapshot, { type: event, address: found.state }, now);
    if (!step.ok) return this.#refuse(found.state, event, step, now);
    this.#take(step, now, 'update', event);
    // What it entered may be over already.
    this.fireDue(now);
    return { ok: true, state: nameOf(chart, found.state), revision: this.#machine.revision };
  }

  /** Where the machine stands now. */
  get machine(): RunningMachine {
    return this.#machine;
  }

  /** What is to be committed, or nothing. */
  get changes(): Changes | undefined {
    if (this.#history.length === 0) return undefined;
    const { revision, entries, changedAt, snapshot } = this.#machine;
    return {
      revision,
      entries,
      at: changedAt,
      snapshot: storeSnapshot(snapshot),
      timersSet: [...this.#timersSet.values()],
      timersCleared: [...this.#timersCleared],
      left: this.#left,
      history: this.#history,
    };
  }

  /** An update that was turned down; what went wrong in the chart itself is written down. */
  #refuse(state: StateNumber, event: string, { reason, detail, failures }: NoStep, now: number): Refusal {
    const machine = this.#machine;
    const overBound = reason === 'over-bound';
    if (overBound || failures.length > 0) {
      const { revision, snapshot } = machine;
      const notes = overBound ? [detail, ...failures] : failures;
      this.#record({ revision, at: now, cause: 'refused', event, notes }, snapshot, snapshot);
    }
    return overBound ? overBounds(machine, event, detail) : notTaken(machine, state, event);
  }

  #take(step: Step, at: number, cause: Cause, event: string | null, notes = step.failures): void {
    const before = this.#machine;
    const revision = before.revision + 1;
    this.#machine = { ...before, revision, changedAt: at, snapshot: step.snapshot };
    for (const id of step.timersCleared) if (!this.#timersSet.delete(id)) this.#timersCleared.add(id);
    for (const timer of step.timersSet) this.#timersSet.set(timer.id, timer);
    for (const state of step.left) this.#left.set(state, at);
    this.#record({ revision, at, cause, event, notes }, before.snapshot, step.snapshot);
  }

  #record(entry: Omit<HistoryEntry, 'id' | 'from' | 'to'>, before: Snapshot, after: Snapshot): void {
    const id = this.#machine.entries + 1;
    this.#machine = { ...this.#machine, entries: id };
    this.#history.push({ id, ...entry, from: this.#names(before), to: this.#names(after) });
  }

  #names(snapshot: Snapshot): string[] {
    return activeNames(this.#machine.chart, snapshot);
  }
}

/** What the history calls a timer's event: those of `after` and `at` are xstate's and nobody's business. */
function eventName({ event }: Timer): string | null {
  return event.startsWith('xstate.') ? null : event;
}
