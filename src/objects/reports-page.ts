import { nameOf } from '../chart/chart.ts';
import { REPORTS_PAGE_LENGTH } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import type { MachineStore } from '../store/machine-store.ts';
import { findState } from './lookup.ts';
import type { MachineState } from './machine-state.ts';
import type { ReportsPage, ReportsQuery } from './results.ts';

/**
 * Reads the reports that were sent to a state in its present visit, or in its last one if it was left. A state that was
 * never entered has none, and neither has a run that has not begun.
 */
export function reportsPage(
  store: MachineStore,
  machine: MachineState,
  { state: name, after = 0, limit }: ReportsQuery,
): ReportsPage | Refusal {
  const found = findState(machine, name);
  if (!found.ok) return found;
  const { state } = found;
  const { chart, snapshot, revision, preview } = machine;
  const page = { ok: true, state: nameOf(chart, state), revision } as const;
  if (preview !== undefined) return { ...page, reports: [], hasMore: false };
  const visit = snapshot.active.get(state)?.number ?? store.run.lastVisit(state) ?? 0;
  // One more than is shown tells whether there are more.
  const { reports, isCut } = store.receipts.reportsOf(state, visit, after, limit + 1, REPORTS_PAGE_LENGTH);
  return { ...page, reports: reports.slice(0, limit), hasMore: isCut || reports.length > limit };
}
