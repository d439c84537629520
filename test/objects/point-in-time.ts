/**
 * A stand-in for the platform's point-in-time recovery, which workerd does not implement: it keeps copies of an object's
 * tables, and really puts one back. All else is real: the restart of the object, its storage, its tenant.
 */
import { runInDurableObject } from 'cloudflare:test';
import type { Machine } from '../../src/index.ts';
import { objectAt } from '../service.ts';

/** A table: its statement, and its rows. */
interface Table {
  readonly sql: string;
  readonly name: string;
  readonly rows: readonly Record<string, SqlStorageValue>[];
}

interface Copy {
  /** ms since the epoch. */
  readonly at: number;
  readonly tables: readonly Table[];
}

/** The methods of the storage that are stood in for. */
type Methods = Pick<
  DurableObjectStorage,
  'getBookmarkForTime' | 'getCurrentBookmark' | 'onNextSessionRestoreBookmark'
>;

export interface PointInTime {
  /** The calls, in their order. */
  readonly calls: string[];
  /** Keeps a copy of the machine's storage as it is now. */
  keep(address: string): Promise<void>;
  /** Makes the next try to arm a recovery fail. */
  failNext(error: Error): void;
  /** Takes the stand-in away. */
  remove(): void;
}

/** Gives the objects of this isolate a point-in-time recovery. One machine at a time keeps copies. */
export async function standIn(address: string): Promise<PointInTime> {
  const copies: Copy[] = [];
  const calls: string[] = [];
  let failure: Error | undefined;
  const methods: Methods & ThisType<DurableObjectStorage> = {
    async getBookmarkForTime(time) {
      calls.push('getBookmarkForTime');
      const at = Number(time);
      const copy = copies.findLast((kept) => kept.at <= at) ?? copies[0];
      return String(copy === undefined ? -1 : copies.indexOf(copy));
    },
    async getCurrentBookmark() {
      calls.push('getCurrentBookmark');
      copies.push({ at: Date.now(), tables: tablesOf(this.sql) });
      return String(copies.length - 1);
    },
    async onNextSessionRestoreBookmark(bookmark) {
      calls.push('onNextSessionRestoreBookmark');
      if (failure !== undefined) {
        const error = failure;
        failure = undefined;
        throw error;
      }
      // At once: no other event runs before the restart. The alarm is not restored.
      // https://developers.cloudflare.com/durable-objects/best-practices/snapshot-and-restore-durable-object-storage/
      await this.deleteAll();
      putBack(this.sql, copies[Number(bookmark)]?.tables ?? []);
      await this.sync();
      return 'undo';
    },
  };
  const prototypes = await runInDurableObject(objectAt(address), (_: Machine, ctx) => ({
    storage: Object.getPrototypeOf(ctx.storage) as Methods,
    ctx: Object.getPrototypeOf(ctx) as Pick<DurableObjectState, 'abort'>,
  }));
  const { storage, ctx } = prototypes;
  const real = {
    getBookmarkForTime: storage.getBookmarkForTime,
    getCurrentBookmark: storage.getCurrentBookmark,
    onNextSessionRestoreBookmark: storage.onNextSessionRestoreBookmark,
  };
  const { abort } = ctx;
  Object.assign(storage, methods);
  ctx.abort = function (this: DurableObjectState, reason?: string) {
    calls.push('abort');
    abort.call(this, reason);
  };
  return {
    calls,
    async keep(address) {
      await runInDurableObject(objectAt(address), (_: Machine, state) => {
        copies.push({ at: Date.now(), tables: tablesOf(state.storage.sql) });
      });
    },
    failNext(error) {
      failure = error;
    },
    remove() {
      Object.assign(storage, real);
      ctx.abort = abort;
    },
  };
}

function tablesOf(sql: SqlStorage): Table[] {
  return sql
    .exec<{ name: string; sql: string }>(
      "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
    )
    .toArray()
    .map(({ name, sql: statement }) => ({
      name,
      sql: statement,
      rows: sql.exec(`SELECT * FROM ${name}`).toArray(),
    }));
}

function putBack(sql: SqlStorage, tables: readonly Table[]): void {
  for (const { name, sql: statement, rows } of tables) {
    sql.exec(statement);
    for (const row of rows) {
      const values = Object.values(row);
      sql.exec(`INSERT INTO ${name} VALUES (${values.map(() => '?').join(', ')})`, ...values);
    }
  }
}
