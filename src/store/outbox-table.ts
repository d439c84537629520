import { NOTIFICATION_LENGTH, NOTIFICATIONS } from '../limits.ts';
import type { HistoryEntry } from './history-table.ts';
import { OptionalTable } from './optional-table.ts';
import { RowParser } from './row-parser.ts';
import { isNames } from './stored-json.ts';

/** What has become of a message: it is to be sent, its receiver has taken it, or it was given up. */
const STATUSES = ['pending', 'sent', 'failed'] as const;
type NotificationStatus = (typeof STATUSES)[number];

/** A message of the outbox, without its content. */
export interface Notification {
  readonly hook: string;
  /** The id of the history entry that it tells of. */
  readonly entry: number;
  /** When it was put into the outbox, or was asked for again, ms since the epoch. */
  readonly at: number;
  readonly status: NotificationStatus;
  /** Attempts that have failed. */
  readonly attempts: number;
  /** Of a pending one: when it is tried next. Else when it was sent or given up. ms since the epoch. */
  readonly next: number;
  /** Why the last attempt has failed; null if none has. */
  readonly failure: string | null;
}

/** What a message tells, as a page shows it. */
export type Told = Pick<HistoryEntry, 'cause' | 'event' | 'state' | 'entered'>;

/** A message to send. */
export interface Message extends Notification {
  readonly content: HistoryEntry;
}

/** The messages of one hook. */
export interface Queue {
  readonly hook: string;
  readonly pending: number;
  readonly failed: number;
  /** When the first pending message is tried next, ms since the epoch; undefined if none is pending. */
  readonly next: number | undefined;
}

/** Pending messages that were dropped to make room. */
export interface Dropped {
  readonly hook: string;
  readonly count: number;
  /** Ids of the history entries of the first and of the last one. */
  readonly first: number;
  readonly last: number;
  /** When the last one was dropped, ms since the epoch. */
  readonly at: number;
}

/** The sums of a hook's rows, and where the first pending row may be. */
interface Sums {
  kept: number;
  pending: number;
  failed: number;
  /** No entry before it is pending. */
  head: number;
  next: number | undefined;
}

/**
 * The outbox: a row for each message to a hook, written in the commit of the entry that it tells of. A hook's messages
 * are sent in the order of their entries, so only the first pending one has a time for its next attempt.
 */
export class OutboxTable {
  readonly #messages: OptionalTable;
  readonly #dropped: OptionalTable;
  /** By hook; undefined until they are read. */
  #sums: Map<string, Sums> | undefined;

  constructor(sql: SqlStorage) {
    this.#messages = new OptionalTable(sql, 'notification');
    this.#dropped = new OptionalTable(sql, 'dropped_notification');
  }

  /** Returns the queues of all hooks that have messages. */
  queues(): Queue[] {
    return [...this.#read()].map(([hook, { pending, failed, next }]) => ({ hook, pending, failed, next }));
  }

  /** Puts a message into the outbox. Drops the oldest one of the hook where there are `NOTIFICATIONS`. */
  add(hook: string, entry: HistoryEntry, at: number): void {
    const sums = this.#of(hook);
    this.#messages.insert(
      `INSERT OR REPLACE INTO notification (hook, entry, at, status, attempts, next, failure, content)
       VALUES (?, ?, ?, 'pending', 0, ?, NULL, ?)`,
      hook,
      entry.id,
      at,
      at,
      JSON.stringify(shortened(entry)),
    );
    sums.kept += 1;
    sums.pending += 1;
    if (sums.pending === 1) sums.head = entry.id;
    sums.next ??= at;
    if (sums.kept > NOTIFICATIONS) this.#drop(hook, sums, at);
  }

