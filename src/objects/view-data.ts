/** The data of a machine's page and drawing, beside its status document and its history. */
import {
  ancestorsOf,
  type Chart,
  type Inputs,
  nameOf,
  ownEvents,
  quorums,
  raisedIn,
  runningTimers,
  type StateNumber,
  sinceOf,
  slotsOf,
  timersInOrder,
  UPDATE,
  type Way,
  WayFinder,
} from '../chart/chart.ts';
import { VIEW_REPORTS, VIEW_REPORTS_LENGTH } from '../limits.ts';
import type { HistoryEntry } from '../store/history-table.ts';
import type { ReceiptTable } from '../store/receipt-table.ts';
import type { HookStatus } from './hook-status.ts';
import type { MachineState } from './machine-state.ts';

/** The data of a machine's page and drawing. The chart is a query of its own, by its hash. */
export interface View {
  readonly ok: true;
  readonly revision: number;
  /** JSON: `Status`. */
  readonly status: string;
  /** Of the chart that it runs. */
  readonly hash: string;
  readonly active: readonly StateNumber[];
  /** States that were entered and left. */
  readonly visited: readonly StateNumber[];
  readonly counts: readonly {
    readonly state: StateNumber;
    readonly event: string;
    readonly have: number;
    /** Null where it is a share of the members, and there is no list of them. */
    readonly until: number | null;
    /** The index among the transitions of the event; absent from objects of an earlier version. */
    readonly index?: number;
  }[];
  /** Timers that run: what they send, and when (ms since the epoch). */
  readonly due: readonly { readonly event: string; readonly at: number }[];
  /** The inputs of the run; absent from objects of an earlier version. */
  readonly inputs?: Inputs;
  /** Of each timer of the status document, in its order; absent from objects of an earlier version. */
  readonly timers?: readonly {
    /** If it is a deadline: when its state was entered, ms since the epoch. Else null. */
    readonly since: number | null;
    /** Whether a pause holds it. */
    readonly isStill: boolean;
  }[];
  /** The descriptions of the active states, outermost first; absent from objects of an earlier version. */
  readonly descriptions?: readonly { readonly state: string; readonly says: string }[];
  /** The first reports of the present visits; absent from objects of an earlier version. */
  readonly reports?: readonly {
    readonly state: string;
    readonly by: string;
    readonly event: string;
    /** ms since the epoch; null for a report from before this was kept. */
    readonly at: number | null;
  }[];
  /** Events that the active states take, the innermost state that takes each. */
  readonly takes: readonly {
    readonly state: string;
    readonly events: readonly string[];
    /** Of these, the events that may lead to a final state; absent from objects of an earlier version. */
    readonly ends?: readonly string[];
    /** Of these, the events that need a slot of `slots`; absent from objects of an earlier version. */
    readonly counted?: readonly string[];
    readonly slots?: readonly string[];
    /** Of each event, its ways; absent from objects of an earlier version. */
    readonly ways?: readonly (readonly Way[])[];
    /** Of these, the events that lead to failure; absent from objects of an earlier version. */
    readonly stops?: readonly string[];
    /** Of these, the events that the chart itself raises; absent from objects of an earlier version. */
    readonly raised?: readonly string[];
  }[];
  /** The hooks that are told of the machine; absent from objects of an earlier version. */
  readonly hooks?: readonly HookStatus[];
  /** The newest entries of the history, the newest first. */
  readonly history: readonly HistoryEntry[];
}

/**
 * Returns the data of a machine's page, without its status document and its history.
 *
 * @param left the states that were entered and left.
 */
export function viewOf(machine: MachineState, left: ReadonlySet<StateNumber>, receipts: ReceiptTable) {
  const { chart, snapshot } = machine;
  const active = [...snapshot.active.keys()];
  const running = new Set(runningTimers(snapshot));
  const finder = new WayFinder(chart, snapshot);
  return {
    active,
    visited: [...left],
    counts: quorums(chart, snapshot),
    due: [...running].map(({ event, at }) => ({ event, at })),
    inputs: snapshot.terms.inputs,
    timers: timersInOrder(snapshot).map((timer) => ({
      since: sinceOf(chart, snapshot, timer) ?? null,
      isStill: !running.has(timer),
    })),
    descriptions: active.flatMap((state) => {
      const says = chart.model.states[state]?.description;
      return says === undefined ? [] : [{ state: nameOf(chart, state), says }];
    }),
    takes: active.map((state) => takesOf(chart, state, finder)),
    // A run that has not begun has no tables.
    reports: machine.preview === undefined ? reportsIn(machine, receipts) : [],
  };
}

/** Returns the events that a state names, with the data of their buttons. */
function takesOf(chart: Chart, state: StateNumber, finder: WayFinder): View['takes'][number] {
  const events = ownEvents(chart, state);
  const around = [state, ...ancestorsOf(chart.model, state)].filter((at) => slotsOf(chart, at) !== undefined);
  const namesOf = (found: typeof events) => found.map(({ event }) => event);
  return {
    state: nameOf(chart, state),
    events: namesOf(events),
    ends: namesOf(events.filter(({ mayEnd }) => mayEnd)),
    // Other events are taken without a slot.
    counted: namesOf(events.filter(({ event, isCounted }) => isCounted || event === UPDATE)),
    slots: around.map((at) => nameOf(chart, at)),
    ways: events.map(({ event }) => finder.ways(state, event)),
    stops: namesOf(events.filter(({ event }) => finder.givesUp(state, event))),
    raised: namesOf(events.filter(({ event }) => raisedIn(chart.model).has(event))),
  };
}

/** Reads the first reports of the present visits of the active states. */
function reportsIn({ chart, snapshot }: MachineState, receipts: ReceiptTable): NonNullable<View['reports']> {
  let left = VIEW_REPORTS;
  return [...snapshot.active].flatMap(([state, visit]) => {
    if (left <= 0) return [];
    const { reports } = receipts.reportsOf(state, visit.number, 0, left, VIEW_REPORTS_LENGTH);
    left -= reports.length;
    return reports.map(({ by, event, at }) => ({ state: nameOf(chart, state), by, event, at }));
  });
}
