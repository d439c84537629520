import { link, readdir, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Workerd } from './workerd.ts';

/** One page of SQLite: each table has a page of its own, so a database of one page has none. */
const EMPTY_DATABASE = 4_096;

/** Between two sweeps while workerd runs, in ms. */
const SWEEP_EVERY = 60_000;

/** What a database is called while it is looked at for the last time. */
const SET_ASIDE = '.swept';

/**
 * Removes the databases that hold nothing. workerd makes a file for every object that is merely asked, also for a run
 * that has not begun; on Cloudflare such an object leaves nothing behind.
 *
 * @param data the folder that workerd keeps its objects in, while no workerd runs on it.
 * @returns how many were removed.
 */
export async function sweepEmptyObjects(data: string): Promise<number> {
  await bringBack(data);
  let removed = 0;
  for await (const database of databasesIn(data)) {
    if (!(await isEmpty(database))) continue;
    for (const suffix of ['-wal', '-shm', '']) await rm(`${database}${suffix}`, { force: true });
    removed += 1;
  }
  return removed;
}

/**
 * Sweeps now and then while a workerd runs, until it ends: the databases of objects that it has put to sleep (it does
 * so after 10 s, and closes their files). Only where `/proc` says which files it has open, which is Linux.
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
      console.error('stateservice: files of objects that hold nothing could not be removed', error);
      return;
    }
  }
}

/**
 * Removes empty databases that a running workerd has closed. A database that is set aside can no longer be opened by
 * its name; the files that are open then decide. One that workerd has opened in between gets its name back, and
 * workerd sees no difference: it holds the file and not the name.
 */
async function sweepSleepingObjects(data: string, pid: number): Promise<void> {
  const before = await openFiles(pid);
  if (before === undefined) return;
  const aside: string[] = [];
  for await (const database of databasesIn(await realpath(data))) {
    // What is closed has no log any more: SQLite removes it with the last connection.
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
    else await giveBack(swept, database);
  }
}

/** Gives databases their names back that a sweep had set aside when its process ended. */
async function bringBack(data: string): Promise<void> {
  for await (const swept of filesIn(data, /^[0-9a-f]{64}\.sqlite\.swept$/)) {
    const database = swept.slice(0, -SET_ASIDE.length);
    await giveBack(swept, database);
  }
}

/** Where there is a newer file of the name, its object was asked again and found nothing, which is what this one holds. */
async function giveBack(swept: string, database: string): Promise<void> {
  await link(swept, database).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(swept);
}

function databasesIn(data: string): AsyncGenerator<string> {
  return filesIn(data, /^[0-9a-f]{64}\.sqlite$/);
}

/** The files of all namespaces whose names match. */
async function* filesIn(data: string, pattern: RegExp): AsyncGenerator<string> {
  for (const namespace of await readdir(data, { withFileTypes: true })) {
    if (!namespace.isDirectory()) continue;
    const folder = join(data, namespace.name);
    for (const name of await readdir(folder)) if (pattern.test(name)) yield join(folder, name);
  }
}

/** @returns the files that a process has open, by their present names; undefined where that cannot be known. */
async function openFiles(pid: number): Promise<ReadonlySet<string> | undefined> {
  const folder = `/proc/${pid}/fd`;
  const descriptors = await readdir(folder).catch(() => undefined);
  if (descriptors === undefined) return undefined;
  // One that is closed while it is looked at has no file any more.
  const links = await Promise.all(descriptors.map((fd) => readlink(join(folder, fd)).catch(() => '')));
  return new Set(links);
}

/** After a crash what was committed last may be in the write-ahead log alone. */
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