  /** Returns the first pending message of a hook. */
  first(hook: string): Message | undefined {
    const sums = this.#read().get(hook);
    if (sums === undefined || sums.pending === 0) return undefined;
    const [row] = this.#messages.rows<NotificationRow>(
      `SELECT hook, entry, at, status, attempts, next, failure, content FROM notification
       WHERE hook = ? AND entry >= ? AND status = 'pending' ORDER BY entry LIMIT 1`,
      hook,
      sums.head,
    );
    // A second object of the address has settled them.
    if (row === undefined) this.#sums = undefined;
    return row && { ...toNotification(row), content: ROW.json(row, 'content', isEntry) };
  }

  /** Returns the statuses of the messages about an entry. */
  about(entry: number): Notification[] {
    return [...this.#read().keys()].flatMap((hook) =>
      this.#messages
        .rows<NotificationRow>(
          `SELECT hook, entry, at, status, attempts, next, failure FROM notification
           WHERE hook = ? AND entry = ?`,
          hook,
          entry,
        )
        .map(toNotification),
    );
  }

  /** Returns messages about entries before `before`, the newest entry first. */
  page(before: number, limit: number): Notification[] {
    return [...this.#read().keys()]
      .flatMap((hook) =>
        this.#messages.rows<NotificationRow>(
          `SELECT hook, entry, at, status, attempts, next, failure FROM notification
           WHERE hook = ? AND entry < ? ORDER BY entry DESC LIMIT ?`,
          hook,
          before,
          limit,
        ),
      )
      .map(toNotification)
      .sort((one, other) => other.entry - one.entry || (one.hook < other.hook ? -1 : 1));
  }

  /** Returns what a message tells; undefined if it is not kept any more. */
  told(hook: string, entry: number): Told | undefined {
    const [row] = this.#messages.rows<Pick<NotificationRow, 'hook' | 'entry' | 'content'>>(
      'SELECT hook, entry, content FROM notification WHERE hook = ? AND entry = ?',
      hook,
      entry,
    );
    if (row === undefined) return undefined;
    const { cause, event, state, entered } = ROW.json(row, 'content', isEntry);
    return { cause, event, state, entered };
  }

  /** Returns what was dropped, by hook. */
  dropped(): Dropped[] {
    return this.#dropped
      .rows<DroppedRow>('SELECT hook, count, first, last, at FROM dropped_notification ORDER BY hook')
      .map((row) => ({
        hook: DROPPED.text(row, 'hook'),
        count: DROPPED.number(row, 'count'),
        first: DROPPED.number(row, 'first'),
        last: DROPPED.number(row, 'last'),
        at: DROPPED.number(row, 'at'),
      }));
  }

  /** Notes that a message was sent, or was given up (`failure`). Does nothing if it was dropped or erased meanwhile. */
  settle({ hook, entry, at }: Notification, now: number, attempts: number, failure: string | null): void {
    const status: NotificationStatus = failure === null ? 'sent' : 'failed';
    // Read before the change: sums that were forgotten would count it twice.
    const sums = this.#read().get(hook);
    const isPending = this.#messages.update(
      `UPDATE notification SET status = ?, attempts = ?, next = ?, failure = ?
       WHERE hook = ? AND entry = ? AND at = ? AND status = 'pending'`,
      status,
      attempts,
      now,
      failure,
      hook,
      entry,
      at,
    );
    if (!isPending || sums === undefined) {
      this.#sums = undefined;
      return;
    }
    sums.pending -= 1;
    if (status === 'failed') sums.failed += 1;
    sums.head = entry + 1;
    sums.next = this.first(hook)?.next;
  }

  /** Notes that an attempt has failed, and when the next one is due. */
  postpone({ hook, entry, at }: Notification, next: number, attempts: number, failure: string): void {
    this.#messages.update(
      `UPDATE notification SET attempts = ?, next = ?, failure = ?
       WHERE hook = ? AND entry = ? AND at = ? AND status = 'pending'`,
      attempts,
      next,
      failure,
      hook,
      entry,
      at,
    );
    const sums = this.#read().get(hook);
    if (sums !== undefined) sums.next = next;
  }

  /** Puts a message back among those to be sent: it is the first of its hook, if no pending one is older. */
  resend(hook: string, entry: number, at: number): void {
    this.#messages.update(
      `UPDATE notification SET status = 'pending', at = ?, attempts = 0, next = ?, failure = NULL
       WHERE hook = ? AND entry = ?`,
      at,
      at,
      hook,
      entry,
    );
    // The sums are read anew: the message may have been pending.
    this.#sums = undefined;
  }

  /** Forgets what it knows of the tables: storage was deleted, a transaction was rolled back, or another object has written. */
  forget(): void {
    this.#sums = undefined;
    this.#messages.forget();
    this.#dropped.forget();
  }

  #drop(hook: string, sums: Sums, at: number): void {
    const [oldest] = this.#messages.rows<Pick<NotificationRow, 'entry' | 'status'>>(
      'SELECT entry, status FROM notification WHERE hook = ? ORDER BY entry LIMIT 1',
      hook,
    );
    if (oldest === undefined) return;
    const entry = ROW.number(oldest, 'entry');
    this.#messages.delete('DELETE FROM notification WHERE hook = ? AND entry = ?', hook, entry);
    sums.kept -= 1;
    const status = ROW.oneOf(oldest, 'status', STATUSES);
    if (status === 'failed') sums.failed -= 1;
    if (status !== 'pending') return;
    sums.pending -= 1;
    sums.head = entry + 1;
    sums.next = this.first(hook)?.next;
    this.#dropped.insert(
      `INSERT INTO dropped_notification (hook, count, first, last, at) VALUES (?, 1, ?, ?, ?)
       ON CONFLICT (hook) DO UPDATE SET count = count + 1, last = excluded.last, at = excluded.at`,
      hook,
      entry,
      entry,
      at,
    );
  }

  #of(hook: string): Sums {
    const all = this.#read();
    const known = all.get(hook);
    if (known !== undefined) return known;
    const none: Sums = { kept: 0, pending: 0, failed: 0, head: 0, next: undefined };
    all.set(hook, none);
    return none;
  }

  #read(): Map<string, Sums> {
    if (this.#sums !== undefined) return this.#sums;
    const rows = this.#messages.rows<SumsRow>(
      `SELECT hook, count(*) AS kept, sum(status = 'pending') AS pending, sum(status = 'failed') AS failed,
              min(CASE WHEN status = 'pending' THEN entry END) AS head
         FROM notification GROUP BY hook`,
    );
    const sums = new Map(
      rows.map(({ hook, kept, pending, failed, head }): [string, Sums] => [
        hook,
        { kept, pending, failed, head: head ?? 0, next: undefined },
      ]),
    );
    this.#sums = sums;
    for (const [hook, of] of sums) of.next = this.first(hook)?.next;
    return sums;
  }
}

