import { nameOf } from '../chart/chart.ts';
import { REPORTS_PAGE_LENGTH } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import { findState } from './lookup.ts';
import type { ReportsPage, ReportsQuery } from './results.ts';
import type { Runtime } from './runtime.ts';

/**
 * Reads the reports that were sent to a state in its present visit, or in its last one if it was left. A state that was
 * never entered has none, and neither has a run that has not begun.
 */
export async function reportsPage(
  runtime: Runtime,
  { state: name, after = 0, limit }: ReportsQuery,
): Promise<ReportsPage | Refusal> {
  const machine = runtime.current() ?? (await runtime.read());
  if ('ok' in machine) return machine;
  const found = findState(machine, name);
  if (!found.ok) return found;
  const { state } = found;
  const { chart, snapshot, revision, preview } = machine;
  const page = { ok: true, state: nameOf(chart, state), revision } as const;
  if (preview !== undefined) return { ...page, reports: [], hasMore: false };
  const { store } = runtime;
  const visit = snapshot.active.get(state)?.number ?? store.run.lastVisit(state) ?? 0;
  // One more than is shown tells whether there are more.
  const { reports, isCut } = store.receipts.reportsOf(state, visit, after, limit + 1, REPORTS_PAGE_LENGTH);
  return { ...page, reports: reports.slice(0, limit), hasMore: isCut || reports.length > limit };
}
