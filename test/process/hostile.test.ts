/** Many kinds of hostile clients at once: other clients are served meanwhile. */
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measure } from '../bench/load.ts';
import { TIMED } from '../slowness.ts';
import { folderOf } from './charts.ts';
import { cleanUp, isAlive, type Server, startServer } from './server.ts';

/** Only counts updates, without an end. */
const CHART = `initial: work
states:
  work: {on: {go: next, update: {target: next, quorum: 1000000000}}}
  next: {}
`;

let server: Server;
const sockets: Socket[] = [];
beforeAll(async () => {
  server = await startServer({ charts: await folderOf({ 'acme/work.yaml': CHART }) });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await cleanUp();
});

/** The behaviour of each kind on a connection of its own, until it is cut. */
const KINDS: Readonly<Record<string, (socket: Socket) => Promise<void>>> = {
  async 'sends its request a byte a moment'(socket) {
    for (const character of `GET /acme/work/state?state=work HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ${'a'.repeat(1_000)}`) {
      if (socket.destroyed) return;
      socket.write(character);
      await pause(20);
    }
  },
  async 'sends headers without an end'(socket) {
    socket.write('GET /acme/work HTTP/1.1\r\nHost: 127.0.0.1\r\n');
    for (let i = 0; i < 200 && !socket.destroyed; i++) {
      socket.write(`X-${i}: ${'a'.repeat(10_000)}\r\n`);
      await pause(1);
    }
  },
  async 'promises a chart and never ends it'(socket) {
    socket.write(
      'PUT /acme/other/chart HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\ninitial: a',
    );
  },
  async 'sends a body without an end'(socket) {
    socket.write('PUT /acme/other/chart HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let i = 0; i < 200 && !socket.destroyed; i++) {
      socket.write(`1000\r\n${'#'.repeat(0x1000)}\r\n`);
      await pause(5);
    }
  },
  async 'asks, and closes its half at once'(socket) {
    socket.end('GET /acme/work/state?state=next&wait=60s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  },
  async 'waits, and vanishes'(socket) {
    socket.write('GET /acme/work/state?state=next&wait=20s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    await pause(200);
    socket.destroy();
  },
  async 'watches, and reads nothing'(socket) {
    socket.pause();
    socket.write('GET /acme/work/watch HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  },
  async 'asks thrice in one breath, the second time in no language'(socket) {
    const request = 'GET /acme/work/state?state=work HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
    socket.write(`${request}\u0000\u0016\u0003\u0001 nonsense\r\n\r\n${request}`);
  },
};

const EACH = 100;

describe('eight hundred hostile clients', () => {
  it('do not keep other clients from being served', TIMED, async () => {
    await fetch(`${server.url}/acme/work`);
    const alone = await loadOf();
    const hostile = Object.values(KINDS).flatMap((behave) =>
      Array.from({ length: EACH }, () => {
        const { hostname, port } = new URL(server.url);
        const socket = connect({ host: hostname, port: Number(port) });
        // Whatever the answer, and however the connection ends.
        socket.on('error', () => {});
        socket.on('data', () => {});
        sockets.push(socket);
        return behave(socket);
      }),
    );
    await pause(300);
    const before = await countOf();
    const amid = await loadOf();
    // Each acknowledged report was counted, and no other.
    const { have, revision } = await countOf();
    expect(have - before.have).toBe(revision - before.revision);
    expect(amid.answers).toBeGreaterThan(0);
    console.log(
      `hostile: ${KINDS_COUNT * EACH} clients; updates at ${(100 * (amid.throughput / alone.throughput)).toFixed(0)} % of their rate, p99 ${amid.p99.toFixed(0)} ms`,
    );
    // The hostile clients, the others and the service share the cores of one machine.
    expect(amid.throughput).toBeGreaterThan(alone.throughput / 20);
    expect(amid.p99).toBeLessThan(2_000);
    for (const socket of sockets) socket.destroy();
    await Promise.all(hostile);
    expect(isAlive(server.workerdPid)).toBe(true);
    expect((await fetch(`${server.url}/acme/work/state?state=work`)).status).toBe(200);
    expect((await fetch(`${server.url}/acme/other`)).status).toBe(404);
  });
});

const KINDS_COUNT = Object.keys(KINDS).length;

/** Sends updates of sixteen other clients: each must be accepted. */
async function loadOf() {
  const url = `${server.url}/acme/work/state?state=work`;
  const load = await measure({ url, method: 'PUT', connections: 16, body: 'work' }, 2);
  if (load === undefined) throw new Error('no client was served');
  return { ...load, answers: load.throughput * 2 };
}

async function countOf(): Promise<{ have: number; revision: number }> {
  const status: { quorums: { have: number }[]; revision: number } = await (
    await fetch(`${server.url}/acme/work`)
  ).json();
  return { have: status.quorums[0]?.have ?? 0, revision: status.revision };
}
