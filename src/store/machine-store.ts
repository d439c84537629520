/**
 * All SQL. A machine's storage is one SQLite database with a handful of tables; everything here is
 * synchronous and belongs inside the caller's transaction.
 */

import type { Definition, LeftState, StateNumber, StoredSnapshot, Timer } from '../chart/chart.ts';
import { type HistoryEntry, HistoryTable } from './history-table.ts';
import { hasSchema, migrate } from './migrations.ts';
import { type Receipt, ReceiptTable } from './receipt-table.ts';
import { MACHINE_SCHEMA } from './schema.ts';

/** A machine as it is stored, the timers apart. */
export interface StoredMachine {
  /** Committed changes so far. */
  readonly revision: number;
  /** The revision at which the present run began. */
  readonly started: number;
  /** When it began, ms since the epoch. */
  readonly startedAt: number;
  /** History rows written so far; the newest has this number. */
  readonly entries: number;
  /** When the last change was committed, ms since the epoch. */
  readonly changedAt: number;
  readonly snapshot: StoredSnapshot;
  readonly chart: Omit<StoredChart, 'text'>;
}

/** Where a chart's text came from. */
export const CHART_ORIGINS = ['upload', 'binding', 'bundle'] as const;
export type ChartOrigin = (typeof CHART_ORIGINS)[number];

/** The chart that a machine runs by, kept whole: a machine needs nobody else to wake up. */
export interface StoredChart {
  /** SHA-256 of the text, hexadecimal. */
  readonly hash: string;
  readonly origin: ChartOrigin;
  readonly text: string;
  /** What was checked when the text was read: waking compiles this and does not read YAML again. */
  readonly definition: Definition;
}

/** One slot of one state, held by one caller until its lease ends, the state is left, or the slot is released. */
export interface Claim {
  readonly state: StateNumber;
  readonly by: string;
  /** ms since the epoch; a renewal does not change it. */
  readonly since: number;
  /** End of the lease, ms since the epoch. */
  readonly until: number;
}

/** What one turn has changed. */
export interface Changes {
  readonly revision: number;
  /** Entries of history written so far, these among them. */
  readonly entries: number;
  readonly at: number;
  readonly snapshot: StoredSnapshot;
  readonly timersSet: readonly Timer[];
  readonly timersCleared: readonly number[];
  /** Whether another run has begun: what is known of the states of the one before is dropped. */
  readonly restarted?: {
    readonly started: number;
    /** ms since the epoch. */
    readonly startedAt: number;
    readonly chart: StoredChart;
  };
  /** The chart that was uploaded to the address. */
  readonly uploaded?: Pick<StoredChart, 'hash' | 'text'>;
  /** Visits that have ended, and when (ms since the epoch). */
  readonly left: readonly (LeftState & { readonly at: number })[];
  /** States of which all slots were freed, before `claimsSet`. */
  readonly freed: readonly StateNumber[];
  readonly claimsSet: readonly Claim[];
  readonly claimsCleared: readonly Claim[];
  readonly receipts: readonly Receipt[];
  readonly history: readonly HistoryEntry[];
}

interface MachineRow extends Record<string, SqlStorageValue> {
  revision: number;
  started: number;
  started_at: number;
  entries: number;
  changed_at: number;
  snapshot: string;
  hash: string;
  origin: string;
  definition: string;
}

interface TimerRow extends Record<string, SqlStorageValue> {
  id: number;
  label: string;
  at: number;
  event: string;
}

interface ClaimRow extends Record<string, SqlStorageValue> {
  state: number;
  caller: string;
  since: number;
  until: number;
}