/** A long entry without the ends of its lists, so that the outbox is bounded in bytes. */
function shortened(entry: HistoryEntry): HistoryEntry {
  if (JSON.stringify(entry).length <= NOTIFICATION_LENGTH) return entry;
  // Data, names and the rest of an entry fit in half of it.
  const most = NOTIFICATION_LENGTH / 8;
  const cut = (names: readonly string[]) => {
    let length = 0;
    return names.filter((name) => {
      length += JSON.stringify(name).length + 1;
      return length <= most;
    });
  };
  const { from, to, entered, notes } = entry;
  return { ...entry, from: cut(from), to: cut(to), entered: cut(entered), notes: cut(notes) };
}

type NotificationRow = {
  hook: string;
  entry: number;
  /** ms since the epoch. */
  at: number;
  /** One of `STATUSES`. */
  status: string;
  attempts: number;
  /** ms since the epoch. */
  next: number;
  failure: string | null;
  /** JSON: `HistoryEntry`. */
  content: string;
};

type SumsRow = { hook: string; kept: number; pending: number; failed: number; head: number | null };

type DroppedRow = { hook: string; count: number; first: number; last: number; at: number };

const ROW = new RowParser<NotificationRow>('notification', 'hook', 'entry');
const DROPPED = new RowParser<DroppedRow>('dropped_notification', 'hook');

function toNotification(row: Omit<NotificationRow, 'content'>): Notification {
  return {
    hook: ROW.text(row, 'hook'),
    entry: ROW.number(row, 'entry'),
    at: ROW.number(row, 'at'),
    status: ROW.oneOf(row, 'status', STATUSES),
    attempts: ROW.number(row, 'attempts'),
    next: ROW.number(row, 'next'),
    failure: ROW.textOrNull(row, 'failure'),
  };
}

/** Whether a value is an entry as `add` has written it. */
function isEntry(value: unknown): value is HistoryEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { id, revision, at, cause, from, to, entered, notes } = value as Readonly<Record<string, unknown>>;
  return (
    [id, revision, at].every((number) => typeof number === 'number') &&
    typeof cause === 'string' &&
    [from, to, entered, notes].every(isNames)
  );
}
