/** Runs charts in tests: states by name, and a clock that the test moves. */
import {
  type Chart,
  fire,
  isDone,
  type Json,
  type NoStep,
  nameOf,
  nextDue,
  override,
  readChart,
  restoreSnapshot,
  type Snapshot,
  type Step,
  send,
  start,
  storeSnapshot,
  type Timer,
} from '../../src/chart/chart.ts';

/** Reads a valid chart. */
export function chartOf(text: string): Chart {
  const reading = readChart(text);
  if (!reading.ok) {
    const errors = reading.errors.map(({ line, column, message }) => `${line}:${column} ${message}`);
    throw new Error(`this chart must be valid:\n${errors.join('\n')}\n${text}`);
  }
  return reading.chart;
}

/** Takes a snapshot to storage and back. */
export function throughStorage(_chart: Chart, snapshot: Snapshot): Snapshot {
  const stored = JSON.parse(JSON.stringify(storeSnapshot(snapshot)));
  const timers: Timer[] = JSON.parse(JSON.stringify([...snapshot.timers.values()]));
  return restoreSnapshot(stored, timers, snapshot.terms);
}

/** A running chart. It is stored and restored between every two steps, as can happen in an object. */
export class Run {
  readonly chart: Chart;
  /** The result of the last event. */
  last: Step | NoStep;
  #snapshot: Snapshot;
  #now: number;

  /** @param now ms since the epoch. */
  constructor(text: string, now = 0) {
    this.chart = chartOf(text);
    this.#now = now;
    const step = start(this.chart, now);
    if (!step.ok) throw new Error(`this chart must start: ${step.detail}`);
    this.last = step;
    this.#snapshot = throughStorage(this.chart, step.snapshot);
    this.#fireDue();
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** The active states, outermost first. */
  get active(): string[] {
    return [...this.#snapshot.active.keys()].map((state) => nameOf(this.chart, state));
  }

  /** The active states without active children. */
  get leaves(): string[] {
    const { model } = this.chart;
    const leaves = [...this.#snapshot.active.keys()].filter((state) => model.states[state]?.last === state);
    return leaves.map((state) => nameOf(this.chart, state));
  }

  get context(): { readonly [key: string]: Json } {
    return this.#snapshot.machine.context.data;
  }

  get done(): boolean {
    return isDone(this.#snapshot);
  }

  /** The times of the timers that are set, the earliest first; ms since the epoch. */
  get due(): number[] {
    return [...this.#snapshot.timers.values()].map(({ at }) => at).sort((a, b) => a - b);
  }

  /**
   * Sends an event to a state, by default to the root.
   *
   * @returns whether it was taken, and if not, the reason.
   */
  send(event: string, to?: string, data?: Json): 'taken' | NoStep['reason'] {
    const found = to === undefined ? ({ ok: true, state: 0 } as const) : this.chart.names.find(to);
    if (!found?.ok) throw new Error(`there is no state ${to}`);
    const step = send(
      this.chart,
      this.#snapshot,
      { type: event, address: found.state, ...(data === undefined ? {} : { data }) },
      this.#now,
    );
    this.last = step;
    if (!step.ok) return step.reason;
    this.#snapshot = throughStorage(this.chart, step.snapshot);
    this.#fireDue();
    return 'taken';
  }

  /** Moves the run by hand. */
  override(to: string): this {
    const found = this.chart.names.find(to);
    if (!found?.ok) throw new Error(`there is no state ${to}`);
    const step = override(this.chart, this.#snapshot, found.state, this.#now);
    this.last = step;
    if (!step.ok) throw new Error(`an override to ${to} was refused: ${step.detail}`);
    this.#snapshot = throughStorage(this.chart, step.snapshot);
    this.#fireDue();
    return this;
  }

  /** Sends several events to the root, each of which must be taken. */
  sendAll(...events: readonly string[]): this {
    for (const event of events) {
      const outcome = this.send(event);
      if (outcome !== 'taken') throw new Error(`${event} was ${outcome}`);
    }
    return this;
  }

  /** Advances the clock, and fires each timer at its time. */
  wait(ms: number): this {
    this.#now += ms;
    this.#fireDue();
    return this;
  }

  /** Advances the clock until no timer is left, or by `most` ms. */
  settle(most: number): this {
    const end = this.#now + most;
    for (let [next] = this.due; next !== undefined && next <= end; [next] = this.due)
      this.wait(Math.max(0, next - this.#now));
    return this;
  }

  #fireDue(): void {
    for (let timer = nextDue(this.#snapshot, this.#now); timer !== undefined; ) {
      const step = fire(this.chart, this.#snapshot, timer);
      if (!step.ok) throw new Error(`a timer was refused: ${step.detail}`);
      this.last = step;
      this.#snapshot = throughStorage(this.chart, step.snapshot);
      timer = nextDue(this.#snapshot, this.#now);
    }
  }
}
