import { type CountedCallers, recount, type Terms } from '../chart/chart.ts';
import { TURN_BUDGET } from '../limits.ts';
import { readCounts, readReportKey } from '../store/receipt-table.ts';
import type { Draft, Entry } from './draft.ts';
import { fireDue } from './due.ts';

/** What the history says of a change of terms. */
export type TermsEntry = Pick<Entry, 'cause' | 'by' | 'sub' | 'notes'>;

/**
 * Changes the terms of the present run: its members, or its inputs. Shares are counted anew, and each quorum that the
 * change has met takes its transition, with an entry of its own in the history.
 */
export function changeTerms(draft: Draft, terms: Terms, entry: TermsEntry, now: number): void {
  const { chart, snapshot: before } = draft.machine;
  const { snapshot, met } = recount(chart, before, terms, countedCallers(draft), now, TURN_BUDGET);
  draft.changeTerms(snapshot);
  draft.change(now, { ...entry, event: null, state: null });
  for (const { state, event, have, need, step } of met) {
    const of = { event, state: draft.nameOf(state), by: entry.by, sub: entry.sub };
    const notes = [`${have} of ${need} have reported`];
    if (step.ok) draft.take(step, now, { cause: entry.cause, ...of, notes: [...notes, ...step.failures] });
    else {
      const why = step.reason === 'not-taken' ? 'no guard is true' : step.detail;
      draft.note(now, { cause: 'refused', ...of, notes: [...notes, why, ...step.failures] });
    }
  }
  // Timers of the states that were entered may be due already.
  fireDue(draft, now);
}

/** Reads the reports of the run when the first count asks for them. */
function countedCallers(draft: Draft): CountedCallers {
  let byCount: Map<string, { readonly by: string; readonly began: number }[]> | undefined;
  return (key, since) => {
    byCount ??= index(draft);
    return (byCount.get(key) ?? []).flatMap(({ by, began }) => (began >= since ? [by] : []));
  };
}

function index(draft: Draft): Map<string, { readonly by: string; readonly began: number }[]> {
  const byCount = new Map<string, { readonly by: string; readonly began: number }[]>();
  // Most reports of a machine have the same counts: their text is parsed once.
  const counts = new Map<string, readonly string[]>();
  for (const report of draft.countedReports()) {
    const keys = counts.get(report.request) ?? readCounts(report);
    counts.set(report.request, keys);
    if (keys.length === 0) continue;
    const { key, began } = report;
    const by = readReportKey(key)?.by ?? '';
    for (const count of keys) {
      const known = byCount.get(count);
      if (known === undefined) byCount.set(count, [{ by, began }]);
      else known.push({ by, began });
    }
  }
  return byCount;
}
