import { HISTORY_CHECK, HISTORY_LENGTH, HISTORY_PAGE_LENGTH, HISTORY_ROWS } from '../limits.ts';
import { conditionOf, type HistoryFilter } from './history-filter.ts';
import { RowParser } from './row-parser.ts';
import { isNames } from './stored-json.ts';

/** Why an entry was written. */
export const CAUSES = [
  'start',
  'update',
  'timer',
  'claim',
  'release',
  'lease-expired',
  'reset',
  'upload',
  'inputs',
  'members',
  'pause',
  'resume',
  'override',
  'restore',
  'resend',
  'refused',
] as const;
export type Cause = (typeof CAUSES)[number];

/** One entry of a machine's history: a change, or a refusal that the chart itself has caused. */
export interface HistoryEntry {
  /** Numbers the entries of a machine, from 1. */
  readonly id: number;
  /** The machine's revision after the entry. */
  readonly revision: number;
  /** ms since the epoch. */
  readonly at: number;
  readonly cause: Cause;
  /** Null where no event was sent. */
  readonly event: string | null;
  /** The state that the command addressed; null where it addressed none. */
  readonly state: string | null;
  /** The caller's name; null where none was given. */
  readonly by: string | null;
  /** The subject of the request's token; null if the service requires no token. */
  readonly sub: string | null;
  /** The active states before, outermost first. */
  readonly from: readonly string[];
  /** The active states after, outermost first. */
  readonly to: readonly string[];
  /** The entered states, in that order, each once: also those that were left again, or were active before. */
  readonly entered: readonly string[];
  /** Guards that could not be evaluated, or the reasons of a refusal. */
  readonly notes: readonly string[];
  /** The data of the report, as JSON; absent where it had none. As text, because a recursive type cannot cross an RPC. */
  readonly data?: string;
}

/** Entries, newest first. */
export interface FoundEntries {
  readonly entries: HistoryEntry[];
  /** Whether there are older ones. */
  readonly hasMore: boolean;
}

/** A row as it is written. */
type HistoryRow = {
  /** The entry's id modulo `HISTORY_ROWS`. */
  slot: number;
  revision: number;
  /** ms since the epoch. */
  at: number;
  /** A `Cause`. */
  cause: string;
  event: string | null;
  state: string | null;
  by: string | null;
  sub: string | null;
  /** JSON: `from`, a word that SQL reserves. */
  before: string;
  /** JSON: `to`, likewise. */
  after: string;
  /** JSON. */
  entered: string;
  /** JSON. */
  notes: string;
  /** Length of all entries before this one, in characters, about. */
  start: number;
  /** JSON. */
  data: string | null;
};

const ROW = new RowParser<HistoryRow>('history', 'slot');

/**
 * The history's table: a ring in which entry `n` is in slot `n` modulo `HISTORY_ROWS`. Each row has the sum of the
 * lengths of all entries before it, so the length of a range of entries is a difference.
 */
