/**
 * Receipts: what is remembered of requests that were answered, so that one that comes again changes nothing.
 * The one mechanism under `by=` (a caller counts once per visit and event) and `Idempotency-Key`.
 */
import { createHash } from 'node:crypto';
import type { StateNumber } from '../chart/chart.ts';
import { RECEIPTS, RECEIPTS_SLACK } from '../limits.ts';

/** A row of the store. Its key says what it is a receipt of: see `reportKey` and `requestKey`. */
export interface Receipt {
  readonly key: string;
  /** Of a report: the visit of the state that it was sent to. Else 0. */
  readonly visit: number;
  /** Of a report: how many visits the machine had begun by then. Else 0. */
  readonly began: number;
  /** Of a request with a key: a hash of what it asked for (`hashOfRequest`). Else empty. */
  readonly request: string;
  /** Of a request with a key: what it was answered (JSON), of at most `RECEIPT_BYTES`. Else empty. */
  readonly answer: string;
}

/** A report that was accepted from a caller who said who it is. */
export interface Report {
  readonly event: string;
  readonly by: string;
  /** How many visits the machine had begun by then. */
  readonly began: number;
  /** The state that it was sent to. */
  readonly state: StateNumber;
}

/** Starts the keys of all receipts of reports, and of no others. */
const REPORT = 'by/';

/** Selects the receipts of reports. */
const IS_REPORT = `key GLOB '${REPORT}*'`;

/** Returns the key of a caller's report. A later report of the same caller overwrites the receipt. */
export function reportKey(state: StateNumber, event: string, by: string): string {
  return `${REPORT}${state}/${JSON.stringify([event, by])}`;
}

/** Whether a key is of a report (`reportKey`), not of a request. */
export function isReport(key: string): boolean {
  return key.startsWith(REPORT);
}

/** Returns the key of a request with an `Idempotency-Key`. */
export function requestKey(key: string): string {
  return `key/${key}`;
}

/** @returns what a receipt keeps of a request, whose length is its caller's to choose: SHA-256. */
export function hashOfRequest(request: string): string {
  return createHash('sha256').update(request).digest('base64url');
}

/** The receipts' table. */
export class ReceiptTable {
  readonly #sql: SqlStorage;
  /** The newest number that was given, and the last that was dropped. */
  #numbers: { newest: number; oldest: number } | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  find(key: string): Receipt | undefined {
    const statement = 'SELECT key, visit, began, request, answer FROM receipt WHERE key = ?';
    return this.#sql.exec<ReceiptRow>(statement, key).toArray()[0];
  }

  /** @returns accepted reports of those who said who they are, the oldest first: as many as there are receipts. */
  reports(): Report[] {
    const rows = this.#sql
      .exec<{ key: string; began: number }>(
        `SELECT key, began FROM receipt WHERE ${IS_REPORT} ORDER BY number`,
      )
      .toArray();
    return rows.flatMap(({ key, began }) => {
      const report = readReportKey(key);
      return report === undefined ? [] : [{ ...report, began }];
    });
  }

  /** @returns the receipts of all reports, the oldest first. */
  reportReceipts(): Receipt[] {
    const statement = `SELECT key, visit, began, request, answer FROM receipt WHERE ${IS_REPORT} ORDER BY number`;
    return this.#sql.exec<ReceiptRow>(statement).toArray();
  }

  /** Keeps receipts, and drops the oldest once there are too many: some hundreds at a time, for it is a scan. */
  keep(receipts: readonly Receipt[]): void {
    if (receipts.length === 0) return;
    this.#numbers ??= this.#count();
    for (const { key, visit, began, request, answer } of receipts) {
      this.#numbers.newest += 1;
      this.#sql.exec(
        'INSERT OR REPLACE INTO receipt (key, number, visit, began, request, answer) VALUES (?, ?, ?, ?, ?, ?)',
        key,
        this.#numbers.newest,
        visit,
        began,
        request,
        answer,
      );
    }
    const { newest, oldest } = this.#numbers;
    if (newest - oldest < RECEIPTS + RECEIPTS_SLACK) return;
    this.#numbers.oldest = newest - RECEIPTS;
    this.#sql.exec('DELETE FROM receipt WHERE number <= ?', this.#numbers.oldest);
  }

  #count() {
    const { newest, oldest } = this.#sql
      .exec<{ newest: number | null; oldest: number | null }>(
        'SELECT max(number) AS newest, min(number) AS oldest FROM receipt',
      )
      .one();
    return { newest: newest ?? 0, oldest: (oldest ?? 1) - 1 };
  }

  /** Drops those of reports: they are about states that are no more. */
  dropReports(): void {
    this.#sql.exec(`DELETE FROM receipt WHERE ${IS_REPORT}`);
  }
}

/** The inverse of `reportKey`; undefined for other receipts. */
export function readReportKey(key: string): { state: StateNumber; event: string; by: string } | undefined {
  if (!isReport(key)) return undefined;
  const match = /^(\d+)\/(.*)$/s.exec(key.slice(REPORT.length));
  if (match === null) return undefined;
  const [event, by]: [string, string] = JSON.parse(match[2] ?? '["",""]');
  return { state: Number(match[1]), event, by };
}

interface ReceiptRow extends Record<string, SqlStorageValue> {
  key: string;
  visit: number;
  began: number;
  request: string;
  answer: string;
}
