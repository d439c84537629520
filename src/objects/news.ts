import type { StateNumber } from '../chart/chart.ts';
import { MISSED_LENGTH } from '../limits.ts';
import type { Cause, HistoryEntry } from '../store/history-table.ts';
import type { MachineStore } from '../store/machine-store.ts';
import type { MachineState } from './machine-state.ts';

/** The news for waits and watches: a commit of this object, or the commits of another object of the address. */
export interface News {
  readonly machine: MachineState;
  /** The entries that were written; undefined if they are too many, or partly overwritten. */
  readonly history: readonly HistoryEntry[] | undefined;
  /** States that were entered, also those that were left again. */
  readonly passed: ReadonlySet<StateNumber>;
  /** Whether another run has begun: its states may have other numbers. */
  readonly isRestarted: boolean;
}

/** Whether the members, or other terms of the run, are others than before: any answer to a caller may be another. */
export function haveTermsChanged(history: readonly HistoryEntry[]): boolean {
  return history.some(({ cause }) => cause === 'members' || cause === 'inputs');
}

/**
 * Reads from storage the entries that this object has not published.
 *
 * @param told the number of entries that were published: fewer than the machine has.
 */
export function readNews(store: MachineStore, machine: MachineState, told: number): News {
  const found = store.history.readAfter(machine.entries, told, MISSED_LENGTH);
  const passed = new Set<StateNumber>();
  for (const name of found.flatMap(({ entered }) => entered)) {
    const state = machine.chart.names.find(name);
    if (state?.ok) passed.add(state.state);
  }
  return {
    machine,
    history: found.length === machine.entries - told ? found : undefined,
    passed,
    isRestarted: found.some(({ cause }) => RESTARTS.has(cause)),
  };
}

/** Causes of entries with which another run, perhaps of another chart, can begin. */
const RESTARTS: ReadonlySet<Cause> = new Set<Cause>(['start', 'reset', 'upload', 'restore']);
