/**
 * Makes the data folder durable before workerd reads it.
 *
 * SQLite syncs each commit before it is acknowledged. But a workerd that is killed leaves pages in the page cache that were
 * written and not yet synced. The next workerd reads them as committed, and answers a repeated report without a new sync: a
 * power cut would then lose what was acknowledged.
 */
import { type FileHandle, mkdir, open, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DONE, errorCode, type Result, reasonOf, refuse, shown } from './result.ts';
import { OBJECTS, objectsFolder } from './workerd-config.ts';

/** Files that are synced at the same time: as many as libuv has threads. So the descriptors in use are bounded. */
const AT_A_TIME = 4;

/**
 * Creates a folder and its missing parents, each of which survives a power cut.
 *
 * Creates one folder at a time: `mkdir` of Node 24 with `recursive` never ends in a folder that exists and answers ENOENT, as
 * /proc does.
 */
export async function makeDurableFolder(path: string): Promise<void> {
  const parent = dirname(path);
  try {
    await mkdir(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' && !(await isFolder(parent))) {
      await makeDurableFolder(parent);
      return makeDurableFolder(path);
    }
    if (!(await isFolder(path))) throw error;
  }
  await syncFolder(parent);
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}

/**
 * Syncs what an earlier workerd may have written and not synced, and creates the folders of objects: workerd does not sync
 * their names.
 *
 * Only write-ahead logs need it. SQLite copies a log into its database and syncs the database before it removes the log
 * or starts it again. So the number of files is that of the objects in memory when workerd was killed, and 0 after a normal
 * stop.
 *
 * @param data the data folder, while no workerd uses it
 * @returns a refusal where the disk fails.
 */
export async function makeDataDurable(data: string): Promise<Result<void>> {
  try {
    for (const { className } of OBJECTS) {
      const folder = join(data, objectsFolder(className));
      await makeDurableFolder(folder);
      const logs = (await readdir(folder)).filter((name) => name.endsWith('-wal'));
      await syncFiles(logs.map((name) => join(folder, name)));
      await syncFolder(folder);
    }
    return DONE;
  } catch (error) {
    return refuse(`cannot sync the data folder ${shown(data)}: ${reasonOf(error)}`);
  }
}

async function syncFiles(files: readonly string[]): Promise<void> {
  const next = files.values();
  const syncAll = async () => {
    for (const file of next) await using(file, 'r+', (open) => open.datasync());
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, syncAll));
}

/** Syncs the names in a folder; nothing where the system does not open it: the parent of another user, or Windows. */
async function syncFolder(folder: string): Promise<void> {
  try {
    await using(folder, 'r', (open) => open.sync());
  } catch (error) {
    if (!['EACCES', 'EISDIR', 'EPERM'].includes(errorCode(error) ?? '')) throw error;
  }
}

async function using(path: string, flags: string, use: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, flags);
  try {
    await use(file);
  } finally {
    await file.close();
  }
}
