/** An address without a chart leaves nothing behind. */
import { readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { keepSweeping } from '../../src/cli/sweep.ts';
import { fileOf, SEQUENCE } from './charts.ts';
import { cleanUp, type Server, startServer, temporaryFolder, until } from './server.ts';

afterEach(cleanUp);

/** Two hundred thousand take some ten minutes: NOTHING_ADDRESSES=200000. */
const ADDRESSES = Number(process.env.NOTHING_ADDRESSES ?? 500);
const CLIENTS = 32;

/**
 * The number of requests after which memory is measured, and the MB by which it may grow until the end: an object
 * that is called has 65 kB.
 */
const WARM = ADDRESSES / 10;
const MOST_MEMORY = 128;

it('answers 404 for any number of addresses without a chart, and stores no table, no row and no alarm', async () => {
  const chart = await fileOf(SEQUENCE);
  const first = await startServer({ chart });
  const statuses = new Map<number, number>();
  let next = 0;
  let memory = Number.NaN;
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (let i = next++; i < ADDRESSES; i = next++) {
        const response = await fetch(`${first.url}/nobody/nothing-${i}/state?state=x`);
        await response.arrayBuffer();
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
        // Not from the start: buffers and compiled code grow at first, whatever is requested.
        if (i === WARM) memory = await memoryOf(first);
      }
    }),
  );
  expect([...statuses]).toEqual([[404, ADDRESSES]]);
  expect((await memoryOf(first)) - memory).toBeLessThan(MOST_MEMORY);
  // One machine that exists, to see the difference.
  expect((await fetch(`${first.url}/state?state=drain`)).status).toBe(200);
  await first.stop();

  // workerd makes a file for each object that is called: only the machine's own object was.
  const [database = '', ...others] = databasesOf(first);
  expect(others).toEqual([]);
  expect(tablesOf(database).length).toBeGreaterThan(0);
}, 1_800_000);

/** MB of memory that workerd holds. */
async function memoryOf({ workerdPid }: Server): Promise<number> {
  const status = await readFile(`/proc/${workerdPid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
}

describe('the files of objects that were only queried', () => {
  const RUNS = 20;
  const chartsWithOne = async () => {
    const charts = await temporaryFolder();
    await mkdir(join(charts, 'acme'));
    await writeFile(join(charts, 'acme/release.yaml'), SEQUENCE);
    return charts;
  };
  const askRuns = async ({ url }: Server) => {
    for (let i = 0; i < RUNS; i++) {
      expect((await fetch(`${url}/acme/release@${i}/state?state=drain`)).status).toBe(200);
    }
  };

  it('are removed by the next start', async () => {
    const charts = await chartsWithOne();
    const first = await startServer({ charts });
    await askRuns(first);
    await first.stop();
    // Of the runs, and of the chart's own machine, which was queried for an upload.
    expect(databasesOf(first)).toHaveLength(RUNS + 1);
    const second = await startServer({ charts, data: first.data });
    expect(databasesOf(second)).toEqual([]);
  });

  it('are removed while the server runs, once the objects sleep, and nothing is lost', async () => {
    const server = await startServer({ charts: await chartsWithOne() });
    const report = (run: string) =>
      fetch(`${server.url}/acme/release@${run}/state?state=drain`, { method: 'PUT' });
    await report('begun');
    await askRuns(server);
    const over = Promise.withResolvers<string>();
    const sweeping = keepSweeping(server.data, { pid: server.workerdPid, ended: over.promise }, 50);
    // During the sweeps one object is queried all the time, and then begins.
    for (const end = Date.now() + 2_000; Date.now() < end; ) {
      expect((await fetch(`${server.url}/acme/release@busy/state?state=drain`)).status).toBe(200);
    }
    expect(databasesOf(server)).toHaveLength(RUNS + 3);
    await report('busy');
    await until(() => databasesOf(server).length === 2, 30_000);
    expect((await report('0')).status).toBe(200);
    over.resolve('');
    await sweeping;
    await server.kill9();
    const again = await startServer({ charts: await chartsWithOne(), data: server.data });
    for (const run of ['begun', 'busy', '0']) {
      const status = await fetch(`${again.url}/acme/release@${run}`);
      expect(await status.json()).toMatchObject({ revision: 2 });
    }
  });
});

/** The objects that have files in a server's folder. */
function databasesOf({ data }: Server): string[] {
  const folder = join(data, 'stateservice-Machine');
  return readdirSync(folder)
    .filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name))
    .map((name) => join(folder, name));
}

function tablesOf(file: string): string[] {
  const database = new DatabaseSync(file, { readOnly: true });
  const rows = database.prepare('SELECT name FROM sqlite_master').all();
  database.close();
  return rows.map(({ name }) => String(name));
}
