import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LOCK_FILE } from './lock.ts';
import { errorCode } from './outcome.ts';

const FOLDER = 0o700;
const FILE = 0o600;

/** What others than the owner may not do with a file that the process makes, workerd's files too (umask(2)). */
export const PRIVATE_UMASK = 0o077;

/**
 * Takes the rights of group and others from a data folder that an earlier version left readable: reports, names and
 * charts are in it. What is not of the service is left as it is, and so is a folder that holds anything else: `--data .`
 * is no reason to close a home.
 *
 * @returns false where a file is of another user, who alone may do that.
 */
export async function makePrivate(data: string): Promise<boolean> {
  try {
    const entries = await readdir(data, { withFileTypes: true });
    const ours = entries.filter(({ name }) => name.startsWith(LOCK_FILE) || name.startsWith('stateservice-'));
    for (const entry of ours) {
      const path = join(data, entry.name);
      if (entry.isDirectory()) await closeFolder(path);
      else await close(path, FILE);
    }
    if (ours.length === entries.length) await close(data, FOLDER);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EPERM') return false;
    throw error;
  }
}

/** Closes a folder after its files, so that one which is closed needs no look at them. */
async function closeFolder(folder: string): Promise<void> {
  if (((await stat(folder)).mode & PRIVATE_UMASK) === 0) return;
  for (const name of await readdir(folder)) await close(join(folder, name), FILE);
  await chmod(folder, FOLDER);
}

async function close(path: string, mode: number): Promise<void> {
  if (((await stat(path)).mode & PRIVATE_UMASK) !== 0) await chmod(path, mode);
}
