import type { HistoryEntry } from '../store/history-table.ts';

/** An entry of the history as the service shows it: times in ISO 8601. */
export type ShownEntry = Omit<HistoryEntry, 'at'> & { readonly at: string };

/** Formats an entry for responses. */
export function showEntry({ at, ...entry }: HistoryEntry): ShownEntry {
  return { ...entry, at: new Date(at).toISOString() };
}
