/** An address without a chart leaves nothing behind. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, it } from 'vitest';
import { fileOf, SEQUENCE } from './charts.ts';
import { cleanUp, startServer } from './server.ts';

afterEach(cleanUp);

/** Ten thousand take a minute or more: NOTHING_ADDRESSES=10000. */
const ADDRESSES = Number(process.env.NOTHING_ADDRESSES ?? 500);
const CLIENTS = 32;

it('answers any number of addresses without a chart 404 each, and keeps no table, no row and no alarm', async () => {
  const chart = await fileOf(SEQUENCE);
  const first = await startServer({ chart });
  const statuses = new Map<number, number>();
  let next = 0;
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (let i = next++; i < ADDRESSES; i = next++) {
        const response = await fetch(`${first.url}/nobody/nothing-${i}/state?state=x`);
        await response.arrayBuffer();
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      }
    }),
  );
  expect([...statuses]).toEqual([[404, ADDRESSES]]);
  // One machine that is there, to tell the difference.
  expect((await fetch(`${first.url}/state?state=drain`)).status).toBe(200);
  await first.stop();

  // workerd opens a database for every object that it asks; of these only the one of the machine has anything in it.
  const folder = join(first.data, 'stateservice-Machine');
  const databases = readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  expect(databases).toHaveLength(ADDRESSES + 1);
  const withTables = databases.filter((name) => tablesOf(join(folder, name)).length > 0);
  expect(withTables).toHaveLength(1);
  expect(databases.filter((name) => statSync(join(folder, name)).size > 4_096)).toEqual(withTables);

  // And the next start removes the empty files.
  const second = await startServer({ chart, data: first.data });
  expect((await fetch(`${second.url}/state?state=drain`)).status).toBe(200);
  await second.stop();
  expect(readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name))).toEqual(withTables);
}, 300_000);

function tablesOf(file: string): string[] {
  const database = new DatabaseSync(file, { readOnly: true });
  const rows = database.prepare('SELECT name FROM sqlite_master').all();
  database.close();
  return rows.map(({ name }) => String(name));
}
