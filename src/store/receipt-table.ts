/**
 * Receipts of reports and requests that were answered: a repeat changes nothing. One table serves `by=` (a caller counts
 * once per visit and event) and `Idempotency-Key`.
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { StateNumber } from '../chart/chart.ts';
import type { Accepted } from '../commands.ts';
import { RECEIPTS, RECEIPTS_SLACK, REPORT_DATA, REPORT_DATA_SLACK } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import { OptionalTable } from './optional-table.ts';
import { parseJson, RowParser } from './row-parser.ts';
import { isAnswer, isNames, isReportAnswer } from './stored-json.ts';

/** One receipt. Its key says whether it is of a report (`reportKey`) or of a request (`requestKey`). */
export interface Receipt {
  readonly key: string;
  /** Of a report: the visit of the state that it was sent to. Else 0. */
  readonly visit: number;
  /** Of a report: the number of visits that the run had begun; otherwise 0. */
  readonly began: number;
  /**
   * Of a request: a hash of it (`hashOfRequest`). Of a report: the counts that have counted it, of those that a change of
   * members or inputs counts anew: JSON, or empty for none.
   */
  readonly request: string;
  /**
   * Of a request: its response as JSON, of at most `RECEIPT_BYTES`. Of a report: when it was accepted, and its data
   * (`reportAnswer`); empty for a report from before these were kept.
   */
  readonly answer: string;
}

/** A receipt of a report that a share of the members has counted. */
export type CountedReport = Pick<Receipt, 'key' | 'began' | 'request'>;

/** An accepted report whose caller gave a name (`by`). */
export interface Report {
  readonly event: string;
  readonly by: string;
  /** The number of visits that the run had begun. */
  readonly began: number;
  /** The state that it was sent to. */
  readonly state: StateNumber;
}

/** A report of one visit of a state, as its receipt has it. */
export interface KeptReport {
  readonly event: string;
  readonly by: string;
  /** ms since the epoch; null for a report from before this was kept. */
  readonly at: number | null;
  /** JSON; absent where it had none, or where it was dropped (`REPORT_DATA`). */
  readonly data?: string;
  /** The number of the receipt: a later report has a larger one. */
  readonly number: number;
}

/** Reports of one visit, and whether there are more than their length allowed. */
interface KeptReports {
  readonly reports: readonly KeptReport[];
  readonly isCut: boolean;
}

/** Starts the keys of all receipts of reports, and of no others. */
const REPORT = 'by/';

/** Starts the keys of all receipts of requests. */
const REQUEST = 'key/';

/** Selects the receipts of reports, and those of requests: ranges of the primary key. */
const IS_REPORT = `key GLOB '${REPORT}*'`;
const IS_REQUEST = `key GLOB '${REQUEST}*'`;

/** Returns the key of a caller's report. A later report of the same caller overwrites the receipt. */
export function reportKey(state: StateNumber, event: string, by: string): string {
  return `${REPORT}${state}/${JSON.stringify([event, by])}`;
}

/** Returns the key of a request with an `Idempotency-Key`. */
export function requestKey(key: string): string {
  return `${REQUEST}${key}`;
}

/**
 * Returns the answer of a report's receipt.
 *
 * @param at when the report was accepted, ms since the epoch.
 * @param data JSON.
 */
export function reportAnswer(at: number, data: string | undefined): string {
  // `dropData` cuts it off: it comes last.
  return data === undefined ? `{"at":${at}}` : `{"at":${at},"data":${data}}`;
}

/** Returns the counts that a report was counted in, as its receipt keeps them. @param keys of the counts. */
export function writeCounts(keys: readonly string[]): string {
  return keys.length === 0 ? '' : JSON.stringify(keys);
}

