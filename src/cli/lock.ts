import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const LOCK_FILE = 'serve.lock';
/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/**
 * Takes a data folder for this process alone. Two servers on one folder would be two machines at one address: seen
 * to work without an error, each with its own waiters and its own idea of the present.
 *
 * SQLite's lock, because the kernel drops it with the process: a file with a pid in it would outlive a `kill -9`.
 *
 * @param folder absolute path of an existing, writable folder
 * @returns what gives the folder free again, or null if another process has it
 */
export function lockFolder(folder: string): (() => void) | null {
  const database = new DatabaseSync(join(folder, LOCK_FILE));
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return null;
    throw error;
  }
  return () => database.close();
}
