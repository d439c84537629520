/**
 * All SQL of a machine. Its storage is one SQLite database with the tables of `schema.ts`. Everything here is
 * synchronous, takes times as arguments, and leaves the transaction to its caller.
 */

import type { Claim, CoolingSlot, StateNumber, Timer } from '../chart/chart.ts';
import { HistoryTable } from './history-table.ts';
import {
  CHART,
  type ChartRow,
  CLAIM,
  type ClaimRow,
  COOLING,
  type CoolingRow,
  MACHINE,
  type MachineRow,
  TIMER,
  type TimerRow,
  UPLOAD,
  type UploadRow,
  VISITED,
  type VisitedRow,
} from './machine-rows.ts';
import { hasSchema, type Migratable, migrate } from './migrations.ts';
import { OptionalTable } from './optional-table.ts';
import { ReceiptTable } from './receipt-table.ts';
import { MACHINE_SCHEMA } from './schema.ts';
import { isCounts, isDefinition, isSnapshot, NO_COUNTS, type StoredCounts } from './stored-json.ts';
import {
  CHART_ORIGINS,
  type Changes,
  type EndedVisit,
  type StoredChart,
  type StoredMachine,
} from './stored-machine.ts';

export type { Changes, StoredChart };

/** Tells the states of a machine apart, and machines that began at one address one after the other. */
export type Version = Pick<StoredMachine, 'entries' | 'revision'>;

/** A machine's storage. Reading never creates tables: an address that was never used stays empty. */
export class MachineStore {
  readonly history: HistoryTable;
  readonly receipts: ReceiptTable;
  readonly #storage: Migratable;
  readonly #sql: SqlStorage;
  readonly #uploads: OptionalTable;
  readonly #timers: OptionalTable;
  readonly #visited: OptionalTable;
  readonly #claims: OptionalTable;
  readonly #cooling: OptionalTable;
  /** Whether the tables that every machine has are known to exist, in their newest version. */
  #ready = false;

  constructor(storage: Migratable) {
    const { sql } = storage;
    this.#storage = storage;
    this.#sql = sql;
    this.history = new HistoryTable(sql);
    this.receipts = new ReceiptTable(sql);
    this.#uploads = new OptionalTable(sql, 'upload');
    this.#timers = new OptionalTable(sql, 'timer');
    this.#visited = new OptionalTable(sql, 'visited');
    this.#claims = new OptionalTable(sql, 'claim');
    this.#cooling = new OptionalTable(sql, 'cooling');
  }

