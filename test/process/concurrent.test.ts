/** Concurrent requests are coalesced (`src/edge/coalesce.ts`), and each is answered as if it were alone. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { fileOf } from './charts.ts';
import { CLIENTS, concurrently, disconnectingClients } from './concurrent-clients.ts';
import { cleanUp, type Server, startServer } from './server.ts';

afterEach(cleanUp);

const CHART = `current_state: a
states:
  - {name: a, func: increment, current: {key: n, value: 0}, target: {name: b, when: {key: n, value: ${CLIENTS}}}}
  - {name: b}
`;

describe('concurrent requests', () => {
  it('each get their own response', async () => {
    const server = await startServer({ chart: await fileOf(CHART) });
    const names = ['a', 'b', 'nowhere'];
    const answers = await concurrently(async (i) => {
      const response = await send(server, 'GET', names[i % 3] ?? '');
      return { status: response.status, body: await response.text() };
    });
    for (const [i, { status, body }] of answers.entries()) {
      expect(status).toBe(i % 3 === 0 ? 200 : 406);
      expect(body).toContain(names[i % 3]);
    }
  });

  it('are counted once each, up to the count of the chart', async () => {
    const server = await startServer({ chart: await fileOf(CHART) });
    const answers = await concurrently((i) => send(server, 'PUT', 'a', `&by=w${i}`));
    expect(answers.map(({ status }) => status)).toEqual(Array(CLIENTS).fill(200));
    expect((await send(server, 'GET', 'b')).status).toBe(200);
    expect((await send(server, 'PUT', 'a', '&by=late')).status).toBe(406);
  });

  it('fail alone: queries are answered while no report can be stored', async () => {
    const chart = await fileOf(CHART);
    const first = await startServer({ chart });
    expect((await send(first, 'GET', 'a')).status).toBe(200);
    await first.stop();
    const broken = databaseOf(first);
    broken.exec("CREATE TRIGGER full BEFORE INSERT ON history BEGIN SELECT RAISE(ABORT, 'full'); END");
    broken.close();

    const second = await startServer({ chart, data: first.data });
    const answers = await concurrently((i) => send(second, i % 4 === 0 ? 'PUT' : 'GET', 'a'));
    expect(answers.map(({ status }) => status)).toEqual(answers.map((_, i) => (i % 4 === 0 ? 500 : 200)));
    await second.stop();
    const mended = databaseOf(first);
    mended.exec('DROP TRIGGER full');
    mended.close();

    const third = await startServer({ chart, data: first.data });
    expect((await concurrently(() => send(third, 'PUT', 'a'))).map(({ status }) => status)).toEqual(
      Array(CLIENTS).fill(200),
    );
    expect((await send(third, 'GET', 'b')).status).toBe(200);
  });

  it('are answered if other clients disconnect', async () => {
    const server = await startServer({ chart: await fileOf(CHART) });
    for (let round = 0; round < 10; round++) {
      const leaving = disconnectingClients(server.url, '/state?state=a', 4);
      const answers = await concurrently(() => send(server, 'GET', 'a'));
      expect(answers.map(({ status }) => status)).toEqual(Array(CLIENTS).fill(200));
      await leaving;
    }
  });
});

function send({ url }: Server, method: 'GET' | 'PUT', state: string, more = ''): Promise<Response> {
  return fetch(`${url}/state?state=${state}${more}`, { method, signal: AbortSignal.timeout(5_000) });
}

/** The database of the only machine of a server that has stopped. */
function databaseOf({ data }: Server): DatabaseSync {
  const folder = join(data, 'stateservice-Machine');
  const files = readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  expect(files).toHaveLength(1);
  return new DatabaseSync(join(folder, files[0] ?? ''));
}
