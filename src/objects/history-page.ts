import { HISTORY_ROWS } from '../limits.ts';
import type { HistoryFilter } from '../store/history-filter.ts';
import type { FoundEntries } from '../store/history-table.ts';
import type { MachineStore } from '../store/machine-store.ts';
import type { MachineState } from './machine-state.ts';
import type { HistoryPage, HistoryQuery } from './results.ts';

/** Reads a page of the history, newest first. */
export function historyPage(
  store: MachineStore,
  machine: MachineState,
  { before, limit, filter }: HistoryQuery,
): HistoryPage {
  return { ok: true, ...entriesBefore(store, machine, before, limit, filter), revision: machine.revision };
}

/** Reads at most `limit` entries with ids below `before`, newest first. A run that has not begun has no table of them. */
export function entriesBefore(
  { history }: MachineStore,
  machine: MachineState,
  before: number,
  limit: number,
  filter: HistoryFilter = {},
): FoundEntries {
  const entries = writtenBy(machine);
  return entries === 0 ? { entries: [], hasMore: false } : history.read(entries, before, limit, filter);
}

/**
 * Returns how many entries a filter may look at for a page: all that are older than `before`, because few or none may match.
 * 0 without a filter.
 */
export function lookedAtFor(machine: MachineState, { before, filter = {} }: HistoryQuery): number {
  if (Object.keys(filter).length === 0) return 0;
  const entries = writtenBy(machine);
  return Math.max(0, Math.min(entries, before - 1) - Math.max(0, entries - HISTORY_ROWS));
}

/** Returns how many entries of history are stored of a machine. */
export function writtenBy({ entries, preview }: MachineState): number {
  return preview === undefined ? entries : 0;
}
