/** Runs the recipe for nginx, with its own limits, in front of a server, without TLS. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TIMED } from '../../slowness.ts';
import { SEQUENCE } from '../charts.ts';
import { cleanUp, temporaryFolder, until } from '../server.ts';
import { type Guarded, lacks, recipe, startGuarded } from './recipe.ts';

describe.skipIf(lacks('nginx'))('nginx in front of the service', () => {
  let server: Guarded;
  let nginx: ChildProcess;
  let port: number;
  let token: string;
  let folder: string;

  beforeAll(async () => {
    server = await startGuarded({ 'acme/release.yaml': SEQUENCE });
    token = await server.token('read', 'update');
    port = await freePort();
    folder = await temporaryFolder();
    await mkdir(join(folder, 'tmp'));
    const text = (await readFile(recipe('nginx/stateservice.conf'), 'utf8'))
      .replace('127.0.0.1:5000', new URL(server.url).host)
      .replace('443 ssl', `127.0.0.1:${port}`)
      .replace(/ +ssl_certificate.*\n/g, '')
      .replace('/var/log/nginx/access.log', join(folder, 'access.log'))
      // A lower limit, so that the test opens fewer connections.
      .replace('stateservice_clients 200', 'stateservice_clients 20');
    await writeFile(join(folder, 'nginx.conf'), around(text, folder));
    nginx = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')]);
    let said = '';
    nginx.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    await until(async () => {
      if (nginx.exitCode !== null) throw new Error(said);
      return (await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined))?.status === 200;
    });
  });
  afterAll(async () => {
    nginx.kill('SIGTERM');
    await cleanUp();
  });

  function ask(path: string, method = 'GET'): Promise<Response> {
    return fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}` },
    });
  }

  it('passes on waits and events as they happen', TIMED, async () => {
    const machine = '/acme/release@1';
    const stream = (await ask(`${machine}/watch`)).body?.pipeThrough(new TextDecoderStream()).getReader();
    const waited = ask(`${machine}/state?state=done&wait=30s`);
    const from = performance.now();
    for (let i = 0; i < 2; i++) expect((await ask(`${machine}/state?state=drain`, 'PUT')).status).toBe(200);
    expect((await waited).status).toBe(200);
    let told = '';
    while (!told.includes('"done"')) told += (await stream?.read())?.value;
    expect(performance.now() - from).toBeLessThan(5_000);
    await stream?.cancel();
  });

  it('passes on links, and does not log them', async () => {
    const made = await ask('/acme/release@5/state?state=drain', 'PUT');
    expect(made.status).toBe(200);
    const link = await ask('/acme/release@5/links?state=drain&by=anna', 'POST');
    const { url }: { url: string } = await link.json();
    const path = new URL(url).pathname;
    expect((await fetch(`http://127.0.0.1:${port}${path.replace('links', '%6Cinks')}`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST' })).status).toBe(200);
    await ask('/acme/release@5/history');
    const log = () => readFile(join(folder, 'access.log'), 'utf8');
    await until(async () => (await log()).includes('/acme/release@5/history'));
    expect(await log()).toContain('/acme/release@5/links?state=drain&by=anna');
    expect(await log()).not.toContain(path.slice(-43));
  });

  it('passes on a WebSocket', async () => {
    const socket = new WebSocket(`ws://web:${token}@127.0.0.1:${port}/acme/release@2/watch`);
    await new Promise((done, fail) => {
      socket.addEventListener('open', done);
      socket.addEventListener('error', () => fail(new Error('the WebSocket does not open')));
    });
    const told = new Promise((done) => {
      // The run starts with the report, so its start is the first event.
      socket.addEventListener('message', ({ data }) => String(data).includes('"update"') && done(data));
    });
    expect((await ask('/acme/release@2/state?state=drain', 'PUT')).status).toBe(200);
    expect(await told).toContain('"state":"drain"');
    socket.close();
  });

  it('limits the concurrent requests of one client', async () => {
    await ask('/acme/release@3/state?state=drain');
    const statuses = await Promise.all(
      Array.from({ length: 30 }, async () => (await ask('/acme/release@3/state?state=done&wait=3s')).status),
    );
    expect(statuses.filter((status) => status === 406)).toHaveLength(20);
    expect(statuses.filter((status) => status === 429)).toHaveLength(10);
  });

  it('limits the WebSockets of one client, which may send messages that do not end', async () => {
    const opened = await Promise.all(
      Array.from({ length: 19 }, () => upgraded(port, '/acme/release@4/watch', token)),
    );
    expect(opened.filter(({ status }) => status === 101)).toHaveLength(16);
    expect(opened.filter(({ status }) => status === 429)).toHaveLength(3);
    for (const { socket } of opened) socket.destroy();
  });

  it('closes a connection that is silent, or stops in the middle of a request', TIMED, async () => {
    const from = performance.now();
    await Promise.all(['', 'GET /healthz HTTP/1.1\r\nHost: a\r\n'].map((text) => closed(port, text)));
    expect(performance.now() - from).toBeLessThan(12_000);
  });
});

function around(server: string, folder: string): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const places = paths.map((path) => `${path}_temp_path ${join(folder, 'tmp', path)};`);
  return `daemon off; pid ${join(folder, 'pid')}; events {}
http { access_log off; ${places.join(' ')}
${server}}
`;
}

/** Requests a WebSocket. @returns its connection, and the status of the answer. */
function upgraded(port: number, path: string, token: string): Promise<{ socket: Socket; status: number }> {
  const socket = connect(port, '127.0.0.1');
  const headers = [
    `GET ${path} HTTP/1.1`,
    'Host: a',
    `Authorization: Bearer ${token}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ];
  socket.write(`${headers.join('\r\n')}\r\n\r\n`);
  return new Promise((done) => {
    socket.once('data', (bytes) => done({ socket, status: Number(bytes.toString('latin1').split(' ')[1]) }));
  });
}

/** Sends text on a new connection. @returns when the other end closes it. */
function closed(port: number, text: string): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  socket.resume();
  return new Promise((done) => {
    socket.on('error', () => {}).on('close', () => done());
  });
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
