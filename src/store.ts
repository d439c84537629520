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
  readonly chart: StoredChart;
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
export type Cause = 'start' | 'update' | 'timer';

/** One line of what happened. */
export interface HistoryEntry {
  /** The machine's revision after it. */
  readonly revision: number;
  /** ms since the epoch. */
  readonly at: number;
  readonly cause: Cause;
  readonly event: string | null;
  /** The active states before and after, outermost first. */
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/** What one turn has changed. */
export interface Changes {
  readonly revision: number;
  readonly at: number;
  readonly snapshot: StoredSnapshot;
  readonly timersSet: readonly Timer[];
  readonly timersCleared: readonly string[];
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
  text: string;
  definition: string;
}

interface TimerRow extends Record<string, SqlStorageValue> {
  id: string;
  at: number;
  event: string;
}

interface HistoryRow extends Record<string, SqlStorageValue> {
  revision: number;
  at: number;
  cause: string;
  event: string | null;
  before: string;
  after: string;
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
        `SELECT revision, entries, changed_at, snapshot, hash, origin, text, definition
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
        text: row.text,
        definition: JSON.parse(row.definition),
      },
    };
  }

  /** @returns the timers that are set, earliest first. */
  timers(): Timer[] {
    return this.#sql.exec<TimerRow>('SELECT id, at, event FROM timer ORDER BY at, id').toArray();
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
    this.write(0, changes);
  }

  /**
   * Writes one turn: one row for the machine, one for each entry of the history, and one for each state left
   * and each timer set or cleared.
   *
   * @param entries history rows written before.
   */
  write(entries: number, changes: Changes): void {
    for (const id of changes.timersCleared) this.#sql.exec('DELETE FROM timer WHERE id = ?', id);
    for (const { id, at, event } of changes.timersSet) {
      this.#sql.exec('INSERT OR REPLACE INTO timer (id, at, event) VALUES (?, ?, ?)', id, at, event);
    }
    for (const [state, at] of changes.left) {
      this.#sql.exec('INSERT OR REPLACE INTO visited (state, left_at) VALUES (?, ?)', state, at);
    }
    let number = entries;
    for (const entry of changes.history) this.#record(++number, entry);
    this.#sql.exec(
      'UPDATE machine SET revision = ?, entries = ?, changed_at = ?, snapshot = ?',
      changes.revision,
      number,
      changes.at,
      JSON.stringify(changes.snapshot),
    );
  }

  /**
   * Reads the history, newest first.
   *
   * @param entries history rows written so far.
   * @param before only entries of revisions below it.
   */
  history(entries: number, before: number, limit: number): HistoryEntry[] {
    // Entry n lies in slot n modulo the ring's size, so a stretch of numbers is at most two of slots.
    const oldest = Math.max(1, entries - HISTORY_ROWS + 1);
    const rows: HistoryRow[] = [];
    for (let high = entries; high >= oldest && rows.length < limit; ) {
      const low = Math.max(oldest, high - (high % HISTORY_ROWS));
      rows.push(...this.#slots(low % HISTORY_ROWS, high % HISTORY_ROWS, before, limit - rows.length));
      high = low - 1;
    }
    return rows.map(({ revision, at, cause, event, before: from, after }) => ({
      revision,
      at,
      cause: CAUSES.find((known) => known === cause) ?? 'update',
      event,
      from: JSON.parse(from),
      to: JSON.parse(after),
    }));
  }

  #slots(low: number, high: number, before: number, limit: number): HistoryRow[] {
    return this.#sql
      .exec<HistoryRow>(
        `SELECT revision, at, cause, event, before, after FROM history
          WHERE slot BETWEEN ? AND ? AND revision < ? ORDER BY slot DESC LIMIT ?`,
        low,
        high,
        before,
        limit,
      )
      .toArray();
  }

  /** Overwrites the oldest entry once the ring is full: pruning costs no row of its own. */
  #record(number: number, { revision, at, cause, event, from, to }: HistoryEntry): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO history (slot, revision, at, cause, event, before, after)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      number % HISTORY_ROWS,
      revision,
      at,
      cause,
      event,
      JSON.stringify(from),
      JSON.stringify(to),
    );
  }

  /** @returns whether there are tables; brings old ones to their newest form. */
  #prepare(): boolean {
    const tables = this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'migration'").toArray();
    if (tables.length === 0) return false;
    this.#migrate();
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
    this.#ready = true;
  }
}

const CAUSES: readonly Cause[] = ['start', 'update', 'timer'];
