/**
 * All SQL. A machine's storage is one SQLite database with a handful of tables; everything here is
 * synchronous and belongs inside the caller's transaction.
 */
import type { ChartOrigin } from './catalog.ts';
import type { Definition, LeftState, StateNumber, StoredSnapshot, Timer } from './chart/index.ts';
import { type Claim, type Claims, NO_CLAIMS, withClaim } from './claims.ts';
import { HISTORY_ROWS, RECEIPTS, RECEIPTS_SLACK } from './limits.ts';
import { MIGRATIONS } from './migrations.ts';
import { type Receipt, readReportKey } from './receipts.ts';

/** A machine as it is stored, the timers apart. */
export interface StoredMachine {
  /** Committed changes so far. */
  readonly revision: number;
  /** The revision at which the present run began. */
  readonly started: number;
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
export type Cause =
  | 'start'
  | 'update'
  | 'timer'
  | 'claim'
  | 'release'
  | 'lease-expired'
  | 'reset'
  | 'upload'
  | 'refused';

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
  /** The state that was meant, and who did it, where there was one and somebody said. */
  readonly state: string | null;
  readonly by: string | null;
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
  /** Whether another run has begun: what is known of the states of the one before is dropped. */
  readonly restarted?: { readonly started: number; readonly chart: StoredChart };
  /** The chart that was uploaded to the address. */
  readonly uploaded?: Pick<StoredChart, 'hash' | 'text'>;
  /** Visits that have ended, and when (ms since the epoch). */
  readonly left: readonly (LeftState & { readonly at: number })[];
  readonly claimsSet: readonly Claim[];
  readonly claimsCleared: readonly Claim[];
  readonly receipts: readonly Receipt[];
  readonly history: readonly HistoryEntry[];
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

interface MachineRow extends Record<string, SqlStorageValue> {
  revision: number;
  started: number;
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

interface ReceiptRow extends Record<string, SqlStorageValue> {
  key: string;
  visit: number;
  began: number;
  request: string;
  answer: string;
}

interface ClaimRow extends Record<string, SqlStorageValue> {
  state: number;
  caller: string;
  since: number;
  until: number;
}

interface HistoryRow extends Record<string, SqlStorageValue> {
  slot: number;
  revision: number;
  at: number;
  cause: string;
  event: string | null;
  state: string | null;
  by: string | null;
  before: string;
  after: string;
  notes: string | null;
}

export class Store {
  readonly #sql: SqlStorage;
  /** Whether the tables are known to be there, in their newest form. */
  #ready = false;
  /** Numbers of receipts: the newest that was given, and the last that was dropped. */
  #receipts: { newest: number; oldest: number } | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
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
        `SELECT revision, started, entries, changed_at, snapshot, hash, origin, definition
           FROM machine JOIN chart ON chart.hash = machine.chart`,
      )
      .toArray();
    if (row === undefined) return undefined;
    return {
      revision: row.revision,
      started: row.started,
      entries: row.entries,
      changedAt: row.changed_at,
      snapshot: JSON.parse(row.snapshot),
      chart: {
        hash: row.hash,
        origin: ORIGINS.find((known) => known === row.origin) ?? 'bundle',
        definition: JSON.parse(row.definition),
      },
    };
  }

  /** @returns the timers that are set, in the order in which they were. */
  timers(): Timer[] {
    return this.#sql.exec<TimerRow>('SELECT id, label, at, event FROM timer ORDER BY id').toArray();
  }

  /** All of it was deleted: there are no tables any more. */
  forget(): void {
    this.#ready = false;
    this.#receipts = undefined;
  }

  /** @returns the chart's text as it was written. */
  chartText(): string {
    const { text } = this.#sql
      .exec<{ text: string }>('SELECT text FROM chart JOIN machine ON hash = chart')
      .one();
    return text;
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

  /** @returns the number of the visit of `state` that ended last. */
  lastVisit(state: StateNumber): number | undefined {
    const rows = this.#sql
      .exec<{ visit: number }>('SELECT visit FROM visited WHERE state = ?', state)
      .toArray();
    return rows[0]?.visit;
  }

  /** @returns the slots that are held. */
  claims(): Claims {
    const rows = this.#sql.exec<ClaimRow>('SELECT state, caller, since, until FROM claim').toArray();
    return rows.reduce<Claims>(
      (claims, { caller: by, ...row }) => withClaim(claims, { ...row, by }),
      NO_CLAIMS,
    );
  }

  receipt(key: string): Receipt | undefined {
    const statement = 'SELECT key, visit, began, request, answer FROM receipt WHERE key = ?';
    return this.#sql.exec<ReceiptRow>(statement, key).toArray()[0];
  }

  /** @returns accepted reports of those who said who they are, the oldest first: as many as there are receipts. */
  reports(): Report[] {
    const rows = this.#sql
      .exec<{ key: string; began: number }>(
        "SELECT key, began FROM receipt WHERE key GLOB 'by/*' ORDER BY number",
      )
      .toArray();
    return rows.flatMap(({ key, began }) => {
      const report = readReportKey(key);
      return report === undefined ? [] : [{ ...report, began }];
    });
  }

  /** Writes the first turn of a machine, and makes the tables where there are none. */
  create(changes: Changes): void {
    this.#migrate();
    this.#sql.exec(
      `INSERT INTO machine (id, chart, revision, entries, changed_at, snapshot) VALUES (1, '', 0, 0, 0, '')`,
    );
    this.write(changes);
  }