/** The inverse of `writeCounts`, for a receipt. @throws `DamagedRow` */
export function readCounts({ key, request }: CountedReport): readonly string[] {
  return request === '' ? [] : ROW.json({ key, request }, 'request', isNames);
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

/**
 * The receipts' table. It keeps the newest `RECEIPTS` of reports and as many of requests, and up to `RECEIPTS_SLACK` more; of
 * the data in them the newest `REPORT_DATA` bytes, and up to `REPORT_DATA_SLACK` more.
 *
 * Each kind has a bound of its own: a caller may make up any number of keys, and must not make the machine forget who has
 * reported.
 *
 * A receipt is overwritten by the next report of its caller and event to the state. So the data of a visit are there until
 * the callers report in the next one; a reader leaves out what is of an earlier visit.
 */
export class ReceiptTable {
  readonly #table: OptionalTable;
  /**
   * The newest number that was given; the receipts of the kind that has more, at most; and the bytes of data, at most: what was
   * overwritten is counted until it is counted anew. Undefined until a receipt is kept.
   */
  #numbers: { newest: number; most: number; data: number } | undefined;

  constructor(sql: SqlStorage) {
    this.#table = new OptionalTable(sql, 'receipt');
  }

  find(key: string): Receipt | undefined {
    const [row] = this.#table.rows<ReceiptRow>(`SELECT ${COLUMNS} FROM receipt WHERE key = ?`, key);
    return row && toReceipt(row);
  }

  /** Returns the receipts with these keys, by one statement. */
  findAll(keys: readonly string[]): Receipt[] {
    const sql = `SELECT ${COLUMNS} FROM receipt WHERE key IN (SELECT value FROM json_each(?))`;
    return this.#table.rows<ReceiptRow>(sql, JSON.stringify(keys)).map(toReceipt);
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

  /** Returns the receipts of the reports that count anew with a change of members or inputs: their keys, counts and times. */
  countedReports(): CountedReport[] {
    return this.#table
      .rows<Pick<ReceiptRow, 'key' | 'began' | 'request'>>(
        `SELECT key, began, request FROM receipt WHERE ${IS_REPORT} AND request <> ''`,
      )
      .map((row) => ({
        key: ROW.text(row, 'key'),
        began: ROW.number(row, 'began'),
        request: ROW.text(row, 'request'),
      }));
  }

  /**
   * Returns the reports that were sent to a state in one of its visits, the oldest first.
   *
   * @param after only reports with larger numbers.
   * @param most reports at most.
   * @param length characters at most, about; one report is returned whatever its length.
   */
  reportsOf(state: StateNumber, visit: number, after: number, most: number, length: number): KeptReports {
    const rows = this.#table.rows<Pick<ReceiptRow, 'key' | 'answer'> & { number: number }>(
      `SELECT key, number, answer FROM receipt
        WHERE key >= ? AND key < ? AND visit = ? AND number > ? ORDER BY number LIMIT ?`,
      `${REPORT}${state}/`,
      // The character after `/`.
      `${REPORT}${state}0`,
      visit,
      after,
      most,
    );
    const reports: KeptReport[] = [];
    let left = length;
    for (const { number, ...row } of rows) {
      left -= row.key.length + row.answer.length;
      if (left < 0 && reports.length > 0) return { reports, isCut: true };
      const { event, by } = parseReportKey(row);
      reports.push({ event, by, number, ...parseReportAnswer(row) });
    }
    return { reports, isCut: false };
  }

  /** Keeps receipts. Drops the oldest of a kind once there may be too many, some hundreds at a time, because it is a scan. */
  keep(receipts: readonly Receipt[]): void {
    if (receipts.length === 0) return;
    this.#numbers ??= this.#readNumbers();
    for (const { key, visit, began, request, answer } of receipts) {
      this.#numbers.newest += 1;
      this.#numbers.most += 1;
      this.#table.insert(
        'INSERT OR REPLACE INTO receipt (key, number, visit, began, request, answer) VALUES (?, ?, ?, ?, ?, ?)',
        key,
        this.#numbers.newest,
        visit,
        began,
        request,
        answer,
      );
      if (isReport(key)) this.#numbers.data += Math.max(0, Buffer.byteLength(answer) - BARE);
    }
    if (this.#numbers.data >= REPORT_DATA + REPORT_DATA_SLACK) this.#numbers.data = this.#dropData();
    if (this.#numbers.most < RECEIPTS + RECEIPTS_SLACK) return;
    this.#numbers.most = RECEIPTS;
    for (const isOfKind of [IS_REPORT, IS_REQUEST]) {
      this.#table.delete(
        `DELETE FROM receipt WHERE ${isOfKind} AND number <=
           (SELECT number FROM receipt WHERE ${isOfKind} ORDER BY number DESC LIMIT 1 OFFSET ?)`,
        RECEIPTS,
      );
    }
  }

  /** Drops the receipts of reports: another run has begun, and their states are gone. */
  dropReports(): void {
    this.#table.delete(`DELETE FROM receipt WHERE ${IS_REPORT}`);
    if (this.#numbers !== undefined) this.#numbers.data = 0;
  }

  /**
   * Drops the data of the oldest reports beyond `REPORT_DATA`, and keeps their receipts. Returns the bytes that are left, at
   * most.
   */
  #dropData(): number {
    const [oldest] = this.#table.rows<{ number: number }>(
      `SELECT number FROM (
         SELECT number, sum(${DATA_SIZE}) OVER (ORDER BY number DESC) AS size FROM receipt WHERE ${HAS_DATA}
       ) WHERE size > ? ORDER BY number DESC LIMIT 1`,
      REPORT_DATA,
    );
    if (oldest !== undefined) {
      this.#table.delete(
        `UPDATE receipt SET answer = substr(answer, 1, instr(answer, ',') - 1) || '}'
          WHERE ${HAS_DATA} AND number <= ?`,
        oldest.number,
      );
    }
    return REPORT_DATA;
  }

  /** Forgets what it knows of the table: storage was deleted, or a transaction was rolled back. */
  forget(): void {
    this.#numbers = undefined;
    this.#table.forget();
  }

  #readNumbers() {
    const [row] = this.#table.rows<{ newest: number | null; most: number; data: number }>(
      `SELECT max(number) AS newest,
              max(count(*) FILTER (WHERE ${IS_REPORT}), count(*) FILTER (WHERE ${IS_REQUEST})) AS most,
              coalesce(sum(${DATA_SIZE}) FILTER (WHERE ${HAS_DATA}), 0) AS data
         FROM receipt`,
    );
    return { newest: row?.newest ?? 0, most: row?.most ?? 0, data: row?.data ?? 0 };
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

/** Bytes of a report's answer without data, at most: `{"at":1764309600000}`, with two more digits. */
const BARE = 22;

/** Selects the receipts of reports with data. The length of a column is in the row's header: the data are not read for it. */
const HAS_DATA = `${IS_REPORT} AND octet_length(answer) > ${BARE}`;

/** Bytes of a report's data. */
const DATA_SIZE = `octet_length(answer) - ${BARE}`;

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

function parseReportAnswer(row: Pick<ReceiptRow, 'key' | 'answer'>): Pick<KeptReport, 'at' | 'data'> {
  if (row.answer === '') return { at: null };
  const { at, data } = ROW.json(row, 'answer', isReportAnswer);
  return { at, ...(data === undefined ? {} : { data: JSON.stringify(data) }) };
}
