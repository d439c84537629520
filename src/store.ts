/**
 * All SQL. A machine's storage is one SQLite database with a handful of tables; everything here is
 * synchronous and belongs inside the caller's transaction.
 */
import type { ChartOrigin } from './catalog.ts';
import type { Definition, StateNumber, StoredSnapshot, Timer } from './chart/index.ts';
import { HISTORY_ROWS } from './limits.ts';
import { MIGRATIONS } from './migrations.ts';

/** A machine as it is stored, the timers apart. */
export interface StoredMachine {
  /** Committed changes so far. */
  readonly revision: number;
  /** History rows written so far; the newest has this number. */
  readonly entries: number;
  /** When the last change was committed, ms since the epoch. */
  readonly changedAt: number;
  readonly snapshot: StoredSnapshot;
  readonly chart: Omit<StoredChart, 'text'>;
}

/** The chart that a machine runs by, kept whole: a machine needs nobody else to wake up. */
export interface StoredChart {
  /** SHA-256 of the text, hexadecimal. */
  readonly hash: string;
  readonly origin: ChartOrigin;
  readonly text: string;
  /** What was checked when the text was read: waking compiles this and does not read YAML again. */
  readonly definition: Definition;
}

/** Why something was committed. */
export type Cause = 'start' | 'update' | 'timer' | 'refused';

/** One line of what happened. */
export interface HistoryEntry {
  /** Counts the entries of a machine, from 1. */
  readonly id: number;
  /** The machine's revision after it. */
  readonly revision: number;
  /** ms since the epoch. */
  readonly at: number;
  readonly cause: Cause;
  readonly event: string | null;
  /** The active states before and after, outermost first. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Guards that could not be evaluated, or why it was refused. */
  readonly notes: readonly string[];
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
  /** States that were left, and when (ms since the epoch). */
  readonly left: ReadonlyMap<StateNumber, number>;
  readonly history: readonly HistoryEntry[];
}

interface MachineRow extends Record<string, SqlStorageValue> {
  revision: number;
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

interface HistoryRow extends Record<string, SqlStorageValue> {
  slot: number;
  revision: number;
  at: number;
  cause: string;
  event: string | null;
  before: string;
  after: string;
  notes: string | null;
}

export class Store {
  readonly #sql: SqlStorage;
  /** Whether the tables are known to be there, in their newest form. */
  #ready = false;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /**
   * Reads the revision from storage, each time: what an object has in memory may be stale, for the platform
   * promises a single live object only where it touches storage.
   *
   * @returns undefined where there is no machine. Nothing is written to find that out.
   */
  revision(): number | undefined {
    if (!this.#ready && !this.#prepare()) return undefined;
    return this.#sql.exec<{ revision: number }>('SELECT revision FROM machine').toArray()[0]?.revision;
  }

  /** Reads the whole machine, or nothing where there is none. */
  load(): StoredMachine | undefined {
    if (!this.#ready && !this.#prepare()) return undefined;
    const [row] = this.#sql
      .exec<MachineRow>(
        `SELECT revision, entries, changed_at, snapshot, hash, origin, definition
           FROM machine JOIN chart ON chart.hash = machine.chart`,
      )
      .toArray();
    if (row === undefined) return undefined;
    return {
      revision: row.revision,
      entries: row.entries,
      changedAt: row.changed_at,
      snapshot: JSON.parse(row.snapshot),
      chart: {
        hash: row.hash,
        origin: row.origin === 'binding' ? 'binding' : 'bundle',
        definition: JSON.parse(row.definition),
      },
    };
  }

  /** @returns the timers that are set, in the order in which they were. */
  timers(): Timer[] {
    return this.#sql.exec<TimerRow>('SELECT id, label, at, event FROM timer ORDER BY id').toArray();
  }

  /** @returns the chart's text as it was written. */
  chartText(): string {
    const { text } = this.#sql
      .exec<{ text: string }>('SELECT text FROM chart JOIN machine ON hash = chart')
      .one();
    return text;
  }

  /** @returns the states that were entered and left. */
  leftStates(): ReadonlySet<StateNumber> {
    const rows = this.#sql.exec<{ state: number }>('SELECT state FROM visited').toArray();
    return new Set(rows.map(({ state }) => state));
  }

  /** Makes the tables where there are none, and the machine's one row. */
  create(chart: StoredChart, changes: Changes): void {
    this.#migrate();
    this.#sql.exec(
      'INSERT INTO chart (hash, origin, text, definition) VALUES (?, ?, ?, ?)',
      chart.hash,
      chart.origin,
      chart.text,
      JSON.stringify(chart.definition),
    );
    this.#sql.exec(
      'INSERT INTO machine (id, chart, revision, entries, changed_at, snapshot) VALUES (1, ?, 0, 0, 0, ?)',
      chart.hash,
      '',
    );
    this.write(changes);
  }

