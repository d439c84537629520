/** The storage as one live object has it: `DurableObjectStorage`, as far as the service uses it. */
import type { Database } from './database.ts';
import { resetError } from './platform-errors.ts';
import type { Context, Scheduler } from './scheduler.ts';

/** What a fault does to the storage of an object. */
export interface StorageFaults {
  /** Throws where a fault hits this access. */
  check(kind: 'read' | 'write' | 'alarm'): void;
  /** Planted: a transaction that throws is not rolled back. */
  readonly keepsFailed: boolean;
}

export class ObjectStorage {
  /** Set when another object of the name has taken over: each access throws from then on. */
  isFenced = false;
  readonly sql: SqlStorage;
  readonly #database: Database;
  readonly #scheduler: Scheduler;
  readonly #context: Context;
  readonly #faults: StorageFaults;

  constructor(database: Database, scheduler: Scheduler, context: Context, faults: StorageFaults) {
    this.#database = database;
    this.#scheduler = scheduler;
    this.#context = context;
    this.#faults = faults;
    const exec = (query: string, ...bindings: SqlStorageValue[]) => this.#exec(query, bindings);
    this.sql = { exec } as unknown as SqlStorage;
  }

  transactionSync<Result>(run: () => Result): Result {
    this.#check('write');
    return this.#database.transaction(run, !this.#faults.keepsFailed);
  }

  /** Resolves when everything that was written so far is durable. */
  sync(): Promise<void> {
    return this.#later('sync', () => this.#check('read'), true);
  }

  getAlarm(): Promise<number | null> {
    return this.#later('getAlarm', () => {
      this.#check('alarm');
      return this.#database.alarm;
    });
  }

  setAlarm(at: number | Date): Promise<void> {
    return this.#changeAlarm('setAlarm', Number(at));
  }

  deleteAlarm(): Promise<void> {
    return this.#changeAlarm('deleteAlarm', null);
  }

  /** Changes the alarm at once, and says later how that went. */
  #changeAlarm(label: string, at: number | null): Promise<void> {
    try {
      this.#check('alarm');
      this.#database.alarm = at;
    } catch (error) {
      return this.#later(label, () => {
        throw error;
      });
    }
    return this.#later(label, () => {});
  }

  deleteAll(): Promise<void> {
    this.#check('write');
    this.#database.clear();
    return this.#later('deleteAll', () => {}, true);
  }

  getBookmarkForTime(): Promise<string> {
    return Promise.reject(new Error('this storage does not implement point-in-time recovery'));
  }

  #exec(query: string, bindings: readonly SqlStorageValue[]) {
    const { isRead, changes, statement } = this.#execute(query, bindings);
    const all = () => statement?.all(...(bindings as (string | number | null)[])) ?? [];
    return {
      rowsWritten: changes,
      toArray: all,
      one: () => {
        const rows = all();
        if (rows.length !== 1) throw new Error(`expected one row, and there are ${rows.length}`);
        return rows[0];
      },
      [Symbol.iterator]: () =>
        (isRead && statement ? statement.iterate(...(bindings as (string | number | null)[])) : [])[
          Symbol.iterator
        ](),
    };
  }

  #execute(query: string, bindings: readonly SqlStorageValue[]) {
    this.#check(/^\s*SELECT/i.test(query) ? 'read' : 'write');
    return this.#database.execute(query, bindings);
  }

  #check(kind: 'read' | 'write' | 'alarm'): void {
    if (this.isFenced) throw resetError('another object of this name has taken over');
    this.#faults.check(kind);
  }

  /** Resumes the object's code in a task of its own. @param afterWrites whether only when all writes are durable. */
  #later<Result>(label: string, run: () => Result, afterWrites = false): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const { name, random } = this.#context;
    const resume = () =>
      this.#scheduler.schedule(`${label} ${name}`, random.below(0.3), this.#context, () => {
        try {
          resolve(run());
        } catch (error) {
          reject(error);
        }
      });
    if (afterWrites) this.#database.whenDurable(resume);
    else resume();
    return promise;
  }
}