export class MachineStore {
  readonly history: HistoryTable;
  receipts: ReceiptTable;
  readonly #sql: SqlStorage;
  /** Whether the tables are known to be there, in their newest form. */
  #ready = false;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.history = new HistoryTable(sql);
    this.receipts = new ReceiptTable(sql);
  }

  /**
   * Reads how many entries the history has had, from storage, each time: what an object has in memory may be
   * stale, for the platform promises a single live object only where it touches storage. Every commit adds one.
   *
   * @returns undefined where there is no machine. Nothing is written to find that out.
   */
  entries(): number | undefined {
    if (!this.#ready && !this.#prepare()) return undefined;
    return this.#sql.exec<{ entries: number }>('SELECT entries FROM machine').toArray()[0]?.entries;
  }

  /** Reads the whole machine, or nothing where there is none. */
  load(): StoredMachine | undefined {
    if (!this.#ready && !this.#prepare()) return undefined;
    const [row] = this.#sql
      .exec<MachineRow>(
        `SELECT revision, started, started_at, entries, changed_at, snapshot, hash, origin, definition
           FROM machine JOIN chart ON chart.hash = machine.chart`,
      )
      .toArray();
    if (row === undefined) return undefined;
    return {
      revision: row.revision,
      started: row.started,
      startedAt: row.started_at,
      entries: row.entries,
      changedAt: row.changed_at,
      snapshot: JSON.parse(row.snapshot),
      chart: {
        hash: row.hash,
        origin: CHART_ORIGINS.find((known) => known === row.origin) ?? 'bundle',
        definition: JSON.parse(row.definition),
      },
    };
  }

  /** @returns the timers that are set, in the order in which they were. */
  timers(): Timer[] {
    return this.#sql.exec<TimerRow>('SELECT id, label, at, event FROM timer ORDER BY id').toArray();
  }

  /** @returns what the machine has counted, as it was stored; empty where nothing was. */
  counts(): string {
    return this.#sql.exec<{ counts: string }>('SELECT counts FROM machine').toArray()[0]?.counts ?? '';
  }

  /** All of it was deleted: there are no tables any more. */
  forget(): void {
    this.#ready = false;
    this.receipts = new ReceiptTable(this.#sql);
  }

  /** @returns the chart's text as it was written. */
  chartText(): string {
    const { text } = this.#sql
      .exec<{ text: string }>('SELECT text FROM chart JOIN machine ON hash = chart')
      .one();
    return text;
  }

  /** @returns bytes of the chart that the machine runs by: its text, and what was read of it. */
  chartBytes(): number {
    return this.#sql
      .exec<{ bytes: number }>(
        `SELECT length(CAST(text AS BLOB)) + length(CAST(definition AS BLOB)) AS bytes
         FROM chart JOIN machine ON hash = chart`,
      )
      .one().bytes;
  }

  /** @returns the definition of the chart with this hash, as JSON, where the machine has run by it last. */
  definition(hash: string): string | undefined {
    const rows = this.#sql
      .exec<{ definition: string }>('SELECT definition FROM chart WHERE hash = ?', hash)
      .toArray();
    return rows[0]?.definition;
  }

  /** @returns the chart that was uploaded to the address, if one was. Nothing is written to find that out. */
  upload(): Pick<StoredChart, 'hash' | 'text'> | undefined {
    if (!this.#ready && !this.#prepare()) return undefined;
    return this.#sql.exec<{ hash: string; text: string }>('SELECT hash, text FROM upload').toArray()[0];
  }

  /** @returns the states that were entered and left. */
  leftStates(): ReadonlySet<StateNumber> {
    const rows = this.#sql.exec<{ state: number }>('SELECT state FROM visited').toArray();
    return new Set(rows.map(({ state }) => state));
  }

  /** @returns of each state that was left, its last visit, and when it ended (ms since the epoch). */
  endedVisits(): (LeftState & { readonly at: number })[] {
    return this.#sql
      .exec<{ state: number; visit: number; at: number }>('SELECT state, visit, left_at AS at FROM visited')
      .toArray();
  }

  /** @returns the number of the visit of `state` that ended last. */
  lastVisit(state: StateNumber): number | undefined {
    const rows = this.#sql
      .exec<{ visit: number }>('SELECT visit FROM visited WHERE state = ?', state)
      .toArray();
    return rows[0]?.visit;
  }

  /** @returns the slots that are held. */
  claims(): Claim[] {
    const rows = this.#sql.exec<ClaimRow>('SELECT state, caller, since, until FROM claim').toArray();
    return rows.map(({ caller: by, ...row }) => ({ ...row, by }));
  }

  /** Writes the first turn of a machine, and makes the tables where there are none. */
  create(changes: Changes, counts = ''): void {
    migrate(this.#sql, MACHINE_SCHEMA);
    this.#sql.exec(
      `INSERT INTO machine (id, chart, revision, started, started_at, entries, changed_at, snapshot, counts)
       VALUES (1, '', 0, 0, 0, 0, 0, '', '')`,
    );
    this.write(changes, counts);
  }

  /**
   * Writes one turn: one row for the machine, one for each entry of the history, and one for each state left,
   * each timer or claim set or cleared, and each receipt.
   */
  write(changes: Changes, counts = ''): void {
    if (changes.restarted !== undefined) this.#restart(changes.restarted);
    if (changes.uploaded !== undefined) {
      const { hash, text } = changes.uploaded;
      this.#sql.exec('INSERT OR REPLACE INTO upload (id, hash, text) VALUES (1, ?, ?)', hash, text);
    }
    for (const id of changes.timersCleared) this.#sql.exec('DELETE FROM timer WHERE id = ?', id);
    for (const { id, label, at, event } of changes.timersSet) {
      this.#sql.exec('INSERT INTO timer (id, label, at, event) VALUES (?, ?, ?, ?)', id, label, at, event);
    }
    for (const { state, visit, at } of changes.left) {
      this.#sql.exec(
        'INSERT OR REPLACE INTO visited (state, visit, left_at) VALUES (?, ?, ?)',
        state,
        visit,
        at,
      );
    }
    for (const state of changes.freed) this.#sql.exec('DELETE FROM claim WHERE state = ?', state);
    for (const { state, by } of changes.claimsCleared) {
      this.#sql.exec('DELETE FROM claim WHERE state = ? AND caller = ?', state, by);
    }
    for (const { state, by, since, until } of changes.claimsSet) {
      this.#sql.exec(
        'INSERT OR REPLACE INTO claim (state, caller, since, until) VALUES (?, ?, ?, ?)',
        state,
        by,
        since,
        until,
      );
    }
    this.receipts.keep(changes.receipts);
    for (const entry of changes.history) this.history.record(entry);
    this.#sql.exec(
      'UPDATE machine SET revision = ?, entries = ?, changed_at = ?, snapshot = ?, counts = ?',
      changes.revision,
      changes.entries,
      changes.at,
      JSON.stringify(changes.snapshot),
      counts,
    );
  }

  /** Begins another run: the chart may be another, and its states have other numbers. */
  #restart({ started, startedAt, chart }: NonNullable<Changes['restarted']>): void {
    for (const table of ['chart', 'timer', 'visited', 'claim']) this.#sql.exec(`DELETE FROM ${table}`);
    this.receipts.dropReports();
    this.#sql.exec(
      'INSERT INTO chart (hash, origin, text, definition) VALUES (?, ?, ?, ?)',
      chart.hash,
      chart.origin,
      chart.text,
      JSON.stringify(chart.definition),
    );
    this.#sql.exec(
      'UPDATE machine SET chart = ?, started = ?, started_at = ?',
      chart.hash,
      started,
      startedAt,
    );
  }

  /** @returns whether there are tables; brings old ones to their newest form. */
  #prepare(): boolean {
    if (!hasSchema(this.#sql)) return false;
    migrate(this.#sql, MACHINE_SCHEMA);
    this.#ready = true;
    return true;
  }
}
