/** Long waits of the client, in Node: over a WebSocket, or by requests where none opens. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { StateClient } from '../../src/client.ts';
import { folderOf } from './charts.ts';
import { cleanUp, runCli, type Server, startServer, temporaryFolder, until } from './server.ts';

let server: Server;
let address: string;
let runs = 0;
beforeAll(async () => {
  server = await start();
});
beforeEach(() => {
  runs += 1;
  address = `acme/release@${runs}`;
});
afterEach(() => {
  vi.unstubAllGlobals();
});
afterAll(cleanUp);

const CHART = `
initial: drain
states:
  drain: {on: {update: {target: pass, quorum: 2}, fail: aborted}}
  pass: {always: patch}
  patch: {slots: 1, lease: 3s, on: {update: {target: done, quorum: 2}}}
  done: {type: final}
  aborted: {type: final}
`;

const HOUR = { seconds: 3_600 };

async function start(flags: readonly string[] = [], data?: string, env: Record<string, string> = {}) {
  const charts = await folderOf({ 'acme/release.yaml': CHART });
  return startServer({ charts, flags, env, ...(data === undefined ? {} : { data }) });
}

function machineOf({ url }: Server) {
  return new StateClient({ url, retries: 20 }).machine(address);
}

/** Reads from the metrics how many wait at the machine: by requests, and over WebSockets. */
async function waitingAt({ url }: Server, headers = {}): Promise<{ requests: number; sockets: number }> {
  const text = await (await fetch(`${url}/${address}/metrics`, { headers })).text();
  const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1]);
  return {
    requests: number(/^\w*waiters\{.*\} (\d+)$/m),
    sockets: number(/^\w*watchers\{.*websocket.*\} (\d+)$/m),
  };
}

async function atSocket(server: Server, headers = {}): Promise<void> {
  await until(async () => (await waitingAt(server, headers)).sockets === 1);
  expect(await waitingAt(server, headers)).toEqual({ requests: 0, sockets: 1 });
}

describe('a wait of an hour', () => {
  it('is over a WebSocket, which it closes when the state comes', async () => {
    const machine = machineOf(server);
    const waiting = machine.wait('patch', HOUR);
    await atSocket(server);
    await machine.update('drain');
    await machine.update('drain');
    expect(await waiting).toBe(true);
    await until(async () => (await waitingAt(server)).sockets === 0);
  });

  it('ends at once if the state is current, or cannot come', async () => {
    const machine = machineOf(server);
    expect(await machine.wait('drain', HOUR)).toBe(true);
    await machine.update('drain', { event: 'fail' });
    expect(await machine.wait('patch', HOUR)).toBe(false);
  });

  it('for one caller ends as soon as a slot is free, at the end of a lease too', async () => {
    const machine = machineOf(server);
    const waiting = machine.wait('patch', { ...HOUR, by: 'b' });
    await atSocket(server);
    await machine.update('drain');
    await machine.update('drain');
    expect(await waiting).toBe(true);
    expect(await machine.claim('patch', 'a')).toMatchObject({ ok: true });
    const began = Date.now();
    expect(await machine.wait('patch', { ...HOUR, by: 'b' })).toBe(true);
    expect(Date.now() - began).toBeGreaterThan(1_000);
  });

  it('for one caller does not end with a state that is left in the commit that enters it', async () => {
    const machine = machineOf(server);
    const waiting = machine.wait('pass', { ...HOUR, by: 'a' });
    await atSocket(server);
    await machine.update('drain');
    await machine.update('drain');
    expect(await waiting).toBe(false);
  });

  it('ends if the state cannot come any more', async () => {
    const machine = machineOf(server);
    const waiting = machine.wait('patch', HOUR);
    await atSocket(server);
    await machine.update('drain', { event: 'fail' });
    expect(await waiting).toBe(false);
  });

  it('ends with a state that is left in the commit that enters it', async () => {
    const machine = machineOf(server);
    const waiting = machine.wait('pass', HOUR);
    await atSocket(server);
    await machine.update('drain');
    await machine.update('drain');
    expect(await waiting).toBe(true);
  });

  it('ends with its signal, and leaves no WebSocket', async () => {
    const controller = new AbortController();
    const waiting = machineOf(server).wait('patch', { ...HOUR, signal: controller.signal });
    await atSocket(server);
    controller.abort();
    await expect(waiting).rejects.toThrow('abort');
    await until(async () => (await waitingAt(server)).sockets === 0);
  });

  it('ends if the machine is deleted, and does not begin it again', async () => {
    // A run would not begin by a question anyway.
    address = 'acme/release';
    const waiting = machineOf(server).wait('patch', HOUR);
    await atSocket(server);
    const told = expect(waiting).rejects.toMatchObject({ status: 404, code: 'no-chart' });
    await fetch(`${server.url}/${address}`, { method: 'DELETE' });
    await told;
    expect(await (await fetch(`${server.url}/acme`)).text()).not.toContain('"acme/release"');
  });

  it('goes on after the server has died, and learns what has happened meanwhile', async () => {
    const data = await temporaryFolder();
    const server = await start([], data);
    const waiting = machineOf(server).wait('patch', HOUR);
    await atSocket(server);
    await server.kill9();
    const again = await start(['--port', new URL(server.url).port], data);
    await machineOf(again).update('drain');
    await machineOf(again).update('drain');
    expect(await waiting).toBe(true);
  });

  it('is over a WebSocket again after the server has come back', async () => {
    const data = await temporaryFolder();
    const server = await start([], data);
    const waiting = machineOf(server).wait('patch', HOUR);
    await atSocket(server);
    await server.kill9();
    const again = await start(['--port', new URL(server.url).port], data);
    await until(async () => (await waitingAt(again)).sockets === 1, 15_000);
    await machineOf(again).update('drain');
    await machineOf(again).update('drain');
    expect(await waiting).toBe(true);
  });

  it('sends its token', async () => {
    const TOKEN_SECRET = 'a secret that has bytes enough for it';
    const server = await start([], undefined, { TOKEN_SECRET });
    const flags = ['token', '--charts', 'acme/*', '--can', 'read,update', '--sub', 'me', '--ttl', '1h'];
    const token = (await runCli(flags, { TOKEN_SECRET })).stdout.trim();
    const machine = new StateClient({ url: server.url, token }).machine(address);
    const waiting = machine.wait('patch', HOUR);
    await atSocket(server, { Authorization: `Bearer ${token}` });
    await machine.update('drain');
    await machine.update('drain');
    expect(await waiting).toBe(true);
    const nobody = new StateClient({ url: server.url }).machine(address);
    await expect(nobody.wait('patch', HOUR)).rejects.toMatchObject({ status: 401 });
  });
});

describe('a wait by requests', () => {
  async function byRequests(server: Server, options: { fetch?: typeof fetch; seconds?: number } = {}) {
    const { seconds = 3_600, ...more } = options;
    const machine = new StateClient({ url: server.url, ...more }).machine(address);
    const waiting = machine.wait('patch', { seconds });
    await until(async () => (await waitingAt(server)).requests === 1);
    expect(await waitingAt(server)).toEqual({ requests: 1, sockets: 0 });
    await machine.update('drain');
    await machine.update('drain');
    expect(await waiting).toBe(true);
  }

  it('is one of at most a minute', async () => {
    await byRequests(server, { seconds: 60 });
  });

  it('is one without a WebSocket on the platform', async () => {
    vi.stubGlobal('WebSocket', undefined);
    await byRequests(server);
  });

  it('is one with another fetch', async () => {
    await byRequests(server, { fetch: (request) => fetch(request) });
  });
});
