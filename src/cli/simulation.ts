/** A chart that runs by itself: no object, no storage, and a clock that is moved by hand. */
import {
  type Chart,
  type Count,
  countsOf,
  eventsOf,
  fire,
  isActive,
  isDone,
  nameOf,
  nextDue,
  nextTimer,
  type Snapshot,
  type StateNumber,
  send,
  start,
  UPDATE,
} from '../chart/chart.ts';

/** What came of an event, or of time. */
export interface Outcome {
  readonly ok: boolean;
  /** Why not, where it was not. */
  readonly detail?: string;
}

interface DueTimer {
  /** ms since the epoch */
  readonly at: number;
  /** The states that it enters; none where it changes nothing but counts or the context. */
  readonly to: readonly string[];
}

interface SlotCount {
  readonly state: string;
  readonly slots: number;
}

export class Simulation {
  readonly #chart: Chart;
  #snapshot: Snapshot;
  #now: number;

  /** @param now ms since the epoch. @throws where the chart cannot start: one that was checked can. */
  constructor(chart: Chart, now: number) {
    const step = start(chart, now);
    if (!step.ok) throw new Error(step.detail);
    this.#chart = chart;
    this.#snapshot = step.snapshot;
    this.#now = now;
    this.#fireDue();
  }

  /** ms since the epoch */
  get now(): number {
    return this.#now;
  }

  /** The active states, outermost first. */
  get states(): string[] {
    return [...this.#snapshot.active.keys()].map((state) => nameOf(this.#chart, state));
  }

  get isDone(): boolean {
    return isDone(this.#snapshot);
  }

  get counts(): Count[] {
    return countsOf(this.#chart, this.#snapshot);
  }

  /** Where each timer leads, if nothing else happens before it; the first one in front. */
  timers(most: number): DueTimer[] {
    const first = [...this.#snapshot.timers.values()].sort((a, b) => a.at - b.at).slice(0, most);
    return first.map((timer) => {
      const step = fire(this.#chart, this.#snapshot, timer, Math.max(timer.at, this.#now));
      const after = step.ok ? step.snapshot : this.#snapshot;
      const entered = [...after.active].filter(
        ([state, { number }]) => this.#snapshot.active.get(state)?.number !== number,
      );
      return { at: timer.at, to: entered.map(([state]) => nameOf(this.#chart, state)) };
    });
  }

  /** How many may work at a time in the active states that bound it. */
  get slots(): SlotCount[] {
    return [...this.#snapshot.active.keys()].flatMap((state) => {
      const slots = this.#chart.model.states[state]?.slots;
      return slots === undefined ? [] : [{ state: nameOf(this.#chart, state), slots: slots.count }];
    });
  }

  get context(): unknown {
    return this.#snapshot.machine.context.data;
  }

  /** The events that the active states take. */
  get events(): string[] {
    const active = [...this.#snapshot.active.keys()];
    return [...new Set(active.flatMap((state) => eventsOf(this.#chart, this.#snapshot, state)))];
  }

  /**
   * Sends an event, as `PUT …/state` does.
   *
   * @param name of the state that it is sent to: the innermost that takes it, where that is left out.
   */
  send(event: string = UPDATE, name?: string): Outcome {
    const state = name === undefined ? this.#taker(event) : this.#find(name);
    if (typeof state === 'string') return { ok: false, detail: state };
    if (!isActive(this.#snapshot, state)) return { ok: false, detail: `${name} is not current` };
    const step = send(this.#chart, this.#snapshot, { type: event, address: state }, this.#now);
    if (!step.ok) {
      const detail =
        step.reason === 'not-taken' ? `${nameOf(this.#chart, state)} does not take ${event}` : step.detail;
      return { ok: false, detail };
    }
    this.#snapshot = step.snapshot;
    this.#fireDue();
    return { ok: true };
  }

  /** Lets time pass: what is due fires on the way, each at its own moment. */
  pass(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const at = nextTimer(this.#snapshot.timers.values())?.at;
      if (at === undefined || at > until) break;
      this.#now = Math.max(this.#now, at);
      this.#fireDue();
    }
    this.#now = until;
  }

  /** The innermost active state that takes an event, or why there is none. */
  #taker(event: string): StateNumber | string {
    const active = [...this.#snapshot.active.keys()].reverse();
    const takers = active.filter((state) => eventsOf(this.#chart, this.#snapshot, state).includes(event));
    const [innermost] = takers;
    return innermost ?? active[0] ?? 'nothing is current';
  }

  #find(name: string): StateNumber | string {
    const found = this.#chart.names.find(name);
    if (found === undefined) return `there is no state ${name}`;
    return found.ok ? found.state : `${name} may be ${found.candidates.join(' or ')}`;
  }

  #fireDue(): void {
    for (
      let timer = nextDue(this.#snapshot, this.#now);
      timer !== undefined;
      timer = nextDue(this.#snapshot, this.#now)
    ) {
      const step = fire(this.#chart, this.#snapshot, timer, this.#now);
      if (!step.ok) throw new Error(step.detail);
      this.#snapshot = step.snapshot;
    }
  }
}
