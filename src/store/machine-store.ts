/**
 * All SQL of a machine. Its storage is one SQLite database with the tables of `schema.ts`. Everything here is
 * synchronous, takes times as arguments, and leaves the transaction to its caller.
 */

import type { Inputs, Pause, StateNumber } from '../chart/chart.ts';
import { HistoryTable } from './history-table.ts';
import {
  CHART,
  type ChartRow,
  INPUTS,
  type InputsRow,
  MACHINE,
  type MachineRow,
  PAUSE,
  type PauseRow,
  UPLOAD,
  type UploadRow,
} from './machine-rows.ts';
import { MembersTable } from './members-table.ts';
import { hasSchema, type Migratable, migrate } from './migrations.ts';
import { OptionalTable } from './optional-table.ts';
import { OutboxTable } from './outbox-table.ts';
import { ReceiptTable } from './receipt-table.ts';
import { RunTables } from './run-tables.ts';
import { MACHINE_SCHEMA } from './schema.ts';
import {
  isCounts,
  isDefinition,
  isInputs,
  isPause,
  isSnapshot,
  NO_COUNTS,
  type StoredCounts,
} from './stored-json.ts';
import {
  CHART_ORIGINS,
  type Changes,
  type StoredChart,
  type StoredMachine,
  type StoredMembers,
} from './stored-machine.ts';

export type { Changes, StoredChart };

/** Tells the states of a machine apart, and machines that began at one address one after the other. */
export type Version = Pick<StoredMachine, 'entries' | 'revision'>;

/** A machine's storage. Reading never creates tables: an address that was never used stays empty. */
export class MachineStore {
  readonly history: HistoryTable;
  readonly receipts: ReceiptTable;
  /** What is stored about the states of the present run. */
  readonly run: RunTables;
  readonly members: MembersTable;
  readonly outbox: OutboxTable;
  readonly #storage: Migratable;
  readonly #sql: SqlStorage;
  readonly #uploads: OptionalTable;
  readonly #inputs: OptionalTable;
  readonly #pause: OptionalTable;
  /** Whether the tables that every machine has are known to exist, in their newest version. */
  #ready = false;

  constructor(storage: Migratable) {
    const { sql } = storage;
    this.#storage = storage;
    this.#sql = sql;
    this.history = new HistoryTable(sql);
    this.receipts = new ReceiptTable(sql);
    this.run = new RunTables(sql);
    this.members = new MembersTable(sql);
    this.outbox = new OutboxTable(sql);
    this.#uploads = new OptionalTable(sql, 'upload');
    this.#inputs = new OptionalTable(sql, 'inputs');
    this.#pause = new OptionalTable(sql, 'pause');
  }

  /**
   * Returns the version of the machine; undefined where there is none. Every commit that changes the machine, or adds to its
   * history, changes it, so a caller compares it with its memory, which may be stale: the platform promises one live object
   * only where it touches storage.
   *
   * It stays the same where only other rows change: the receipt of a report with a key that is refused or has counted
   * before, and the counts that are stored with it; and what has become of a message (`settle`, `postpone` of the outbox).
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

  /**
   * Returns the larger of the last revision and the number of entries, for both go on from it where a machine comes back by a
   * restore; 0 where there is none.
   */
  lastNumber(): number {
    const { revision, entries } = this.version() ?? { revision: 0, entries: 0 };
    return Math.max(revision, entries);
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

  /** Returns the pause of the run; undefined if it is not paused. */
  pause(): Pause | undefined {
    const [row] = this.#pause.rows<PauseRow>('SELECT pause FROM pause');
    return row && PAUSE.json(row, 'pause', isPause);
  }

  /** Returns the inputs of the run. */
  inputs(): Inputs {
    const [row] = this.#inputs.rows<InputsRow>('SELECT inputs FROM inputs');
    return row === undefined ? {} : INPUTS.json(row, 'inputs', isInputs);
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
    return new Set(this.run.endedVisits().map(({ state }) => state));
  }

  /** Writes the first turn of a machine. Creates the tables where there are none. */
  create(changes: Changes, counts = NO_COUNTS): void {
    migrate(this.#storage, MACHINE_SCHEMA);
    this.write(changes, counts);
  }

  /** Writes a chart that was uploaded to the address before its machine has begun. */
  keepUpload(upload: Pick<StoredChart, 'hash' | 'text'>): void {
    migrate(this.#storage, MACHINE_SCHEMA);
    this.#writeUpload(upload);
  }

  /** Writes the members of an address whose machine has not begun; null takes the list away. */
  keepMembers(members: StoredMembers | null): void {
    migrate(this.#storage, MACHINE_SCHEMA);
    this.members.write(members);
  }

  /** Whether a chart or members were uploaded to the address. */
  hasKept(): boolean {
    return this.members.revision() > 0 || this.upload() !== undefined;
  }

  /**
   * Writes one turn: the row of the machine, and one row for each history entry, each state left, each timer or claim
   * set or cleared, and each receipt.
   */
  write(changes: Changes, counts = NO_COUNTS): void {
    if (changes.restarted !== undefined) this.#restart(changes.restarted);
    if (changes.uploaded !== undefined) this.#writeUpload(changes.uploaded);
    if (changes.paused !== undefined) this.#writePause(changes.paused);
    if (changes.inputs !== undefined) this.#writeInputs(changes.inputs);
    this.run.write(changes);
    if (changes.members !== undefined) this.members.write(changes.members);
    this.receipts.keep(changes.receipts);
    const { renumbered, history } = changes;
    if (renumbered !== undefined && history[0] !== undefined) {
      this.history.skip(renumbered.entries, history[0].id);
    }
    for (const entry of changes.history) this.history.record(entry);
    this.#writeMachine(changes, counts);
  }

  /** Forgets what it knows of the storage: all of it was deleted, or a transaction was rolled back. */
  forget(): void {
    this.#ready = false;
    this.receipts.forget();
    this.members.forget();
    this.outbox.forget();
    this.run.forget();
    this.#uploads.forget();
    this.#inputs.forget();
    this.#pause.forget();
  }

  #writeUpload({ hash, text }: Pick<StoredChart, 'hash' | 'text'>): void {
    this.#uploads.insert('INSERT OR REPLACE INTO upload (id, hash, text) VALUES (1, ?, ?)', hash, text);
  }

  #writePause(paused: Pause | null): void {
    if (paused === null) this.#pause.delete('DELETE FROM pause');
    else this.#pause.insert('INSERT OR REPLACE INTO pause (id, pause) VALUES (1, ?)', JSON.stringify(paused));
  }

  #writeInputs(inputs: Inputs): void {
    if (Object.keys(inputs).length === 0) this.#inputs.delete('DELETE FROM inputs');
    else {
      this.#inputs.insert('INSERT OR REPLACE INTO inputs (id, inputs) VALUES (1, ?)', JSON.stringify(inputs));
    }
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
    this.run.drop();
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
