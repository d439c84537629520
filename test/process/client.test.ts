/** The client in Node, against a server that runs, dies and is started again. */
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { afterEach, describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/cli/bundle.ts';
import { StateClient, StateServiceError } from '../../src/client.ts';
import { TIMED } from '../slowness.ts';
import { folderOf } from './charts.ts';
import { cleanUp, runCli, startServer, temporaryFolder } from './server.ts';

afterEach(cleanUp);

const CHART = `
initial: drain
states:
  drain: {on: {update: {target: patch, quorum: 2}, fail: aborted}}
  patch: {slots: 1, on: {update: done}}
  done: {type: final}
  aborted: {type: final}
`;

async function start(flags: readonly string[] = [], data?: string, env: Record<string, string> = {}) {
  const charts = await folderOf({ 'acme/release.yaml': CHART });
  return startServer({ charts, flags, env, ...(data === undefined ? {} : { data }) });
}

describe('a client', () => {
  it('queries, reports, waits, claims, and reads the status', async () => {
    const { url } = await start();
    const machine = new StateClient({ url }).machine('acme/release');
    expect(await machine.is('drain')).toBe(true);
    expect(await machine.is('patch')).toBe(false);
    const waiting = machine.wait('patch', { seconds: 20 });
    expect(await machine.update('drain', { by: 'a' })).toEqual({ ok: true, revision: 2 });
    expect(await machine.update('drain', { by: 'a' })).toEqual({ ok: true, revision: 2 });
    expect(await machine.update('drain', { by: 'b' })).toEqual({ ok: true, revision: 3 });
    expect(await waiting).toBe(true);
    expect(await machine.wait('drain')).toBe(false);
    expect(await machine.claim('patch', 'a')).toMatchObject({ ok: true });
    expect(await machine.claim('patch', 'b')).toMatchObject({ ok: false, status: 406, code: 'slots-taken' });
    expect(await machine.renew('patch', 'a')).toMatchObject({ ok: true });
    expect(await machine.release('patch', 'a')).toMatchObject({ ok: true });
    expect(await machine.renew('patch', 'a')).toMatchObject({ ok: false, status: 406, code: 'not-holder' });
    expect(await machine.update('patch', { by: 'b' })).toMatchObject({ ok: false, code: 'not-holder' });
    expect(await machine.update('patch', { revision: 1 })).toMatchObject({ ok: false, status: 412 });
    expect((await machine.status()).states).toEqual(['patch']);
    expect(await machine.override('drain', 'look again', 'ann')).toMatchObject({ ok: true });
    expect((await machine.status()).states).toEqual(['drain']);
    expect(await machine.notifications()).toEqual({ machine: 'acme/release', hooks: [], notifications: [] });
    expect(await machine.resend(1)).toMatchObject({ ok: false, status: 404, code: 'no-such-notification' });
  });

  it('reports with data, and throws if they are too large', async () => {
    const { url } = await start();
    const machine = new StateClient({ url }).machine('acme/release');
    const data = { list: [1, 'é', null] };
    expect(await machine.update('drain', { by: 'a', data })).toMatchObject({ ok: true });
    for await (const entry of machine.watch({ after: 1 })) {
      expect(entry).toMatchObject({ by: 'a', data });
      break;
    }
    await expect(machine.update('drain', { data: 'x'.repeat(5_000) })).rejects.toMatchObject({ status: 413 });
    expect((await machine.status()).revision).toBe(2);
  });

  it('asks and waits for one caller, whose part is done after its report', async () => {
    const { url } = await start();
    const machine = new StateClient({ url }).machine('acme/release');
    expect(await machine.is('drain', { by: 'a' })).toBe(true);
    await machine.update('drain', { by: 'a' });
    expect(await machine.is('drain', { by: 'a' })).toBe(false);
    expect(await machine.wait('drain', { by: 'a' })).toBe(false);
    expect(await machine.wait('drain', { by: 'b' })).toBe(true);
  });

  it('uploads members, tells who is missing, and strikes one off', async () => {
    const { url } = await start();
    const machine = new StateClient({ url }).machine('acme/release');
    expect(await machine.members()).toEqual([]);
    const labels = { zone: 'eu' };
    const list = ['a', { name: 'b/1', labels }, ...Array.from({ length: 1_000 }, (_, i) => `web-${i}`)];
    expect(await machine.setMembers(list, { by: 'ann' })).toEqual({ ok: true, revision: 2 });
    expect(await machine.setMembers([...list, 'a'])).toMatchObject({ ok: false, code: 'invalid-members' });
    const members = await machine.members();
    expect(members.map(({ name }) => name)).toEqual(
      list.map((item) => (typeof item === 'string' ? item : item.name)),
    );
    expect(members[1]).toMatchObject({ name: 'b/1', labels, missing: ['drain'] });
    expect(await machine.update('drain', { by: 'a' })).toMatchObject({ ok: true });
    expect(await machine.update('drain', { by: 'c' })).toMatchObject({ ok: false, code: 'not-a-member' });
    const missing = await machine.members({ is: 'missing' });
    expect(missing.map(({ name }) => name)).toEqual(members.slice(1).map(({ name }) => name));
    expect(await machine.strikeMember('b/1')).toEqual({ ok: true, revision: 4 });
    expect(await machine.strikeMember('b/1')).toMatchObject({
      ok: false,
      status: 404,
      code: 'no-such-member',
    });
    expect(await machine.setMembers(null)).toEqual({ ok: true, revision: 5 });
    expect(await machine.update('drain', { by: 'c' })).toMatchObject({ ok: true });
  });

  it('makes a link for a person', async () => {
    const { url } = await start();
    const machine = new StateClient({ url }).machine('acme/release');
    const link = await machine.link('drain', { by: 'anna', seconds: 60 });
    if (!link.ok) throw new Error(link.detail);
    expect(Date.parse(link.until)).toBeLessThanOrEqual(Date.now() + 60_000);
    expect(await machine.is('drain', { by: 'anna' })).toBe(true);
    expect((await fetch(link.url, { method: 'POST' })).status).toBe(200);
    expect(await machine.is('drain', { by: 'anna' })).toBe(false);
    expect(await machine.link('drain', { by: 'anna' })).toMatchObject({
      ok: false,
      code: 'already-reported',
    });
    await expect(machine.link('drain', { by: 'ben', seconds: 700_000 })).rejects.toThrow('`ttl` must be');
  });

  it('waits no longer than its limit', TIMED, async () => {
    const { url } = await start();
    const machine = new StateClient({ url }).machine('acme/release');
    const began = performance.now();
    expect(await machine.wait('patch', { seconds: 0.5 })).toBe(false);
    expect(performance.now() - began).toBeLessThan(3_000);
    const controller = new AbortController();
    const waiting = machine.wait('patch', { signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toThrow();
  });

  it('throws the problem of any other answer', async () => {
    const { url } = await start();
    const client = new StateClient({ url, retries: 0 });
    await expect(client.machine('acme/nothing').is('x')).rejects.toMatchObject({
      name: 'StateServiceError',
      status: 404,
      code: 'no-chart',
    });
    await expect(client.machine('acme/release').update('drain', { event: 'done.x' })).rejects.toThrow(
      'reserved by XState',
    );
    const unreachable = new StateClient({ url: 'http://127.0.0.1:9', retries: 1 }).machine();
    await expect(unreachable.is('x')).rejects.toBeInstanceOf(StateServiceError);
  });

  it('sends its token', async () => {
    const TOKEN_SECRET = 'a secret that has bytes enough for it';
    const { url } = await start([], undefined, { TOKEN_SECRET });
    const flags = ['token', '--charts', 'acme/*', '--can', 'read', '--sub', 'me', '--ttl', '1h'];
    const token = (await runCli(flags, { TOKEN_SECRET })).stdout.trim();
    const machine = new StateClient({ url, token }).machine('acme/release');
    expect(await machine.is('drain')).toBe(true);
    await expect(machine.update('drain')).rejects.toMatchObject({ status: 403, code: 'forbidden' });
    await expect(new StateClient({ url }).machine('acme/release').is('drain')).rejects.toMatchObject({
      status: 401,
    });
  });

  it('is counted once though the server dies in between, and misses no event', async () => {
    const data = await temporaryFolder();
    const server = await start([], data);
    const machine = new StateClient({ url: server.url, retries: 20 }).machine('acme/release');
    const controller = new AbortController();
    const seen: number[] = [];
    const watching = (async () => {
      for await (const { id } of machine.watch({ after: 0, signal: controller.signal })) seen.push(id);
    })();
    expect(await machine.update('drain', { by: 'a' })).toMatchObject({ ok: true });
    await server.kill9();
    const late = machine.update('drain');
    const port = new URL(server.url).port;
    await start(['--port', port], data);
    expect(await late).toEqual({ ok: true, revision: 3 });
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual([1, 2, 3]);
    controller.abort();
    await watching;
  });

  it('runs in Node 20, which has no `Promise.withResolvers` and no WebSocket', async () => {
    const entryPoints = [join(PACKAGE_ROOT, 'src/client.ts')];
    const options = { bundle: true, write: false, format: 'iife', globalName: 'client' } as const;
    const [bundle] = (await build({ entryPoints, ...options })).outputFiles;
    const { url } = await start();
    const program = `
      delete Promise.withResolvers;
      delete globalThis.WebSocket;
      ${bundle?.text}
      (async () => {
        let isFirst = true;
        const busyOnce = (request) => {
          if (!isFirst) return fetch(request);
          isFirst = false;
          return new Response('', { status: 503 });
        };
        const machine = new client.StateClient({ url: '${url}', fetch: busyOnce }).machine('acme/release');
        const told = [await machine.update('drain', { by: 'a' }), await machine.wait('drain')];
        for await (const { event } of machine.watch({ after: 1 })) {
          told.push(event);
          break;
        }
        require('node:worker_threads').parentPort.postMessage(told);
      })();`;
    const thread = new Worker(program, { eval: true });
    const [told] = await once(thread, 'message');
    await thread.terminate();
    expect(told).toEqual([{ ok: true, revision: 2 }, true, 'update']);
  });
});
