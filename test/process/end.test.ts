import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { TIMED } from '../slowness.ts';
import { fileOf, SEQUENCE, STATECHART } from './charts.ts';
import { cleanUp, isAlive, startServer, until } from './server.ts';

afterEach(cleanUp);

describe('an end', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('comes within a second of %s', TIMED, async (signal) => {
    const server = await startServer({ chart: await fileOf(SEQUENCE) });
    await get(server.url, '/state?state=drain');
    const { code, took } = await server.stop(signal);
    expect(code).toBe(0);
    expect(took).toBeLessThan(1_000);
    expect(isAlive(server.workerdPid)).toBe(false);
    await expect(fetch(server.url)).rejects.toThrow();
  });

  it('is the same for a second signal, as npm sends it', async () => {
    const server = await startServer();
    const stopped = server.stop('SIGINT');
    process.kill(server.pid, 'SIGINT');
    expect((await stopped).code).toBe(0);
    expect(isAlive(server.workerdPid)).toBe(false);
  });

  it('of the command by kill -9 is the end of workerd too', async () => {
    const server = await startServer();
    await server.stop('SIGKILL');
    await until(() => !isAlive(server.workerdPid), 1_000);
  });
});

describe('a restart', () => {
  it('finds what was answered before a kill -9', async () => {
    const chart = await fileOf(SEQUENCE);
    const first = await startServer({ chart });
    expect((await put(first.url, '/state?state=drain')).status).toBe(200);
    await first.kill9();

    const second = await startServer({ chart, data: first.data });
    expect((await get(second.url, '/state?state=drain')).status).toBe(200);
    // The second of two: the first was counted.
    expect((await put(second.url, '/state?state=drain')).status).toBe(200);
    await second.kill9();

    const third = await startServer({ chart, data: first.data });
    expect((await get(third.url, '/state?state=done')).status).toBe(200);
  });

  it('fires the alarm that was set before a kill -9', async () => {
    const chart = await fileOf(STATECHART);
    const first = await startServer({ chart });
    expect((await get(first.url, '/state?state=waiting')).status).toBe(200);
    await first.kill9();
    const before = await lastWrite(first.data);

    const second = await startServer({ chart, data: first.data });
    // No request meanwhile, because a request fires what is due: only the alarm can make the object write.
    await until(async () => (await lastWrite(first.data)) > before);
    expect((await get(second.url, '/state?state=over')).status).toBe(200);
  });
});

/** When a machine's storage was last written, ms since the epoch. metadata.sqlite is workerd's own. */
async function lastWrite(data: string): Promise<number> {
  const folder = join(data, 'stateservice-Machine');
  const files = (await readdir(folder)).filter((name) => /^[0-9a-f]+\.sqlite(-wal)?$/.test(name));
  const times = await Promise.all(files.map(async (name) => (await stat(join(folder, name))).mtimeMs));
  return Math.max(...times);
}

async function get(url: string, path: string) {
  const response = await fetch(url + path);
  return { status: response.status, text: await response.text() };
}

async function put(url: string, path: string) {
  const response = await fetch(url + path, { method: 'PUT' });
  return { status: response.status, text: await response.text() };
}
