import { HISTORY_CHECK, HISTORY_LENGTH, HISTORY_PAGE_LENGTH, HISTORY_ROWS } from '../limits.ts';

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
  entered: string;
  notes: string;
}

/**
 * The history's table: a ring, in which entry `n` lies in slot `n` modulo its size. Each row has the sum of the lengths
 * of all entries before it, so what a stretch of entries comes to is a difference.
 */
export class HistoryTable {
  readonly #sql: SqlStorage;
  /** The entry that was written last, and where it ends in the sum of all lengths. */
  #last: { readonly id: number; readonly end: number } | undefined;
  /** Characters written since the length of what is kept was looked at. */
  #unchecked = HISTORY_CHECK;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Overwrites the oldest entry once the ring is full: pruning costs no row of its own. */
  record({ id, revision, at, cause, event, state, by, sub, from, to, entered, notes }: HistoryEntry): void {
    const row: HistoryRow = {
      slot: id % HISTORY_ROWS,
      revision,
      at,
      cause,
      event,
      state,
      by,
      sub,
      before: JSON.stringify(from),
      after: JSON.stringify(to),
      entered: JSON.stringify(entered),
      notes: JSON.stringify(notes),
    };
    const start = this.#last?.id === id - 1 ? this.#last.end : this.#endOf(id - 1);
    this.#sql.exec(
      `INSERT OR REPLACE INTO history
         (slot, revision, at, cause, event, state, by, sub, before, after, entered, notes, start)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      row.slot,
      row.revision,
      row.at,
      row.cause,
      row.event,
      row.state,
      row.by,
      row.sub,
      row.before,
      row.after,
      row.entered,
      row.notes,
      start,
    );
    const length = lengthOf(row);
    this.#last = { id, end: start + length };
    this.#unchecked += length;
    if (this.#unchecked < HISTORY_CHECK) return;
    this.#unchecked = 0;
    this.#prune(id, start + length - HISTORY_LENGTH);
  }

  /** @returns where an entry ends in the sum of all lengths; 0 where it is not there. */
  #endOf(id: number): number {
    const [row] = this.#rows(stretches(Math.max(1, id), id), 'ASC');
    return row === undefined ? 0 : (this.#startOf(id) ?? 0) + lengthOf(row);
  }

  #startOf(id: number): number | undefined {
    const statement = 'SELECT start FROM history WHERE slot = ?';
    return this.#sql.exec<{ start: number }>(statement, id % HISTORY_ROWS).toArray()[0]?.start;
  }

  /** Drops the entries that start before `from` in the sum of all lengths, but not the newest. */
  #prune(newest: number, from: number): void {
    if (from <= 0) return;
    const oldest = Math.max(1, newest - HISTORY_ROWS + 1);
    // Entries start in the order of their ids, and those that are missing are the oldest.
    let [low, high] = [oldest, newest];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.#startOf(middle) ?? 0) < from) low = middle + 1;
      else high = middle;
    }
    for (const { turn, low: first, high: last } of stretches(oldest, low - 1)) {
      this.#sql.exec('DELETE FROM history WHERE slot BETWEEN ? AND ?', first - turn, last - turn);
    }
  }

  /**
   * Reads the history, newest first.
   *
   * @param entries entries written so far.
   * @param before only entries with smaller ids.
   * @param limit how many; fewer are read where they come to more than `HISTORY_PAGE_LENGTH`, but one.
   */
  read(entries: number, before: number, limit: number): HistoryEntry[] {
    const newest = Math.min(entries, before - 1);
    const oldest = Math.max(1, entries - HISTORY_ROWS + 1, newest - limit + 1);
    const found: HistoryEntry[] = [];
    let left = HISTORY_PAGE_LENGTH;
    for (const row of this.#rows(stretches(oldest, newest).reverse(), 'DESC')) {
      left -= lengthOf(row);
      if (left < 0 && found.length > 0) break;
      found.push(toEntry(row.id, row));
    }
    return found;
  }

  /**
   * Reads on, oldest first.
   *
   * @param entries entries written so far.
   * @param after only entries with greater ids.
   * @param most characters, about; one entry is read whatever its length.
   */
  readAfter(entries: number, after: number, most: number): HistoryEntry[] {
    const oldest = Math.max(1, after + 1, entries - HISTORY_ROWS + 1);
    const found: HistoryEntry[] = [];
    let left = most;
    for (const row of this.#rows(stretches(oldest, entries), 'ASC')) {
      left -= lengthOf(row);
      if (left < 0 && found.length > 0) break;
      found.push(toEntry(row.id, row));
    }
    return found;
  }

  /** Reads rows one by one, as far as they are asked for. */
  *#rows(parts: readonly Stretch[], order: 'ASC' | 'DESC'): Iterable<HistoryRow & { readonly id: number }> {
    for (const { turn, low, high } of parts) {
      const rows = this.#sql.exec<HistoryRow>(
        `SELECT slot, revision, at, cause, event, state, by, sub, before, after, entered, notes FROM history
          WHERE slot BETWEEN ? AND ? ORDER BY slot ${order}`,
        low - turn,
        high - turn,
      );
      for (const row of rows) yield { ...row, id: turn + row.slot };
    }
  }
}

/** Ids `low` to `high`, which lie in the slots from `low - turn` on. */
interface Stretch {
  readonly turn: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Splits a range of ids where the ring begins anew: entry n lies in slot n modulo its size.
 *
 * @returns at most two stretches, in order.
 */
function stretches(oldest: number, newest: number): Stretch[] {
  const found: Stretch[] = [];
  for (let low = oldest; low <= newest; ) {
    const turn = low - (low % HISTORY_ROWS);
    const high = Math.min(newest, turn + HISTORY_ROWS - 1);
    found.push({ turn, low, high });
    low = high + 1;
  }
  return found;
}

/** What an entry comes to as JSON, in characters, about. */
function lengthOf({ event, state, by, sub, before, after, entered, notes }: HistoryRow): number {
  const texts = [event, state, by, sub, before, after, entered, notes];
  return texts.reduce((sum, text) => sum + (text?.length ?? 0), ENTRY_LENGTH);
}

/** Characters of an entry's names of fields, its numbers and times. */
const ENTRY_LENGTH = 200;

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
    entered: JSON.parse(entered),
    notes: JSON.parse(notes),
  };
}