  /**
   * Writes one turn: one row for the machine, one for each entry of the history, and one for each state left,
   * each timer or claim set or cleared, and each receipt.
   */
  write(changes: Changes): void {
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
    this.#keep(changes.receipts);
    for (const entry of changes.history) this.#record(entry);
    this.#sql.exec(
      'UPDATE machine SET revision = ?, entries = ?, changed_at = ?, snapshot = ?',
      changes.revision,
      changes.entries,
      changes.at,
      JSON.stringify(changes.snapshot),
    );
  }

  /** Begins another run: the chart may be another, and its states have other numbers. */
  #restart({ started, chart }: NonNullable<Changes['restarted']>): void {
    for (const table of ['chart', 'timer', 'visited', 'claim']) this.#sql.exec(`DELETE FROM ${table}`);
    this.#sql.exec("DELETE FROM receipt WHERE key GLOB 'by/*'");
    this.#sql.exec(
      'INSERT INTO chart (hash, origin, text, definition) VALUES (?, ?, ?, ?)',
      chart.hash,
      chart.origin,
      chart.text,
      JSON.stringify(chart.definition),
    );
    this.#sql.exec('UPDATE machine SET chart = ?, started = ?', chart.hash, started);
  }

  /** Keeps receipts, and drops the oldest once there are too many: some hundreds at a time, for it is a scan. */
  #keep(receipts: readonly Receipt[]): void {
    if (receipts.length === 0) return;
    this.#receipts ??= this.#countReceipts();
    for (const { key, visit, began, request, answer } of receipts) {
      this.#receipts.newest += 1;
      this.#sql.exec(
        'INSERT OR REPLACE INTO receipt (key, number, visit, began, request, answer) VALUES (?, ?, ?, ?, ?, ?)',
        key,
        this.#receipts.newest,
        visit,
        began,
        request,
        answer,
      );
    }
    const { newest, oldest } = this.#receipts;
    if (newest - oldest < RECEIPTS + RECEIPTS_SLACK) return;
    this.#receipts.oldest = newest - RECEIPTS;
    this.#sql.exec('DELETE FROM receipt WHERE number <= ?', this.#receipts.oldest);
  }

  #countReceipts() {
    const { newest, oldest } = this.#sql
      .exec<{ newest: number | null; oldest: number | null }>(
        'SELECT max(number) AS newest, min(number) AS oldest FROM receipt',
      )
      .one();
    return { newest: newest ?? 0, oldest: (oldest ?? 1) - 1 };
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
        `SELECT slot, revision, at, cause, event, state, by, before, after, notes FROM history
          WHERE slot BETWEEN ? AND ? ORDER BY slot DESC`,
        low,
        high,
      )
      .toArray();
  }

  /** Overwrites the oldest entry once the ring is full: pruning costs no row of its own. */
  #record({ id, revision, at, cause, event, state, by, from, to, notes }: HistoryEntry): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO history (slot, revision, at, cause, event, state, by, before, after, notes)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id % HISTORY_ROWS,
      revision,
      at,
      cause,
      event,
      state,
      by,
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

function toEntry(id: number, row: HistoryRow): HistoryEntry {
  const { revision, at, cause, event, state, by, before, after, notes } = row;
  return {
    id,
    revision,
    at,
    cause: CAUSES.find((known) => known === cause) ?? 'update',
    event,
    state,
    by,
    from: JSON.parse(before),
    to: JSON.parse(after),
    notes: notes === null ? [] : JSON.parse(notes),
  };
}

const CAUSES: readonly Cause[] = [
  'start',
  'update',
  'timer',
  'claim',
  'release',
  'lease-expired',
  'reset',
  'upload',
  'refused',
];
const ORIGINS: readonly ChartOrigin[] = ['upload', 'binding', 'bundle'];
