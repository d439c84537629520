import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Open, and locked, in a folder of machines for as long as a server has it. */
export const LOCK_FILE = 'serve.lock';
/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/** Referred to for as long as the process lives: a collected database would be closed, and its lock with it. */
const held: DatabaseSync[] = [];

/**
 * Takes a data folder for this process, until it ends. Two servers on one folder would be two machines at one
 * address: seen to work without an error, each with its own waiters and its own idea of the present.
 *
 * SQLite's lock, because the kernel drops it with the process: a file with a pid in it would outlive a `kill -9`.
 *
 * @param folder absolute path of an existing, writable folder
 * @returns whether it was free
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