  /**
   * Returns the version of the machine; undefined where there is none. Every commit that changes anything changes it, so a
   * caller compares it with its memory, which may be stale: the platform promises one live object only where it touches
   * storage.
   */
  version(): Version | undefined {
    if (!this.#hasTables()) return undefined;
    try {
      const [row] = this.#sql
        .exec<Pick<MachineRow, 'entries' | 'revision'>>('SELECT entries, revision FROM machine')
        .toArray();
      return row && { entries: MACHINE.number(row, 'entries'), revision: MACHINE.number(row, 'revision') };
    } catch (error) {
      if (hasSchema(this.#sql)) throw error;
      // A second object of the address has erased it.
      this.forget();
      return undefined;
    }
  }

  /** Returns the revision of the machine; 0 where there is none. */
  revision(): number {
    return this.#sql.exec<{ revision: number }>('SELECT revision FROM machine').toArray()[0]?.revision ?? 0;
  }

  /** Reads the machine; undefined where there is none. */
  load(): StoredMachine | undefined {
    if (!this.#hasTables()) return undefined;
    const [row] = this.#sql
      .exec<MachineRow & ChartRow>(
        `SELECT revision, started, started_at, entries, changed_at, snapshot, hash, origin, definition
           FROM machine LEFT JOIN chart ON chart.hash = machine.chart`,
      )
      .toArray();
    if (row === undefined) return undefined;
    return {
      revision: MACHINE.number(row, 'revision'),
      started: MACHINE.number(row, 'started'),
      startedAt: MACHINE.number(row, 'started_at'),
      entries: MACHINE.number(row, 'entries'),
      changedAt: MACHINE.number(row, 'changed_at'),
      snapshot: MACHINE.json(row, 'snapshot', isSnapshot),
      chart: {
        hash: CHART.text(row, 'hash'),
        origin: CHART.oneOf(row, 'origin', CHART_ORIGINS),
        definition: CHART.json(row, 'definition', isDefinition),
      },
    };
  }

  /** Returns the timers that are set, in the order in which they were set. */
  timers(): Timer[] {
    return this.#timers.rows<TimerRow>('SELECT id, label, at, event FROM timer ORDER BY id').map((row) => ({
      id: TIMER.number(row, 'id'),
      label: TIMER.text(row, 'label'),
      at: TIMER.number(row, 'at'),
      event: TIMER.text(row, 'event'),
    }));
  }

  /** Returns the claims that are held. */
  claims(): Claim[] {
    return this.#claims.rows<ClaimRow>('SELECT state, caller, since, until FROM claim').map((row) => ({
      state: CLAIM.number(row, 'state'),
      by: CLAIM.text(row, 'caller'),
      since: CLAIM.number(row, 'since'),
      until: CLAIM.number(row, 'until'),
    }));
  }

  /** Returns the slots in their cooldown, and some whose cooldown is over. */
  cooling(): CoolingSlot[] {
    return this.#cooling.rows<CoolingRow>('SELECT state, slot, until FROM cooling').map((row) => ({
      state: COOLING.number(row, 'state'),
      slot: COOLING.number(row, 'slot'),
      until: COOLING.number(row, 'until'),
    }));
  }

  /** Returns when the first timer comes due or the first lease ends, ms since the epoch; undefined where none does. */
  firstDue(): number | undefined {
    if (!this.#hasTables()) return undefined;
    const timers = this.#timers.rows<{ at: number | null }>('SELECT min(at) AS at FROM timer');
    const claims = this.#claims.rows<{ at: number | null }>('SELECT min(until) AS at FROM claim');
    const times = [...timers, ...claims].flatMap(({ at }) => at ?? []);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Returns what the machine has counted. */
  counts(): StoredCounts {
    const [row] = this.#sql.exec<Pick<MachineRow, 'counts'>>('SELECT counts FROM machine').toArray();
    return row === undefined ? NO_COUNTS : MACHINE.json(row, 'counts', isCounts);
  }

  /** Returns the chart's text as it was written. */
  chartText(): string {
    const row = this.#sql
      .exec<Pick<ChartRow, 'text'>>('SELECT text FROM chart JOIN machine ON hash = chart')
      .one();
    return CHART.text(row, 'text');
  }

  /** Returns the bytes of the chart that the machine runs: its text and its definition. */
  chartBytes(): number {
    return this.#sql
      .exec<{ bytes: number }>(
        `SELECT length(CAST(text AS BLOB)) + length(CAST(definition AS BLOB)) AS bytes
         FROM chart JOIN machine ON hash = chart`,
      )
      .one().bytes;
  }

  /** Returns the definition as JSON of the chart that the machine runs; undefined where its hash is another one. */
  definition(hash: string): string | undefined {
    const [row] = this.#sql
      .exec<Pick<ChartRow, 'definition'>>('SELECT definition FROM chart WHERE hash = ?', hash)
      .toArray();
    return row && CHART.text(row, 'definition');
  }

  /** Returns the chart that was uploaded to the address, if one was. */
  upload(): Pick<StoredChart, 'hash' | 'text'> | undefined {
    const [row] = this.#uploads.rows<UploadRow>('SELECT hash, text FROM upload');
    return row && { hash: UPLOAD.text(row, 'hash'), text: UPLOAD.text(row, 'text') };
  }

  /** Returns the states that were entered and left in the present run. */
  leftStates(): ReadonlySet<StateNumber> {
    return new Set(this.endedVisits().map(({ state }) => state));
  }

  /** Returns the last ended visit of each state that was left in the present run. */
  endedVisits(): EndedVisit[] {
    return this.#visited.rows<VisitedRow>('SELECT state, visit, left_at FROM visited').map((row) => ({
      state: VISITED.number(row, 'state'),
      visit: VISITED.number(row, 'visit'),
      at: VISITED.number(row, 'left_at'),
    }));
  }

  /** Returns the number of the visit of `state` that ended last. */
  lastVisit(state: StateNumber): number | undefined {
    const [row] = this.#visited.rows<Pick<VisitedRow, 'state' | 'visit'>>(
      'SELECT state, visit FROM visited WHERE state = ?',
      state,
    );
    return row && VISITED.number(row, 'visit');
  }

  /** Writes the first turn of a machine. Creates the tables where there are none. */
  create(changes: Changes, counts = NO_COUNTS): void {
    migrate(this.#storage, MACHINE_SCHEMA);
    this.write(changes, counts);
  }

  /**
   * Writes one turn: the row of the machine, and one row for each history entry, each state left, each timer or claim
   * set or cleared, and each receipt.
   */
  write(changes: Changes, counts = NO_COUNTS): void {
    if (changes.restarted !== undefined) this.#restart(changes.restarted);
    if (changes.uploaded !== undefined) {
      const { hash, text } = changes.uploaded;
      this.#uploads.insert('INSERT OR REPLACE INTO upload (id, hash, text) VALUES (1, ?, ?)', hash, text);
    }
    for (const id of changes.timersCleared) this.#timers.delete('DELETE FROM timer WHERE id = ?', id);
    for (const { id, label, at, event } of changes.timersSet) {
      this.#timers.insert(
        'INSERT INTO timer (id, label, at, event) VALUES (?, ?, ?, ?)',
        id,
        label,
        at,
        event,
      );
    }
    for (const { state, visit, at } of changes.left) {
      this.#visited.insert(
        'INSERT OR REPLACE INTO visited (state, visit, left_at) VALUES (?, ?, ?)',
        state,
        visit,
        at,
      );
    }
    for (const state of changes.cooling?.dropped ?? []) {
      this.#cooling.delete('DELETE FROM cooling WHERE state = ?', state);
    }
    for (const { state, slot, until } of changes.cooling?.set ?? []) {
      this.#cooling.insert(
        'INSERT OR REPLACE INTO cooling (state, slot, until) VALUES (?, ?, ?)',
        state,
        slot,
        until,
      );
    }
    for (const state of changes.freed) this.#claims.delete('DELETE FROM claim WHERE state = ?', state);
    for (const { state, by } of changes.claimsCleared) {
      this.#claims.delete('DELETE FROM claim WHERE state = ? AND caller = ?', state, by);
    }
    for (const { state, by, since, until } of changes.claimsSet) {
      this.#claims.insert(
        'INSERT OR REPLACE INTO claim (state, caller, since, until) VALUES (?, ?, ?, ?)',
        state,
        by,
        since,
        until,
      );
    }
    this.receipts.keep(changes.receipts);
    for (const entry of changes.history) this.history.record(entry);
    this.#writeMachine(changes, counts);
  }

  /** Forgets what it knows of the storage: all of it was deleted, or a transaction was rolled back. */
  forget(): void {
    this.#ready = false;
    this.receipts.forget();
    for (const table of [this.#uploads, this.#timers, this.#visited, this.#claims, this.#cooling])
      table.forget();
  }

  /** Writes the row of the machine in one statement. Another run has another chart and beginning as well. */
  #writeMachine({ restarted, revision, entries, at, snapshot }: Changes, counts: StoredCounts): void {
    const changed = [revision, entries, at, JSON.stringify(snapshot), JSON.stringify(counts)];
    if (restarted === undefined) {
      this.#sql.exec(
        'UPDATE machine SET revision = ?, entries = ?, changed_at = ?, snapshot = ?, counts = ?',
        ...changed,
      );
      return;
    }
    // Not REPLACE: it would empty the columns that a later version has added.
    this.#sql.exec(
      `INSERT INTO machine (id, revision, entries, changed_at, snapshot, counts, chart, started, started_at)
       VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET
         revision = excluded.revision, entries = excluded.entries, changed_at = excluded.changed_at,
         snapshot = excluded.snapshot, counts = excluded.counts,
         chart = excluded.chart, started = excluded.started, started_at = excluded.started_at`,
      ...changed,
      restarted.chart.hash,
      restarted.started,
      restarted.startedAt,
    );
  }

  /** Begins another run. Its chart may be another one, whose states have other numbers. */
  #restart({ chart: { hash, origin, text, definition } }: NonNullable<Changes['restarted']>): void {
    this.#timers.delete('DELETE FROM timer');
    this.#visited.delete('DELETE FROM visited');
    this.#claims.delete('DELETE FROM claim');
    this.#cooling.delete('DELETE FROM cooling');
    this.receipts.dropReports();
    this.#sql.exec('DELETE FROM chart WHERE hash <> ?', hash);
    // The same chart again writes no row.
    this.#sql.exec(
      `INSERT INTO chart (hash, origin, text, definition) VALUES (?, ?, ?, ?)
       ON CONFLICT (hash) DO UPDATE SET origin = excluded.origin, text = excluded.text, definition = excluded.definition
       WHERE origin <> excluded.origin OR text <> excluded.text OR definition <> excluded.definition`,
      hash,
      origin,
      text,
      JSON.stringify(definition),
    );
  }

  /** Whether there are tables; brings them to the newest version. */
  #hasTables(): boolean {
    if (this.#ready || !hasSchema(this.#sql)) return this.#ready;
    migrate(this.#storage, MACHINE_SCHEMA);
    this.#ready = true;
    return true;
  }
}
