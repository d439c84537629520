import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LOCK_FILE } from './lock.ts';
import { errorCode } from './result.ts';

const FOLDER = 0o700;
const FILE = 0o600;

/** The umask of the process and of workerd: new files are accessible by the owner only (umask(2)). */
export const PRIVATE_UMASK = 0o077;

/**
 * Removes the permissions of group and others from a data folder that an earlier version left readable: it contains
 * reports, names and charts. Other files keep theirs, and so does a folder that contains other files: `--data .` must not
 * close a home folder.
 *
 * @returns false where a file belongs to another user, who alone may change it.
 */
export async function makePrivate(data: string): Promise<boolean> {
  try {
    const entries = await readdir(data, { withFileTypes: true });
    const ours = entries.filter(({ name }) => name.startsWith(LOCK_FILE) || name.startsWith('stateservice-'));
    for (const entry of ours) {
      const path = join(data, entry.name);
      if (entry.isDirectory()) await restrictFolder(path);
      else await restrict(path, FILE);
    }
    if (ours.length === entries.length) await restrict(data, FOLDER);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EPERM') return false;
    throw error;
  }
}

/** Restricts the files of a folder, then the folder: a restricted folder needs no second pass. */
async function restrictFolder(folder: string): Promise<void> {
  if (((await stat(folder)).mode & PRIVATE_UMASK) === 0) return;
  for (const name of await readdir(folder)) await restrict(join(folder, name), FILE);
  await chmod(folder, FOLDER);
}

async function restrict(path: string, mode: number): Promise<void> {
  if (((await stat(path)).mode & PRIVATE_UMASK) !== 0) await chmod(path, mode);
}
