import { link, readdir, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Workerd } from './workerd.ts';

/** The size of one page of SQLite. Each table has a page of its own, so a database of one page has no table. */
const EMPTY_DATABASE = 4_096;

/** The interval of sweeps while workerd runs, in ms. */
const SWEEP_EVERY = 60_000;

/** The suffix of a database that is checked a last time before its removal. */
const SET_ASIDE = '.swept';

/**
 * Removes empty databases. workerd creates a file for every object that is called, also for a run that has not started;
 * on Cloudflare such an object stores nothing.
 *
 * @param data the folder of workerd's objects, while no workerd uses it
 * @returns the number of databases removed.
 */
export async function sweepEmptyObjects(data: string): Promise<number> {
  await restoreNames(data);
  let removed = 0;
  for await (const database of databasesIn(data)) {
    if (!(await isEmpty(database))) continue;
    for (const suffix of ['-wal', '-shm', '']) await rm(`${database}${suffix}`, { force: true });
    removed += 1;
  }
  return removed;
}

/**
 * Sweeps periodically while a workerd runs: the databases of objects that it has evicted, which it does after 10 s, and
 * closes their files. Only on Linux, where `/proc` lists its open files.
 */
export async function keepSweeping(
  data: string,
  { pid, ended }: Pick<Workerd, 'pid' | 'ended'>,
  every = SWEEP_EVERY,
): Promise<void> {
  if (pid === undefined) return;
  const over = ended.then(() => true);
  while (!(await Promise.race([over, sleep(every, false, { ref: false })]))) {
    try {
      await sweepSleepingObjects(data, pid);
    } catch (error) {
      console.error('stateservice: empty databases could not be removed', error);
      return;
    }
  }
}

/**
 * Removes empty databases that a running workerd has closed. A renamed database cannot be opened by its name any more;
 * then the open files are read again. A database that workerd opened before the rename gets its name back. workerd does
 * not notice, because it holds the file and not the name.
 */
async function sweepSleepingObjects(data: string, pid: number): Promise<void> {
  const before = await openFiles(pid);
  if (before === undefined) return;
  const aside: string[] = [];
  for await (const database of databasesIn(await realpath(data))) {
    // A closed database has no write-ahead log: SQLite removes it with the last connection.
    if (before.has(database) || (await sizeOf(`${database}-wal`)) !== undefined) continue;
    if (!(await isEmpty(database))) continue;
    await rename(database, `${database}${SET_ASIDE}`);
    aside.push(database);
  }
  if (aside.length === 0) return;
  const after = await openFiles(pid);
  for (const database of aside) {
    const swept = `${database}${SET_ASIDE}`;
    const isIdle = after !== undefined && !after.has(swept) && (await isEmpty(swept));
    if (isIdle) await rm(swept);
    else await restoreName(swept, database);
  }
}

/** Restores the names of databases that an interrupted sweep has renamed. */
async function restoreNames(data: string): Promise<void> {
  for await (const swept of filesIn(data, /^[0-9a-f]{64}\.sqlite\.swept$/)) {
    const database = swept.slice(0, -SET_ASIDE.length);
    await restoreName(swept, database);
  }
}

/** Restores a name. If the name exists again, its object was called again; the renamed database is empty and is removed. */
async function restoreName(swept: string, database: string): Promise<void> {
  await link(swept, database).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(swept);
}

function databasesIn(data: string): AsyncGenerator<string> {
  return filesIn(data, /^[0-9a-f]{64}\.sqlite$/);
}

/** Yields the files of all namespaces whose names match. */
async function* filesIn(data: string, pattern: RegExp): AsyncGenerator<string> {
  for (const namespace of await readdir(data, { withFileTypes: true })) {
    if (!namespace.isDirectory()) continue;
    const folder = join(data, namespace.name);
    for (const name of await readdir(folder)) if (pattern.test(name)) yield join(folder, name);
  }
}

/** @returns the current paths of a process's open files; undefined where `/proc` does not tell. */
async function openFiles(pid: number): Promise<ReadonlySet<string> | undefined> {
  const folder = `/proc/${pid}/fd`;
  const descriptors = await readdir(folder).catch(() => undefined);
  if (descriptors === undefined) return undefined;
  // A descriptor may be closed meanwhile.
  const links = await Promise.all(descriptors.map((fd) => readlink(join(folder, fd)).catch(() => '')));
  return new Set(links);
}

/** After a crash the last commits may be in the write-ahead log only. */
async function isEmpty(database: string): Promise<boolean> {
  const sizes = await Promise.all([database, `${database}-wal`].map((file) => sizeOf(file)));
  return sizes[0] !== undefined && sizes[0] <= EMPTY_DATABASE && (sizes[1] ?? 0) === 0;
}

async function sizeOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    ({ size }) => size,
    () => undefined,
  );
}
