/**
 * Receipts of reports and requests that were answered: a repeat changes nothing. One table serves `by=` (a caller counts
 * once per visit and event) and `Idempotency-Key`.
 */
import { createHash } from 'node:crypto';
import type { StateNumber } from '../chart/chart.ts';
import type { Accepted } from '../commands.ts';
import { RECEIPTS, RECEIPTS_SLACK } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import { OptionalTable } from './optional-table.ts';
import { parseJson, RowParser } from './row-parser.ts';
import { isAnswer, isNames } from './stored-json.ts';

/** One receipt. Its key says whether it is of a report (`reportKey`) or of a request (`requestKey`). */
export interface Receipt {
  readonly key: string;
  /** Of a report: the visit of the state that it was sent to. Else 0. */
  readonly visit: number;
  /** Of a report: how many visits the run had begun by then. Else 0. */
  readonly began: number;
  /** Of a request: a hash of it (`hashOfRequest`). Else empty. */
  readonly request: string;
  /** Of a request: its response as JSON, of at most `RECEIPT_BYTES`. Else empty. */
  readonly answer: string;
}

/** An accepted report whose caller gave a name (`by`). */
export interface Report {
  readonly event: string;
  readonly by: string;
  /** How many visits the run had begun by then. */
  readonly began: number;
  /** The state that it was sent to. */
  readonly state: StateNumber;
}

/** Starts the keys of all receipts of reports, and of no others. */
const REPORT = 'by/';

/** Selects the receipts of reports: a range of the primary key. */
const IS_REPORT = `key GLOB '${REPORT}*'`;

/** Returns the key of a caller's report. A later report of the same caller overwrites the receipt. */
export function reportKey(state: StateNumber, event: string, by: string): string {
  return `${REPORT}${state}/${JSON.stringify([event, by])}`;
}

/** Returns the key of a request with an `Idempotency-Key`. */
export function requestKey(key: string): string {
  return `key/${key}`;
}

/** Whether a key is of a report, not of a request. */
export function isReport(key: string): boolean {
  return key.startsWith(REPORT);
}

/** The inverse of `reportKey`; undefined for the key of a request. */
export function readReportKey(key: string): Omit<Report, 'began'> | undefined {
  return isReport(key) ? parseReportKey({ key }) : undefined;
}

/** Returns the answer to the request that a receipt is of. @throws `DamagedRow` */
export function readAnswer(receipt: Receipt): Accepted | Refusal {
  return ROW.json({ ...receipt }, 'answer', isAnswer);
}

/** Returns SHA-256 of a request: its length is the caller's choice, the receipt's is not. */
export function hashOfRequest(request: string): string {
  return createHash('sha256').update(request).digest('base64url');
}

/** The receipts' table. It keeps the newest `RECEIPTS`, and up to `RECEIPTS_SLACK` more. */
export class ReceiptTable {
  readonly #table: OptionalTable;
  /** The newest number that was given, and the last that was dropped; undefined until a receipt is kept. */
  #numbers: { newest: number; oldest: number } | undefined;

  constructor(sql: SqlStorage) {
    this.#table = new OptionalTable(sql, 'receipt');
  }

  find(key: string): Receipt | undefined {
    const [row] = this.#table.rows<ReceiptRow>(`SELECT ${COLUMNS} FROM receipt WHERE key = ?`, key);
    return row && toReceipt(row);
  }

  /** Returns the accepted reports with a `by`, the oldest first: at most as many as there are receipts. */
  reports(): Report[] {
    return this.#table
      .rows<Pick<ReceiptRow, 'key' | 'began'>>(
        `SELECT key, began FROM receipt WHERE ${IS_REPORT} ORDER BY number`,
      )
      .map((row) => ({ ...parseReportKey(row), began: ROW.number(row, 'began') }));
  }

  /** Returns the receipts of all reports, the oldest first. */
  reportReceipts(): Receipt[] {
    return this.#table
      .rows<ReceiptRow>(`SELECT ${COLUMNS} FROM receipt WHERE ${IS_REPORT} ORDER BY number`)
      .map(toReceipt);
  }

  /** Keeps receipts. Drops the oldest once there are too many, some hundreds at a time, because it is a scan. */
  keep(receipts: readonly Receipt[]): void {
    if (receipts.length === 0) return;
    this.#numbers ??= this.#readNumbers();
    for (const { key, visit, began, request, answer } of receipts) {
      this.#numbers.newest += 1;
      this.#table.insert(
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
    this.#table.delete('DELETE FROM receipt WHERE number <= ?', this.#numbers.oldest);
  }

  /** Drops the receipts of reports: another run has begun, and their states are gone. */
  dropReports(): void {
    this.#table.delete(`DELETE FROM receipt WHERE ${IS_REPORT}`);
  }

  /** Forgets what it knows of the table: storage was deleted, or a transaction was rolled back. */
  forget(): void {
    this.#numbers = undefined;
    this.#table.forget();
  }

  #readNumbers() {
    const [row] = this.#table.rows<{ newest: number | null; oldest: number | null }>(
      'SELECT max(number) AS newest, min(number) AS oldest FROM receipt',
    );
    return { newest: row?.newest ?? 0, oldest: (row?.oldest ?? 1) - 1 };
  }
}

/** A row without its number: what each column holds, `Receipt` says. */
type ReceiptRow = {
  key: string;
  visit: number;
  began: number;
  request: string;
  answer: string;
};

const COLUMNS = 'key, visit, began, request, answer';

const ROW = new RowParser<ReceiptRow>('receipt', 'key');

function toReceipt(row: ReceiptRow): Receipt {
  return {
    key: ROW.text(row, 'key'),
    visit: ROW.number(row, 'visit'),
    began: ROW.number(row, 'began'),
    request: ROW.text(row, 'request'),
    answer: ROW.text(row, 'answer'),
  };
}

function parseReportKey(row: Pick<ReceiptRow, 'key'>): Omit<Report, 'began'> {
  const [, state, names = ''] = /^(\d+)\/(.*)$/s.exec(ROW.text(row, 'key').slice(REPORT.length)) ?? [];
  const pair = parseJson(names);
  const [event, by] = isNames(pair) ? pair : [];
  if (state === undefined || event === undefined || by === undefined) {
    throw ROW.damaged(row, 'key', 'the key of a report');
  }
  return { state: Number(state), event, by };
}
