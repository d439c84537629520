/** Runs a chart without an object and without storage, on a simulated clock. */
import {
  type Chart,
  type Count,
  countsOf,
  dropTimer,
  eventsOf,
  fire,
  hooksToTell,
  isActive,
  isDone,
  NO_CLAIMS,
  NO_TERMS,
  NOTHING_COOLS,
  nameOf,
  nextDue,
  nextOpening,
  nextTimer,
  openingsOf,
  ROOT,
  type Snapshot,
  type StateNumber,
  type Step,
  send,
  showAmount,
  slotCount,
  start,
  type Terms,
  type Turn,
  timersInOrder,
  turnOf,
  UPDATE,
} from '../chart/chart.ts';

/** The result of a step. */
export type StepResult =
  | {
      readonly ok: true;
      /** The states that have opened or closed by their windows, where time has passed. */
      readonly changes?: readonly WindowChange[];
    }
  | StepRefusal;

/** Why a step, or the event of a timer in it, was refused, in words for the user. */
interface StepRefusal {
  readonly ok: false;
  readonly detail: string;
  readonly changes?: readonly WindowChange[];
}

type FoundState = { readonly ok: true; readonly state: StateNumber } | StepRefusal;

interface DueTimer {
  /** ms since the epoch */
  readonly at: number;
  /** The states that it enters; empty where it changes only counts or the context. */
  readonly to: readonly string[];
}

interface SlotCount {
  readonly state: string;
  /** How many; as the chart has it, `10%`, where that depends on members that are not known. */
  readonly slots: number | string;
}

/** Whether the windows of an active state are open. */
interface WindowState {
  readonly state: string;
  readonly open: boolean;
  /** When it closes or opens, ms since the epoch; absent if that is not known. */
  readonly next?: number;
}

/** A state that has opened or closed by its windows, ms since the epoch. */
interface WindowChange {
  readonly at: number;
  readonly state: string;
  readonly open: boolean;
}

/** A message to a hook, and the states that it tells; none for an event that failed. */
interface Telling {
  readonly to: string;
  readonly entered: readonly string[];
}

/** Openings and closings that one step tells, the first; and how many times are looked at for them. */
const CHANGES_TOLD = 20;
const CHANGES_TRIED = 1_000;

export class Simulation {
  readonly #chart: Chart;
  #snapshot: Snapshot;
  #now: number;
  /** The reports of callers. */
  readonly #reported = new Set<string>();
  /** The messages of the last step. */
  readonly told: Telling[] = [];
  /** The result of the start. */
  readonly started: StepResult;

