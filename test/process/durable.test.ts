/** The command line syncs the data folder before it starts workerd. `test/fault/power/` shows what for. */
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { straced } from '../fault/power/strace.ts';
import { stepsOf } from '../fault/power/trace.ts';
import { lacks } from './recipes/recipe.ts';
import { cleanUp, startServer, temporaryFolder } from './server.ts';

afterEach(cleanUp);

describe.skipIf(lacks('strace'))('the data folder', () => {
  it('is synced where SQLite may have written more than it synced', async () => {
    const root = await realpath(await temporaryFolder());
    const data = join(root, 'data');
    const machines = join(data, 'stateservice-Machine');
    await mkdir(machines, { recursive: true });
    for (const name of [
      'open.sqlite',
      'open.sqlite-wal',
      'open.sqlite-shm',
      'new.sqlite-journal',
      'closed.sqlite',
    ])
      await writeFile(join(machines, name), '');
    const trace = join(await temporaryFolder(), 'trace');
    const server = await startServer({ data, under: straced(trace) });
    await server.stop();
    const synced = stepsOf([await readFile(trace, 'latin1')], root).flatMap((step) =>
      step.type === 'sync' && step.by === 'command line' ? [step.path] : [],
    );
    expect(new Set(synced)).toEqual(
      new Set([
        '',
        'data',
        'data/stateservice-Machine',
        'data/stateservice-Machine/open.sqlite-wal',
        'data/stateservice-Tenant',
      ]),
    );
  });

  it('is not used if the disk fails', async () => {
    const data = await temporaryFolder();
    const trace = join(await temporaryFolder(), 'trace');
    // Of each thread the first.
    const under = straced(trace, 'fsync:error=EIO:when=1');
    await expect(startServer({ data, under })).rejects.toThrow(
      /cannot \w+ the data folder .*: the disk fails\n/,
    );
  });
});
