import { HISTORY_ROWS } from '../limits.ts';

/** Why something was committed. */
export const CAUSES = [
  'start',
  'update',
  'timer',
  'claim',
  'release',
  'lease-expired',
  'reset',
  'upload',
  'refused',
] as const;
export type Cause = (typeof CAUSES)[number];

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
  /** Whose token it was, where one was asked for. */
  readonly sub: string | null;
  /** The active states before and after, outermost first. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** The states that were entered, in that order: also those that were left again, or that were active before. */
  readonly entered: readonly string[];
  /** Guards that could not be evaluated, or why it was refused. */
  readonly notes: readonly string[];
}

interface HistoryRow extends Record<string, SqlStorageValue> {
  slot: number;
  revision: number;
  at: number;
  cause: string;
  event: string | null;
  state: string | null;
  by: string | null;
  sub: string | null;
  before: string;
  after: string;
  entered: string | null;
  notes: string | null;
}

/** The history's table: a ring, in which entry `n` lies in slot `n` modulo its size. */
export class HistoryTable {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Overwrites the oldest entry once the ring is full: pruning costs no row of its own. */
  record({ id, revision, at, cause, event, state, by, sub, from, to, entered, notes }: HistoryEntry): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO history (slot, revision, at, cause, event, state, by, sub, before, after, entered, notes)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id % HISTORY_ROWS,
      revision,
      at,
      cause,
      event,
      state,
      by,
      sub,
      JSON.stringify(from),
      JSON.stringify(to),
      sameNames(entered, newIn(to, from)) ? null : JSON.stringify(entered),
      notes.length === 0 ? null : JSON.stringify(notes),
    );
  }

  /**
   * Reads the history, newest first.
   *
   * @param entries entries written so far.
   * @param before only entries with smaller ids.
   */
  read(entries: number, before: number, limit: number): HistoryEntry[] {
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
        `SELECT slot, revision, at, cause, event, state, by, sub, before, after, entered, notes FROM history
          WHERE slot BETWEEN ? AND ? ORDER BY slot DESC`,
        low,
        high,
      )
      .toArray();
  }
}

function toEntry(id: number, row: HistoryRow): HistoryEntry {
  const { revision, at, cause, event, state, by, sub, before, after, entered, notes } = row;
  const [from, to]: [string[], string[]] = [JSON.parse(before), JSON.parse(after)];
  return {
    id,
    revision,
    at,
    cause: CAUSES.find((known) => known === cause) ?? 'update',
    event,
    state,
    by,
    sub,
    from,
    to,
    entered: entered === null ? newIn(to, from) : JSON.parse(entered),
    notes: notes === null ? [] : JSON.parse(notes),
  };
}

/**
 * The states that are active after and not before: what most entries have entered, and all that is known of rows from
 * before schema version 4. It is not stored, so most rows grow by one byte.
 */
function newIn(to: readonly string[], from: readonly string[]): string[] {
  const before = new Set(from);
  return to.filter((name) => !before.has(name));
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}
