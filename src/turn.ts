import {
  type Chart,
  fire,
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
import { activeNames, findCurrent, notTaken, type RunningMachine } from './running.ts';
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
  readonly #timersSet = new Map<string, Timer>();
  readonly #timersCleared = new Set<string>();
  readonly #left = new Map<StateNumber, number>();

  /** @param machine where it stands before. */
  constructor(machine: RunningMachine) {
    this.#machine = machine;
  }

  /** The first turn of a machine that was not there before: enters the chart's initial state. */
  static begin(chart: Chart, source: RunningMachine['source'], now: number): Turn {
    const step = start(chart, now);
    const blank = { revision: 0, entries: 0, changedAt: now, chart, source };
    const turn = new Turn({ ...blank, snapshot: { ...step.snapshot, active: new Map() } });
    turn.#take(step, now, 'start', null);
    turn.fireDue(now);
    return turn;
  }

  /** Fires what is due, the earliest first, up to the bound of one turn. */
  fireDue(now: number): void {
    for (let fired = 0; fired < TIMERS_PER_TURN; fired++) {
      const timer = nextDue(this.#machine.snapshot, now);
      if (timer === undefined) return;
      // At the timer's own moment, but never before what has happened already.
      const at = Math.max(timer.at, this.#machine.changedAt);
      this.#take(fire(this.#machine.chart, this.#machine.snapshot, { ...timer, at }), at, 'timer', null);
    }
  }

  /** Applies one update. A refusal changes nothing. */
  update({ state: name, event }: Update, now: number): Yes | Refusal {
    const found = findCurrent(this.#machine, name);
    if (!found.ok) return found;
    const { chart, snapshot } = this.#machine;
    const step = send(chart, snapshot, { type: event }, now);
    if (step === undefined) return notTaken(this.#machine, found.state, event);
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
    const { revision, changedAt, snapshot } = this.#machine;
    return {
      revision,
      at: changedAt,
      snapshot: storeSnapshot(snapshot),
      timersSet: [...this.#timersSet.values()],
      timersCleared: [...this.#timersCleared],
      left: this.#left,
      history: this.#history,
    };
  }

  #take(step: Step, at: number, cause: Cause, event: string | null): void {
    const before = this.#machine;
    const revision = before.revision + 1;
    this.#machine = {
      ...before,
      revision,
      changedAt: at,
      entries: before.entries + 1,
      snapshot: step.snapshot,
    };
    for (const id of step.timersCleared) if (!this.#timersSet.delete(id)) this.#timersCleared.add(id);
    for (const timer of step.timersSet) this.#timersSet.set(timer.id, timer);
    for (const state of step.left) this.#left.set(state, at);
    this.#history.push({
      revision,
      at,
      cause,
      event,
      from: this.#names(before.snapshot),
      to: this.#names(step.snapshot),
    });
  }

  #names(snapshot: Snapshot): string[] {
    return activeNames(this.#machine.chart, snapshot);
  }
}
