/** The numbers of a machine for monitoring: counts since it began, and its present state. */
import {
  type Count,
  countOn,
  countsOf,
  isDone,
  nameOf,
  openingsOf,
  slotCount,
  slotsOf,
} from '../chart/chart.ts';
import type { RefusalCode } from '../refusal.ts';
import type { HistoryEntry } from '../store/history-table.ts';
import { NO_COUNTS, type StoredCounts } from '../store/stored-json.ts';
import type { MachineState } from './machine-state.ts';

/** The outcome of a report: `accepted`, or the code of the refusal. */
export type UpdateOutcome = 'accepted' | RefusalCode;

/**
 * Counts of a machine since it began. Each commit stores them in the machine's own row, so they cost no further row.
 * Refusals and repeats commit nothing: those since the last commit are lost when the object sleeps.
 */
export class Counters {
  readonly updates = new Map<string, number>();
  /** Changes of the active states. */
  transitions = 0;

  /** Returns the counts as they are stored, for `restore`. */
  store(): StoredCounts {
    return { updates: [...this.updates], transitions: this.transitions };
  }

  restore({ updates, transitions } = NO_COUNTS): void {
    this.updates.clear();
    for (const [outcome, count] of updates) this.updates.set(outcome, count);
    this.transitions = transitions;
  }

  countEntries(entries: readonly HistoryEntry[]): void {
    for (const { from, to } of entries) {
      const isSame = from.length === to.length && from.every((state, i) => state === to[i]);
      if (!isSame) this.transitions += 1;
    }
  }

  countUpdate(outcome: UpdateOutcome): void {
    this.updates.set(outcome, (this.updates.get(outcome) ?? 0) + 1);
  }
}

/** The numbers of a machine. A closed shape: it crosses an RPC. */
export interface Metrics {
  readonly ok: true;
  readonly revision: number;
  readonly isDone: boolean;
  /** Absent from objects of an earlier version. */
  readonly isPaused?: boolean;
  /** Every state of the chart, and for how long it has been current, ms; null if it is not current. */
  readonly states: readonly { readonly state: string; readonly current: number | null }[];
  readonly updates: readonly { readonly answer: string; readonly count: number }[];
  readonly transitions: number;
  readonly waiters: number;
  readonly streams: number;
  readonly sockets: number;
  readonly claims: readonly { readonly state: string; readonly held: number; readonly slots: number }[];
  /** The active states for which windows hold; absent from objects of an earlier version. */
  readonly openings?: readonly { readonly state: string; readonly open: boolean }[];
  readonly quorums: readonly Count[];
  /** The active states that expect reports of members; absent from objects of an earlier version. */
  readonly members?: readonly {
    readonly state: string;
    readonly expected: number;
    readonly missing: number;
  }[];
  /** The hooks that are told of the machine; absent from objects of an earlier version. */
  readonly hooks?: readonly {
    readonly hook: string;
    readonly isSet: boolean;
    readonly pending: number;
    readonly failed: number;
    readonly dropped: number;
  }[];
}

export function metricsOf(
  machine: MachineState,
  counters: Counters,
  audience: { readonly waiters: number; readonly streams: number; readonly sockets: number },
  now: number,
): Metrics {
  const { chart, snapshot, revision, claims, preview } = machine;
  // What was counted before is of a machine that was deleted.
  const { updates, transitions } = preview === undefined ? counters : new Counters();
  const active = [...snapshot.active.keys()];
  return {
    ok: true,
    revision,
    isDone: isDone(snapshot),
    isPaused: snapshot.terms.paused !== undefined,
    states: chart.model.states.flatMap(({ type }, state) => {
      // The root is the chart itself, and a history state is never active.
      if (state === 0 || type === 'history') return [];
      const visit = snapshot.active.get(state);
      return [
        { state: nameOf(chart, state), current: visit === undefined ? null : Math.max(0, now - visit.since) },
      ];
    }),
    updates: [...updates].map(([answer, count]) => ({ answer, count })),
    transitions,
    ...audience,
    claims: active.flatMap((state) => {
      const slots = slotsOf(chart, state);
      if (slots === undefined) return [];
      const count = slotCount(chart, snapshot.terms, state, slots);
      return [{ state: nameOf(chart, state), held: countOn(claims, state), slots: count ?? 0 }];
    }),
    openings: openingsOf(chart, snapshot, now).map(({ state, opening }) => ({
      state: nameOf(chart, state),
      open: opening.open,
    })),
    quorums: countsOf(chart, snapshot),
  };
}
