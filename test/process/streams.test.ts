/**
 * Clients of `watch` that request the whole history and read nothing: other clients are served, and memory does not
 * grow.
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STREAMS } from '../../src/limits.ts';
import { TIMED } from '../slowness.ts';
import { folderOf } from './charts.ts';
import { cleanUp, type Server, startServer } from './server.ts';

const ENTRIES = 2_000;
const READERS = 100;

/** Regions with long names: an entry of the history has them all, three times. */
const LONG = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`region-${i}-${'x'.repeat(100)}`, {}]));
const CHART = JSON.stringify({
  id: 'all',
  type: 'parallel',
  states: LONG,
  on: { update: { quorum: 1_000_000, actions: [{ cancel: 'nothing' }] } },
});
const OTHER = JSON.stringify({ initial: 'a', states: { a: {} } });

let server: Server;
const sockets: Socket[] = [];
beforeAll(async () => {
  server = await startServer({
    charts: await folderOf({ 'acme/long.yaml': CHART, 'acme/other.yaml': OTHER }),
  });
  const reports = Array.from({ length: ENTRIES }, (_, i) => i);
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      while (reports.pop() !== undefined) {
        const { status } = await fetch(`${server.url}/acme/long/state?state=all`, { method: 'PUT' });
        if (status !== 200) throw new Error(`a report was answered ${status}`);
      }
    }),
  );
}, 120_000);
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await cleanUp();
});

/** Opens a stream of the whole history. */
function open(path: string): Socket {
  const { hostname, port } = new URL(server.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  sockets.push(socket);
  return socket;
}

/** @returns the memory of workerd, in MB. */
function memory(): number {
  const [, kilobytes] =
    /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.workerdPid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1_024;
}

/** How long requests to another machine take meanwhile, ms. */
async function timesOfOthers(): Promise<{ readonly p50: number; readonly p90: number }> {
  const times: number[] = [];
  for (let i = 0; i < 100; i++) {
    const begun = performance.now();
    await (await fetch(`${server.url}/acme/other/state?state=a`)).text();
    times.push(performance.now() - begun);
    await pause(20);
  }
  times.sort((a, b) => a - b);
  return { p50: times[50] ?? 0, p90: times[90] ?? 0 };
}

describe('readers that request all of the history and read nothing', () => {
  it('cost a page of memory each, and delay no other client', TIMED, async () => {
    const before = memory();
    const alone = await timesOfOthers();
    for (let i = 0; i < READERS; i++) open('/acme/long/watch?after=0').pause();
    const times = await timesOfOthers();
    const metrics = await (await fetch(`${server.url}/acme/long/metrics`)).text();
    expect(metrics).toMatch(new RegExp(`kind="stream".* ${READERS}$`, 'm'));
    expect(memory() - before).toBeLessThan(READERS * 2);
    expect(times.p90).toBeLessThan(alone.p90 + 100);
  });

  it('get no more than a bounded page of the history', async () => {
    const response = await fetch(`${server.url}/acme/long/history?limit=1000`);
    const { history, before } = (await response.json()) as { history: { id: number }[]; before: number };
    expect(history.length).toBeLessThan(1_000);
    expect(before).toBe(history.at(-1)?.id);
    const next = await fetch(`${server.url}/acme/long/history?limit=1000&before=${before}`);
    const page = (await next.json()) as { history: { id: number }[] };
    expect(page.history[0]?.id).toBe(before - 1);
  });
});

describe('readers that have left', () => {
  it('free their places within seconds', { ...TIMED, timeout: 60_000 }, async () => {
    const gone = Array.from({ length: STREAMS }, () => open('/acme/other/watch'));
    const isFull = async () => {
      const abort = new AbortController();
      const { status } = await fetch(`${server.url}/acme/other/watch`, { signal: abort.signal });
      abort.abort();
      return status === 503;
    };
    while (!(await isFull())) await pause(100);
    for (const socket of gone) socket.destroy();
    const begun = performance.now();
    while (await isFull()) await pause(100);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});
