import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** One page of SQLite: each table has a page of its own, so a database of one page has none. */
const EMPTY_DATABASE = 4_096;

/**
 * Removes the databases that hold nothing. workerd makes a file for every object that is merely asked, also for an
 * address that has no chart; on Cloudflare such an object leaves nothing behind.
 *
 * @param data the folder that workerd keeps its objects in, while no workerd runs on it.
 * @returns how many were removed.
 */
export async function sweepEmptyObjects(data: string): Promise<number> {
  let removed = 0;
  for (const namespace of await readdir(data, { withFileTypes: true })) {
    if (!namespace.isDirectory()) continue;
    const folder = join(data, namespace.name);
    for (const name of await readdir(folder)) {
      if (!/^[0-9a-f]{64}\.sqlite$/.test(name) || !(await isEmpty(join(folder, name)))) continue;
      for (const suffix of ['-wal', '-shm', '']) await rm(join(folder, `${name}${suffix}`), { force: true });
      removed += 1;
    }
  }
  return removed;
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