  /** @param now ms since the epoch. @throws where the chart cannot start, which a valid chart can with its own inputs. */
  constructor(chart: Chart, now: number, terms: Terms = NO_TERMS) {
    const step = start(chart, now, terms);
    if (!step.ok) throw new Error(step.detail);
    this.#chart = chart;
    this.#snapshot = step.snapshot;
    this.#now = now;
    this.#tell(step);
    this.started = played(this.#fireDue());
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

  /** The states that each timer would enter if nothing else happened before it; the earliest timer first. */
  timers(most: number): DueTimer[] {
    const first = timersInOrder(this.#snapshot).slice(0, most);
    return first.map((timer) => {
      const step = fire(this.#chart, this.#snapshot, timer, Math.max(timer.at, this.#now));
      const after = step.ok ? step.snapshot : this.#snapshot;
      const entered = [...after.active].filter(
        ([state, { number }]) => this.#snapshot.active.get(state)?.number !== number,
      );
      return { at: timer.at, to: entered.map(([state]) => nameOf(this.#chart, state)) };
    });
  }

  /** The active states with slots. */
  get slots(): SlotCount[] {
    return [...this.#snapshot.active.keys()].flatMap((state) => {
      const slots = this.#chart.model.states[state]?.slots;
      return slots === undefined
        ? []
        : [
            {
              state: nameOf(this.#chart, state),
              slots: slotCount(this.#chart, this.#snapshot.terms, state, slots) ?? showAmount(slots.count),
            },
          ];
    });
  }

  /** The active states for which windows hold. */
  get windows(): WindowState[] {
    return openingsOf(this.#chart, this.#snapshot, this.#now).map(({ state, opening }) => {
      const next = opening.open ? opening.until : opening.again;
      const name = nameOf(this.#chart, state);
      return { state: name, open: opening.open, ...(next === undefined ? {} : { next }) };
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
   * @param name the state that it is sent to; by default the innermost active state that takes it.
   * @param by the caller. It must be a caller that may go; slots are not claimed. Without it, anybody's event is taken.
   * @param data JSON.
   */
  send(
    event: string = UPDATE,
    name?: string,
    { by, data }: { readonly by?: string | undefined; readonly data?: string | undefined } = {},
  ): StepResult {
    this.told.length = 0;
    const found = name === undefined ? this.#taker(event) : this.#find(name);
    if (!found.ok) return found;
    const { state } = found;
    if (!isActive(this.#snapshot, state)) return { ok: false, detail: `${name} is not current` };
    if (by === undefined && this.#snapshot.terms.members !== undefined)
      return { ok: false, detail: 'the machine has members: say which one it is, with --by NAME' };
    const turn = turnOf(this.#chart, this.#situation, { state, by }, this.#hasReported(state, by), this.#now);
    if (turn.answer !== 'go') return { ok: false, detail: this.#whyNot(turn, by) };
    const sent = {
      type: event,
      address: state,
      ...(by === undefined ? {} : { by }),
      ...(data === undefined ? {} : { data: JSON.parse(data) }),
    };
    const visit = this.#visitOf(state);
    const step = send(this.#chart, this.#snapshot, sent, this.#now);
    if (!step.ok) {
      if (step.reason === 'not-taken')
        return { ok: false, detail: `${nameOf(this.#chart, state)} does not take ${event}` };
      this.#tellRefusal();
      return { ok: false, detail: step.detail };
    }
    if (by !== undefined) this.#reported.add(reportOf(state, visit, event, by));
    this.#snapshot = step.snapshot;
    this.#tell(step);
    return played(this.#fireDue());
  }

  get #situation() {
    return { snapshot: this.#snapshot, claims: NO_CLAIMS, cooling: NOTHING_COOLS };
  }

  #visitOf(state: StateNumber): number {
    return this.#snapshot.active.get(state)?.number ?? 0;
  }

  #hasReported(state: StateNumber, by = ''): (event: string) => boolean {
    return (event) => this.#reported.has(reportOf(state, this.#visitOf(state), event, by));
  }

  /** Why a caller may not go, in a sentence. */
  #whyNot({ why, state }: Exclude<Turn, { readonly answer: 'go' }>, by: string | undefined): string {
    return `${by ?? 'a caller'} may not go: ${WHY_NOT[why].replace('STATE', nameOf(this.#chart, state))}`;
  }

  /** Advances the clock. Due timers fire in order, each at its own time. */
  pass(ms: number): StepResult {
    this.told.length = 0;
    const until = this.#now + ms;
    const changes: WindowChange[] = [];
    const refused: string[] = [];
    for (;;) {
      const at = nextTimer(this.#snapshot.timers.values())?.at;
      if (at === undefined || at > until) break;
      this.#followWindows(at, changes);
      this.#now = Math.max(this.#now, at);
      refused.push(...this.#fireDue());
    }
    this.#followWindows(until, changes);
    this.#now = until;
    return played(refused, changes);
  }

  /** Adds which of the active states open and close until a time, while they stay active; at most `CHANGES_TOLD` in all. */
  #followWindows(until: number, changes: WindowChange[]): void {
    let openings = openingsOf(this.#chart, this.#snapshot, this.#now);
    for (let tried = 0; tried < CHANGES_TRIED && changes.length < CHANGES_TOLD; tried++) {
      const at = nextOpening(openings);
      if (at > until) return;
      const before = new Map(openings.map(({ state, opening }) => [state, opening.open]));
      openings = openingsOf(this.#chart, this.#snapshot, at);
      for (const { state, opening } of openings) {
        if (opening.open === before.get(state)) continue;
        changes.push({ at, state: nameOf(this.#chart, state), open: opening.open });
      }
    }
  }

  /** Finds the innermost active state that takes an event; where none does, the innermost active state. */
  #taker(event: string): FoundState {
    const active = [...this.#snapshot.active.keys()].reverse();
    const takers = active.filter((state) => eventsOf(this.#chart, this.#snapshot, state).includes(event));
    const [innermost] = takers;
    const state = innermost ?? active[0];
    return state === undefined ? { ok: false, detail: 'no state is current' } : { ok: true, state };
  }

  #find(name: string): FoundState {
    const found = this.#chart.names.find(name);
    if (found === undefined) return { ok: false, detail: `there is no state ${name}` };
    if (found.ok) return { ok: true, state: found.state };
    return { ok: false, detail: `${name} may be ${found.candidates.join(' or ')}` };
  }

  /** Fires the timers that are due. A timer whose event fails is removed, as in a machine. @returns why each failed. */
  #fireDue(): string[] {
    const refused: string[] = [];
    for (
      let timer = nextDue(this.#snapshot, this.#now);
      timer !== undefined;
      timer = nextDue(this.#snapshot, this.#now)
    ) {
      const fired = fire(this.#chart, this.#snapshot, timer, this.#now);
      const step = fired.ok ? fired : dropTimer(this.#snapshot, timer);
      this.#snapshot = step.snapshot;
      this.#tell(step);
      if (fired.ok) continue;
      this.#tellRefusal();
      refused.push(`the timer of ${new Date(timer.at).toISOString()}: ${fired.detail}`);
    }
    return refused;
  }

  /** Notes the hooks that are told of a step, as `notify` says. */
  #tell({ entered }: Step): void {
    const names = [...new Set(entered)]
      .filter((state) => state !== ROOT)
      .map((state) => nameOf(this.#chart, state));
    for (const to of hooksToTell(this.#chart.model, entered, undefined))
      this.told.push({ to, entered: names });
  }

  /** Notes the hooks that are told of an event that failed. */
  #tellRefusal(): void {
    for (const to of hooksToTell(this.#chart.model, [], 'refused')) this.told.push({ to, entered: [] });
  }
}

/** @param refused why events of timers failed. */
function played(refused: readonly string[], changes: readonly WindowChange[] = []): StepResult {
  const passed = changes.length === 0 ? {} : { changes };
  return refused.length === 0
    ? { ok: true, ...passed }
    : { ok: false, detail: refused.join('; '), ...passed };
}

function reportOf(state: StateNumber, visit: number, event: string, by: string): string {
  return JSON.stringify([state, visit, event, by]);
}

/** `STATE` stands for the name of the state. */
const WHY_NOT: Readonly<Record<Exclude<Turn, { readonly answer: 'go' }>['why'], string>> = {
  'not-current': 'STATE is not current',
  'cannot-come': 'STATE cannot come any more',
  'no-members': 'STATE needs a list of members: --member NAME',
  'not-a-member': 'it is not a member',
  'not-for-you': 'STATE is not for it',
  'already-reported': 'it has reported in this visit of STATE',
  'slots-taken': 'all slots of STATE are taken',
  closed: 'STATE is closed',
  paused: 'the machine is paused',
};