export class HistoryTable {
  readonly #sql: SqlStorage;
  /** The id of the last written entry, and the sum of all lengths up to its end. */
  #last: { readonly id: number; readonly end: number } | undefined;
  /** Characters written since the kept length was last compared with `HISTORY_LENGTH`. */
  #unchecked = HISTORY_CHECK;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Writes an entry. Once the ring is full it overwrites the oldest one, so pruning writes no row. */
  record(entry: HistoryEntry): void {
    const { id, revision, at, cause, event, state, by, sub, from, to, entered, notes, data = null } = entry;
    const start = this.#last?.id === id - 1 ? this.#last.end : this.#endOf(id - 1);
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
      start,
      data,
    };
    this.#sql.exec(
      `INSERT OR REPLACE INTO history
         (slot, revision, at, cause, event, state, by, sub, before, after, entered, notes, start, data)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
      row.start,
      row.data,
    );
    const length = lengthOf(row);
    this.#last = { id, end: start + length };
    this.#unchecked += length;
    if (this.#unchecked < HISTORY_CHECK) return;
    this.#unchecked = 0;
    this.#prune(id, start + length - HISTORY_LENGTH);
  }

  /**
   * Leaves out the ids between two entries: they were of entries that a restore has undone. Their slots may still have
   * entries of the round before.
   *
   * @param last the id of the entry before them.
   * @param next the id of the entry after them.
   */
  skip(last: number, next: number): void {
    const end = this.#endOf(last);
    this.#deleteRange(Math.max(last + 1, next - HISTORY_ROWS), next - 1);
    this.#last = { id: next - 1, end };
  }

  /** Returns the sum of all lengths up to the end of an entry; 0 where the entry is missing. */
  #endOf(id: number): number {
    const [row] = this.#rows(rangesOf(Math.max(1, id), id), 'ASC');
    return row === undefined ? 0 : ROW.number(row, 'start') + lengthOf(row);
  }

  /** Returns where the first entry from `id` on starts: ids that a restore has undone are missing. */
  #startOf(id: number, newest: number): number | undefined {
    for (const row of this.#rows(rangesOf(id, newest), 'ASC')) return ROW.number(row, 'start');
    return undefined;
  }

  #deleteRange(from: number, to: number): void {
    for (const { base, low, high } of rangesOf(from, to)) {
      this.#sql.exec('DELETE FROM history WHERE slot BETWEEN ? AND ?', low - base, high - base);
    }
  }

  /** Drops the entries that start before `from` in the sum of all lengths, except the newest. */
  #prune(newest: number, from: number): void {
    if (from <= 0) return;
    const oldest = Math.max(1, newest - HISTORY_ROWS + 1);
    // Binary search: entries start in the order of their ids.
    let [low, high] = [oldest, newest];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.#startOf(middle, newest) ?? 0) < from) low = middle + 1;
      else high = middle;
    }
    this.#deleteRange(oldest, low - 1);
  }

  /**
   * Reads the history, newest first.
   *
   * @param entries entries written so far.
   * @param before only entries with smaller ids.
   * @param limit entries at most. Their length is at most `HISTORY_PAGE_LENGTH`, or one entry.
   * @returns also whether there are older ones: the row after the page is read too, in the same scan.
   */
  read(entries: number, before: number, limit: number, filter: HistoryFilter = {}): FoundEntries {
    const newest = Math.min(entries, before - 1);
    const oldest = Math.max(1, entries - HISTORY_ROWS + 1);
    const found: HistoryEntry[] = [];
    let left = HISTORY_PAGE_LENGTH;
    for (const row of this.#rows(rangesOf(oldest, newest).reverse(), 'DESC', filter, limit + 1)) {
      left -= lengthOf(row);
      if (found.length === limit || (left < 0 && found.length > 0)) return { entries: found, hasMore: true };
      found.push(toEntry(row.id, row));
    }
    return { entries: found, hasMore: false };
  }

  /**
   * Reads the history from an entry on, oldest first.
   *
   * @param entries entries written so far.
   * @param after only entries with greater ids.
   * @param most characters at most, about; one entry is read whatever its length.
   */
  readAfter(entries: number, after: number, most: number): HistoryEntry[] {
    const oldest = Math.max(1, after + 1, entries - HISTORY_ROWS + 1);
    const found: HistoryEntry[] = [];
    let left = most;
    for (const row of this.#rows(rangesOf(oldest, entries), 'ASC')) {
      left -= lengthOf(row);
      if (left < 0 && found.length > 0) break;
      found.push(toEntry(row.id, row));
    }
    return found;
  }

  /**
   * Returns the revision of the newest entry that entered a state; undefined where there is none.
   *
   * @param entries entries written so far.
   * @param since only entries with greater revisions.
   * @param most characters to read at most, about: older entries are not looked at.
   */
  lastEntered(entries: number, since: number, state: string, most: number): number | undefined {
    let left = most;
    const oldest = Math.max(1, entries - HISTORY_ROWS + 1);
    for (const row of this.#rows(rangesOf(oldest, entries).reverse(), 'DESC')) {
      left -= lengthOf(row);
      const { revision, entered } = toEntry(row.id, row);
      if (revision <= since || left < 0) return undefined;
      if (entered.includes(state)) return revision;
    }
    return undefined;
  }

  /**
   * Reads rows lazily: no more than the caller iterates over, and the next one, as cursors do.
   *
   * @param most how many of each range: to search for a row behind the last one costs as much as to search for that.
   */
  *#rows(
    ranges: readonly IdRange[],
    order: 'ASC' | 'DESC',
    filter: HistoryFilter = {},
    most = NO_LIMIT,
  ): Iterable<HistoryRow & { readonly id: number }> {
    const { sql, parameters } = conditionOf(filter);
    for (const { base, low, high } of ranges) {
      const rows = this.#sql.exec<HistoryRow>(
        `SELECT slot, revision, at, cause, event, state, by, sub, before, after, entered, notes, start, data
           FROM history
          WHERE slot BETWEEN ? AND ?${sql} ORDER BY slot ${order} LIMIT ?`,
        low - base,
        high - base,
        ...parameters,
        most,
      );
      for (const row of rows) yield { ...row, id: base + row.slot };
    }
  }
}

/** A negative LIMIT is none: https://www.sqlite.org/lang_select.html#limitoffset */
const NO_LIMIT = -1;

/** Ids `low` to `high`, in the slots `low - base` to `high - base`. */
interface IdRange {
  /** The id that slot 0 has in this round of the ring. */
  readonly base: number;
  readonly low: number;
  readonly high: number;
}

/** Splits a range of ids where the ring begins again. Returns at most two ranges, in order. */
function rangesOf(oldest: number, newest: number): IdRange[] {
  const found: IdRange[] = [];
  for (let low = oldest; low <= newest; ) {
    const base = low - (low % HISTORY_ROWS);
    const high = Math.min(newest, base + HISTORY_ROWS - 1);
    found.push({ base, low, high });
    low = high + 1;
  }
  return found;
}

/** Returns the length of an entry as JSON, in characters, about. */
function lengthOf({ event, state, by, sub, before, after, entered, notes, data }: HistoryRow): number {
  const texts = [event, state, by, sub, before, after, entered, notes, data];
  return texts.reduce((sum, text) => sum + (text?.length ?? 0), ENTRY_LENGTH);
}

/** Characters of an entry's field names, numbers and times. */
const ENTRY_LENGTH = 200;

function toEntry(id: number, row: HistoryRow): HistoryEntry {
  const data = ROW.textOrNull(row, 'data');
  return {
    id,
    revision: ROW.number(row, 'revision'),
    at: ROW.number(row, 'at'),
    cause: ROW.oneOf(row, 'cause', CAUSES),
    event: ROW.textOrNull(row, 'event'),
    state: ROW.textOrNull(row, 'state'),
    by: ROW.textOrNull(row, 'by'),
    sub: ROW.textOrNull(row, 'sub'),
    from: ROW.json(row, 'before', isNames),
    to: ROW.json(row, 'after', isNames),
    entered: ROW.json(row, 'entered', isNames),
    notes: ROW.json(row, 'notes', isNames),
    ...(data === null ? {} : { data }),
  };
}