  /**
   * Writes one turn: one row for the machine, one for each entry of the history, and one for each state left
   * and each timer set or cleared.
   */
  write(changes: Changes): void {
    for (const id of changes.timersCleared) this.#sql.exec('DELETE FROM timer WHERE id = ?', id);
    for (const { id, label, at, event } of changes.timersSet) {
      this.#sql.exec('INSERT INTO timer (id, label, at, event) VALUES (?, ?, ?, ?)', id, label, at, event);
    }
    for (const [state, at] of changes.left) {
      this.#sql.exec('INSERT OR REPLACE INTO visited (state, left_at) VALUES (?, ?)', state, at);
    }
    for (const entry of changes.history) this.#record(entry);
    this.#sql.exec(
      'UPDATE machine SET revision = ?, entries = ?, changed_at = ?, snapshot = ?',
      changes.revision,
      changes.entries,
      changes.at,
      JSON.stringify(changes.snapshot),
    );
  }

  /**
   * Reads the history, newest first.
   *
   * @param entries entries written so far.
   * @param before only entries with smaller ids.
   */
  history(entries: number, before: number, limit: number): HistoryEntry[] {
    // Entry n lies in slot n modulo the ring's size, so a stretch of ids is at most two stretches of slots.
    const newest = Math.min(entries, before - 1);
    const oldest = Math.max(1, entries - HISTORY_ROWS + 1, newest - limit + 1);
    const found: HistoryEntry[] = [];
    for (let high = newest; high >= oldest; ) {
      const turn = high - (high % HISTORY_ROWS);
      const low = Math.max(oldest, turn);
      found.push(...this.#slots(low - turn, high - turn).map((row) => toEntry(turn + row.slot, row)));
      high = low - 1;
    }
    return found;
  }

  #slots(low: number, high: number): HistoryRow[] {
    return this.#sql
      .exec<HistoryRow>(
        `SELECT slot, revision, at, cause, event, before, after, notes FROM history
          WHERE slot BETWEEN ? AND ? ORDER BY slot DESC`,
        low,
        high,
      )
      .toArray();
  }

  /** Overwrites the oldest entry once the ring is full: pruning costs no row of its own. */
  #record({ id, revision, at, cause, event, from, to, notes }: HistoryEntry): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO history (slot, revision, at, cause, event, before, after, notes)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      id % HISTORY_ROWS,
      revision,
      at,
      cause,
      event,
      JSON.stringify(from),
      JSON.stringify(to),
      notes.length === 0 ? null : JSON.stringify(notes),
    );
  }

  /** @returns whether there are tables; brings old ones to their newest form. */
  #prepare(): boolean {
    const tables = this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'migration'").toArray();
    if (tables.length === 0) return false;
    this.#migrate();
    this.#ready = true;
    return true;
  }

  #migrate(): void {
    this.#sql.exec('CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY)');
    const [{ version = 0 } = {}] = this.#sql
      .exec<{ version: number | null }>('SELECT max(version) AS version FROM migration')
      .toArray()
      .map((row) => ({ version: row.version ?? 0 }));
    for (const [i, statements] of MIGRATIONS.entries()) {
      if (i < version) continue;
      this.#sql.exec(statements);
      this.#sql.exec('INSERT INTO migration (version) VALUES (?)', i + 1);
    }
  }
}

function toEntry(id: number, { revision, at, cause, event, before, after, notes }: HistoryRow): HistoryEntry {
  return {
    id,
    revision,
    at,
    cause: CAUSES.find((known) => known === cause) ?? 'update',
    event,
    from: JSON.parse(before),
    to: JSON.parse(after),
    notes: notes === null ? [] : JSON.parse(notes),
  };
}

const CAUSES: readonly Cause[] = ['start', 'update', 'timer', 'refused'];
