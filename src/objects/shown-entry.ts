import type { Json } from '../chart/chart.ts';
import type { HistoryEntry } from '../store/history-table.ts';

/** An entry of the history as the service shows it: times in ISO 8601, data as JSON. */
export type ShownEntry = Omit<HistoryEntry, 'at' | 'data'> & {
  readonly at: string;
  readonly data?: Json | undefined;
};

/** Formats an entry for responses. */
export function showEntry({ at, data, ...entry }: HistoryEntry): ShownEntry {
  return {
    ...entry,
    at: new Date(at).toISOString(),
    ...(data === undefined ? {} : { data: JSON.parse(data) }),
  };
}
