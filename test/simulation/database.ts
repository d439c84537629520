/**
 * The database of a simulated object: SQLite in memory, and which of its content is durable. What is written while a
 * commit is under way belongs to the next one; a crash takes back everything from the first commit on that is not durable.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** The writes of one commit. */
export interface Generation {
  /** The savepoint before its first write; undefined if that is where the transaction begins. */
  readonly savepoint: string | undefined;
  /** Called when it is durable. */
  readonly waiters: (() => void)[];
  /** The alarm after its last write, ms since the epoch. */
  alarm: number | null;
}

export class Database {
  readonly #db = new DatabaseSync(':memory:');
  readonly #statements = new Map<string, StatementSync>();
  /** The commit that writes belong to; undefined if nothing was written since the last one began. */
  #open: Generation | undefined;
  /** The commit that is under way. */
  #inFlight: Generation | undefined;
  #alarm: number | null = null;
  /** The alarm whose handler runs: code does not see it, and it is stored until the handler has succeeded. */
  #handled: number | null = null;
  /** The alarm that is durable, ms since the epoch. */
  durableAlarm: number | null = null;
  /** Called before the first write of a commit. */
  onWrite: (() => void) | undefined;
  /** Called before all tables are dropped. */
  onClear: (() => void) | undefined;

  constructor() {
    this.#db.exec('BEGIN');
  }

  /** The alarm as code sees it, ms since the epoch. */
  get alarm(): number | null {
    return this.#alarm;
  }

  set alarm(at: number | null) {
    this.#touch();
    this.#alarm = at;
    this.#handled = null;
  }

  /** The handler of the alarm begins. */
  beginAlarm(): void {
    this.#handled = this.#alarm;
    this.#alarm = null;
  }

  /** The handler has succeeded, or the alarm is given up. */
  endAlarm(): void {
    if (this.durableAlarm === this.#handled) this.durableAlarm = null;
    if (this.#inFlight?.alarm === this.#handled) this.#inFlight.alarm = null;
    this.#handled = null;
  }

  /** Whether anything was written since the last commit began. */
  get hasWrites(): boolean {
    return this.#open !== undefined;
  }

  get isCommitting(): boolean {
    return this.#inFlight !== undefined;
  }

  /** Executes a statement. Returns its rows, or how many it has changed. */
  execute(query: string, bindings: readonly SqlStorageValue[]): Statement {
    const isRead = READS.test(query);
    if (!isRead) this.#touch();
    if (bindings.length === 0 && !isRead && DEFINES.test(query)) {
      this.#db.exec(query);
      return { isRead, changes: 0, statement: undefined };
    }
    const statement = this.#prepared(query);
    if (isRead) return { isRead, changes: 0, statement };
    const { changes } = statement.run(...(bindings as (string | number | null)[]));
    return { isRead, changes: Number(changes), statement: undefined };
  }

  /** Returns the rows of a query. */
  read(query: string, bindings: readonly SqlStorageValue[]): unknown[] {
    return this.execute(query, bindings).statement?.all(...(bindings as (string | number | null)[])) ?? [];
  }

  /** Runs a transaction inside the present commit. */
  transaction<Result>(run: () => Result, rollsBack = true): Result {
    this.#touch();
    const alarm = this.#alarm;
    // The name means the innermost one.
    this.#prepared('SAVEPOINT nested').run();
    try {
      return run();
    } catch (error) {
      if (rollsBack) {
        this.#prepared('ROLLBACK TO nested').run();
        this.#alarm = alarm;
      }
      throw error;
    } finally {
      this.#prepared('RELEASE nested').run();
    }
  }

  /** Drops all tables. */
  clear(): void {
    this.#touch();
    this.onClear?.();
    const tables = this.#db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    for (const { name } of tables) this.#db.exec(`DROP TABLE ${name}`);
  }

  /** Calls back when everything that was written so far is durable; at once if it is. */
  whenDurable(then: () => void): void {
    const last = this.#open ?? this.#inFlight;
    if (last === undefined) then();
    else last.waiters.push(then);
  }

  /** Begins to commit what is written. @returns whether there is anything. */
  beginCommit(): boolean {
    if (this.#open === undefined || this.#inFlight !== undefined) return false;
    this.#inFlight = this.#open;
    this.#inFlight.alarm = this.#alarm ?? this.#handled;
    this.#open = undefined;
    return true;
  }

  /** The commit that is under way is durable. @returns whom to tell. */
  endCommit(): readonly (() => void)[] {
    const { waiters = [], alarm = null } = this.#inFlight ?? {};
    this.durableAlarm = alarm;
    this.#inFlight = undefined;
    return waiters;
  }

  /** Takes back what is not durable. @param lands whether the commit that is under way becomes durable before. */
  crash(lands: boolean): void {
    if (lands) this.endCommit();
    const first = this.#inFlight ?? this.#open;
    if (first?.savepoint !== undefined) this.#db.exec(`ROLLBACK TO ${first.savepoint}`);
    else if (first !== undefined) this.#db.exec('ROLLBACK; BEGIN');
    this.#inFlight = undefined;
    this.#open = undefined;
    this.#alarm = this.durableAlarm;
    this.#handled = null;
  }

  close(): void {
    this.#db.close();
  }

  #prepared(query: string): StatementSync {
    let statement = this.#statements.get(query);
    if (statement === undefined) {
      statement = this.#db.prepare(query);
      this.#statements.set(query, statement);
    }
    return statement;
  }

  /** Begins a commit with its first write. */
  #touch(): void {
    if (this.#open !== undefined) return;
    this.onWrite?.();
    if (this.#inFlight === undefined) {
      this.#prepared('COMMIT').run();
      this.#prepared('BEGIN').run();
      this.#open = { savepoint: undefined, waiters: [], alarm: null };
      return;
    }
    // Two are enough: of the commit under way, and of the next one.
    const savepoint = this.#inFlight.savepoint === 'odd' ? 'even' : 'odd';
    this.#prepared(`SAVEPOINT ${savepoint}`).run();
    this.#open = { savepoint, waiters: [], alarm: null };
  }
}

/** A statement that was executed, or a `SELECT` whose rows are read by its caller. */
interface Statement {
  readonly isRead: boolean;
  readonly changes: number;
  readonly statement: StatementSync | undefined;
}

const READS = /^\s*(SELECT|WITH)/i;
/** What may be several statements. */
const DEFINES = /\b(CREATE|ALTER|DROP)\b/i;
