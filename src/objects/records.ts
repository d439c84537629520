import type { StateNumber } from '../chart/chart.ts';
import type { MachineStore } from '../store/machine-store.ts';
import type { Notification } from '../store/outbox-table.ts';
import type { CountedReport, Receipt } from '../store/receipt-table.ts';
import type { EndedVisit } from '../store/stored-machine.ts';

/** Reads rows that are too many to be kept in memory. */
export interface Records {
  receipt(key: string): Receipt | undefined;
  receipts(keys: readonly string[]): readonly Receipt[];
  /** Returns the number of the last ended visit of `state`. */
  lastVisit(state: StateNumber): number | undefined;
  /** The receipts of reports, the oldest first. */
  reports(): readonly Receipt[];
  /** The receipts of reports that a change of members or inputs may count anew. */
  countedReports(): readonly CountedReport[];
  /** The last visit of each state that was left. @param since only visits of this number, and later ones. */
  endedVisits(since: number): readonly EndedVisit[];
  /** The text of the chart that was uploaded to the address. */
  uploadedText(): string | undefined;
  /** The messages about an entry of the history. */
  notifications(entry: number): readonly Notification[];
}

/** The records of a machine without storage. */
export const NO_RECORDS: Records = {
  receipt: () => undefined,
  receipts: () => [],
  lastVisit: () => undefined,
  reports: () => [],
  countedReports: () => [],
  endedVisits: () => [],
  uploadedText: () => undefined,
  notifications: () => [],
};

/** The records in a machine's storage. */
export function recordsIn(store: MachineStore): Records {
  return {
    receipt: (key) => store.receipts.find(key),
    receipts: (keys) => store.receipts.findAll(keys),
    lastVisit: (state) => store.run.lastVisit(state),
    reports: () => store.receipts.reportReceipts(),
    countedReports: () => store.receipts.countedReports(),
    endedVisits: (since) => store.run.endedVisits(since),
    uploadedText: () => store.upload()?.text,
    notifications: (entry) => store.outbox.about(entry),
  };
}
