import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The file in a data folder that a server keeps open and locked. */
export const LOCK_FILE = 'serve.lock';
/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/** References that keep databases from being collected, which would close them and release their locks. */
const held: DatabaseSync[] = [];

/**
 * Locks a data folder until this process ends. Two servers on one folder would run two machines at one address: observed
 * to work without an error, each with its own waits and its own state.
 *
 * Uses a lock of SQLite because the kernel releases it with the process; a pid file would remain after a `kill -9`.
 *
 * @param folder absolute path of an existing, writable folder
 * @returns false where another process has the lock
 */
export function lockFolder(folder: string): boolean {
  const database = new DatabaseSync(join(folder, LOCK_FILE));
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return false;
    throw error;
  }
  held.push(database);
  return true;
}
