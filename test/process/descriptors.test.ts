/** A server that runs out of descriptors. Each connection takes two. */
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { descriptorsFor } from '../../src/cli/descriptors.ts';
import { WAITS } from '../../src/limits.ts';
import { fileOf, SEQUENCE } from './charts.ts';
import { cleanUp, type Server, startServer, until } from './server.ts';

const sockets = new Set<Socket>();

afterEach(async () => {
  leave();
  await cleanUp();
});

it('answers again after silent connections took all descriptors, also where workerd ended', async () => {
  const chart = await fileOf(SEQUENCE);
  const ended: boolean[] = [];
  // workerd ends if `accept()` finds no descriptor. If only the second one is missing, it drops the connection.
  for (const descriptors of [400, 401]) {
    const server = await startServer({ chart, descriptors });
    expect(await statusOf(server, '/state?state=drain', 'PUT')).toBe(200);
    const halves = Array.from({ length: 300 }, () => open(server, 'GET /healthz HTTP/1.1\r\n'));
    await Promise.all(halves.map(({ sent }) => sent));
    await until(() => /Too many open files/.test(server.output()));
    leave();
    // The second of two: no acknowledged report is lost.
    await until(async () => (await statusOf(server, '/state?state=drain', 'PUT').catch(() => 0)) === 200);
    expect(await statusOf(server, '/state?state=done')).toBe(200);
    ended.push(server.output().includes('workerd ended: '));
  }
  expect(ended.toSorted()).toEqual([false, true]);
});

it('accepts other requests after all waiting clients have gone', async () => {
  const server = await startServer({ chart: await fileOf(SEQUENCE), descriptors: 800 });
  expect(server.output()).toContain(
    'the limit of open files is 800, and a connection takes 2, so at most 200 requests may wait',
  );
  expect(await statusOf(server, '/state?state=drain')).toBe(200);
  // At two machines, half at each; a `GET` of a machine waits too.
  for (let i = 0; i < 250; i++) {
    const path = i % 2 === 0 ? '/state?state=done&wait=3s' : '/?wait=3s';
    await open(server, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: "1"\r\n\r\n`).sent;
  }
  leave();

  const refused = await fetch(`${server.url}/state?state=done&wait=3s`);
  expect(refused.status).toBe(503);
  expect(refused.headers.get('Retry-After')).toBe('5');
  expect(await refused.json()).toMatchObject({ type: 'urn:stateservice:problem:too-many-waiting' });
  expect(await statusOf(server, '/state?state=drain')).toBe(200);
  await until(async () => (await statusOf(server, '/state?state=done&wait=1s')) === 406, 8_000);
  expect(server.output()).not.toContain('workerd ended');
});

it('refuses waits at more machines than it can open files for, and takes others at the machines that it waits at', async () => {
  const server = await startServer({ charts: 'charts', descriptors: 800 });
  const answers: string[] = [];
  for (let i = 0; i < 140; i++) {
    const path = `/acme/approval@${i}/state?state=deploy&wait=60s`;
    const headers = 'Host: localhost\r\nConnection: close\r\n';
    const { sent, answered } = open(server, `GET ${path} HTTP/1.1\r\n${headers}\r\n`);
    answered.then((answer) => answers.push(answer));
    await sent;
  }
  // Of 800 descriptors, 600: two for each connection, and three for each machine.
  await until(() => answers.length === 140 - 600 / (2 + 3), 20_000);
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1.1 503 /);
  expect(await statusOf(server, '/acme/approval@0/state?state=deploy&wait=1s')).toBe(406);
  expect(await statusOf(server, '/acme/approval@0/state?state=build')).toBe(200);
  expect(server.output()).not.toContain('workerd ended');
});

it('refuses watches beyond the descriptors, and accepts others after the readers have gone', async () => {
  const server = await startServer({ chart: await fileOf(SEQUENCE), descriptors: 800 });
  const upgrade = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ];
  for (let i = 0; i < 200; i++) {
    const headers = ['Host: localhost', ...(i % 2 === 0 ? upgrade : [])];
    const { answered } = open(server, `GET /watch HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
    expect(await answered).toMatch(i % 2 === 0 ? /^HTTP\/1.1 101/ : /^HTTP\/1.1 200/);
  }

  for (const path of ['/watch', '/state?state=done&wait=3s']) {
    const refused = await fetch(server.url + path);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('Retry-After')).toBe('5');
    expect(await refused.json()).toMatchObject({ type: 'urn:stateservice:problem:too-many-waiting' });
  }
  expect(await statusOf(server, '/state?state=drain')).toBe(200);
  leave();
  // The server finds that a reader has left when it writes to the stream.
  await until(async () => (await watchersOf(server)) === 0, 20_000);
  expect(await statusOf(server, '/state?state=done&wait=1s')).toBe(406);
});

describe('the descriptors of a process', () => {
  it('suffice for all waits from 65,536 on', () => {
    const enough = { waits: WAITS, warning: undefined };
    expect([descriptorsFor(65_536), descriptorsFor(undefined)]).toEqual([enough, enough]);
  });

  it('are half for waits if there are fewer, with a warning', () => {
    const { waits, warning } = descriptorsFor(1_024);
    expect(waits).toBe(256);
    expect(warning).toContain('`ulimit -n 65536`');
  });
});

/** Opens a connection, and sends text. `answered`: the first bytes of the answer. */
function open(server: Server, text: string): { sent: Promise<void>; answered: Promise<string> } {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  sockets.add(socket);
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on('error', () => resolve());
  socket.write(text, () => resolve());
  const answered = new Promise<string>((done) =>
    socket.once('data', (bytes) => done(bytes.toString('latin1'))),
  );
  return { sent: promise, answered };
}

function leave(): void {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
}

/** Reads the number of watches from the metrics. */
async function watchersOf(server: Server): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return [...text.matchAll(/^\w*watchers\S* (\d+)/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function statusOf(server: Server, path: string, method = 'GET'): Promise<number> {
  const response = await fetch(server.url + path, { method, headers: { Connection: 'close' } });
  await response.arrayBuffer();
  return response.status;
}
