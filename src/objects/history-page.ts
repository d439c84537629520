import type { HistoryFilter } from '../store/history-filter.ts';
import type { HistoryEntry } from '../store/history-table.ts';
import type { MachineStore } from '../store/machine-store.ts';
import type { MachineState } from './machine-state.ts';
import type { HistoryPage, HistoryQuery } from './results.ts';

/** Reads a page of the history, newest first. */
export function historyPage(
  store: MachineStore,
  machine: MachineState,
  { before, limit, filter }: HistoryQuery,
): HistoryPage {
  const entries = entriesBefore(store, machine, before, limit, filter);
  const last = entries.at(-1)?.id ?? 1;
  const hasMore = entriesBefore(store, machine, last, 1, filter).length > 0;
  return { ok: true, entries, hasMore, revision: machine.revision };
}

/** Reads at most `limit` entries with ids below `before`, newest first. A run that has not begun has no table of them. */
export function entriesBefore(
  { history }: MachineStore,
  machine: MachineState,
  before: number,
  limit: number,
  filter: HistoryFilter = {},
): HistoryEntry[] {
  const entries = writtenBy(machine);
  return entries === 0 ? [] : history.read(entries, before, limit, filter);
}

/** Returns how many entries of history are stored of a machine. */
export function writtenBy({ entries, preview }: MachineState): number {
  return preview === undefined ? entries : 0;
}
