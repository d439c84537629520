/** Addresses in paths. `../address.test.ts` tests which names are valid. */
import { listDurableObjectIds } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import type { Env } from '../../src/edge/env.ts';
import { KNOWN_FOR } from '../../src/edge/known-charts.ts';
import { counting, final, newAddress, newChart, putChart, removeChart, sequence } from '../charts.ts';
import { problemOf, send, tracesOf } from '../service.ts';
import { sendWith } from '../tokens.ts';

describe('a path without a valid address', () => {
  it.each([
    ['5,000 characters for a tenant', `/${'x'.repeat(5_000)}/c/state`, 'tenant'],
    ['5,000 characters for a chart', `/t/${'x'.repeat(5_000)}/state`, 'chart'],
    ['5,000 characters for a run', `/t/c@${'x'.repeat(5_000)}/state`, 'run'],
    ['a NUL', '/t/c%00/state', 'chart'],
    ['an escaped slash', '/t/b%2Fc/state', 'chart'],
    ['an escaped way up', '/t/..%2Fc/state', 'chart'],
    ['an escaped way up to the folder', '/%2e%2e%2fcharts/default/state', 'tenant'],
    ['three dots', '/.../c/state', 'tenant'],
    ['a backslash', '/t/c%5Cd/state', 'chart'],
    ['no run behind the @', '/t/x@/state', 'run'],
    ['two @', '/t/x@y@z/state', 'run'],
    ['no chart before the @', '/t/@y/state', 'chart'],
    ['a space', '/t/a%20b/state', 'chart'],
    ['a plus', '/t/a+b/state', 'chart'],
    ['an emoji', '/t/%F0%9F%9A%80/state', 'chart'],
    ['a malformed escape', '/t/a%zz/state', 'chart'],
    ['a malformed character', '/t/a%ff/state', 'chart'],
    ['a name that is escaped twice', '/%2574est/c/state', 'tenant'],
    ['a leading underscore', '/__proto__/c/state', 'tenant'],
    ['the same at the machine itself', '/t/x@', 'run'],
    ['the same at its chart', '/t/x@/chart', 'run'],
    ['the same at its history', '/t/x@/history', 'run'],
  ])('is 400 and says which name is wrong: %s', async (_, path, part) => {
    const response = await send('GET', path);
    expect(response.status).toBe(400);
    const problem = await problemOf(response);
    expect(problem.type).toBe('urn:stateservice:problem:wrong-address');
    expect(problem.detail).toMatch(new RegExp(`^The ${part} ".*" is no name`));
    expect(problem.detail.length).toBeLessThan(500);
  });

  it.each([
    'state',
    'chart',
    'history',
    'watch',
    'claims',
    'healthz',
    'openapi.json',
    'metrics',
    'default',
    'v1',
  ])('has a reserved name for a tenant: %s', async (tenant) => {
    const response = await send('GET', `/${tenant}/x/state?state=a`);
    expect(response.status).toBe(400);
    expect((await problemOf(response)).detail).toContain(`"${tenant}"`);
  });

  it('is refused before the method is looked at', async () => {
    expect((await send('PUT', '/t/x@/state?state=a')).status).toBe(400);
    expect((await send('PUT', '/t/x@/state')).status).toBe(400);
    expect((await send('GET', '/t/x@/state')).status).toBe(400);
  });

  it('leads nowhere if it has dot segments', async () => {
    expect((await send('GET', '/t/%2e%2e/%2e%2e/charts/default/state?state=a')).status).toBe(404);
  });
});

/** All requests to a machine that start no other machine. */
const REQUESTS: readonly [method: string, path: string][] = [
  ['GET', '/state?state=a'],
  ['HEAD', '/state?state=a'],
  ['PUT', '/state?state=a'],
  ['GET', '/state'],
  ['PUT', '/state'],
  ['OPTIONS', '/state'],
  ['POST', '/state'],
  ['GET', '/chart'],
  ['HEAD', '/chart'],
  ['GET', '/history'],
  ['GET', '/history?limit=1'],
  ['GET', ''],
  ['HEAD', ''],
  ['DELETE', '/nothing'],
];

describe('an address without a chart', () => {
  it.each(REQUESTS)('gets no object by %s %s', async (method, path) => {
    const address = newAddress();
    await send(method, `/${address}${path}`);
    await send(method, `/${address}${path}`);
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });

  it.each(['/state?state=a', '/chart', '/history', ''])('is 404 at %s', async (path) => {
    const address = newAddress();
    const response = await send('GET', `/${address}${path}`);
    expect(response.status).toBe(404);
    expect(await problemOf(response)).toMatchObject({
      type: 'urn:stateservice:problem:no-chart',
      detail: expect.stringContaining(address),
    });
  });

  it('is 404 for a report too', async () => {
    expect((await send('PUT', `/${newAddress()}/state?state=a`)).status).toBe(404);
  });

  it('is 404 as a run, and with a name of Object.prototype', async () => {
    expect((await send('GET', `/${newAddress()}@run/state?state=a`)).status).toBe(404);
    expect((await send('GET', '/constructor/toString/state?state=a')).status).toBe(404);
  });
});

describe('an object', () => {
  const isThere = async (address: string) => {
    const ids = await listDurableObjectIds(env.MACHINES);
    return ids.some((id) => id.equals(env.MACHINES.idFromName(address)));
  };

  it.each([
    ['GET', '/state?state=a'],
    ['PUT', '/state?state=a'],
    ['GET', ''],
    ['GET', '/watch'],
    ['POST', '/claims?state=a&by=web-01'],
    ['POST', '/reset'],
    ['DELETE', ''],
  ])('is not created for an address without a chart: %s {machine}%s', async (method, path) => {
    const base = newAddress();
    for (const address of [base, `${base}@run`]) {
      expect((await send(method, `/${address}${path}`)).status).toBe(404);
      expect(await isThere(address)).toBe(false);
    }
  });

  it('is not created for a page either', async () => {
    const address = newAddress();
    const response = await send('GET', `/${address}`, { headers: { Accept: 'text/html' } });
    expect([response.status, response.headers.get('Content-Type')]).toEqual([404, 'text/html;charset=UTF-8']);
    expect(await isThere(address)).toBe(false);
  });

  it('is called if its machine has begun, though its chart is gone', async () => {
    const address = await newChart(sequence(counting('a', 'b', 3), final('b')));
    await send('PUT', `/${address}@run/state?state=a`);
    await removeChart(address);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * KNOWN_FOR });
    expect((await send('PUT', `/${address}@run/state?state=a`)).status).toBe(200);
    expect((await send('PUT', `/${address}@other/state?state=a`)).status).toBe(404);
    expect(await isThere(`${address}@other`)).toBe(false);
    vi.useRealTimers();
  });

  it('is called if it had a chart a while ago, and its tenant does not answer', async () => {
    const address = newAddress();
    const body = sequence(counting('a', 'b'), final('b'));
    await send('PUT', `/${address}/chart`, { body });
    const paths = [`/${address}/state?state=a`, `/${address}@run/state?state=a`];
    for (const path of paths) expect((await send('GET', path)).status).toBe(200);
    const has = () =>
      Promise.reject(Object.assign(new Error('Network connection lost.'), { retryable: true }));
    const TENANTS = { getByName: () => ({ has }) } as unknown as Env['TENANTS'];
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * KNOWN_FOR });
    for (const path of paths) expect((await sendWith({ TENANTS }, 'GET', path)).status).toBe(200);
    expect((await sendWith({ TENANTS }, 'GET', `/${newAddress()}/state?state=a`)).status).toBe(503);
    vi.useRealTimers();
  });

  it('is called if it had a chart a while ago, and the folder of charts cannot be read', async () => {
    const address = await newChart(sequence(counting('a', 'b', 3), final('b')));
    const path = `/${address}/state?state=a`;
    expect((await send('GET', path)).status).toBe(200);
    const CHARTS = { fetch: async () => new Response('', { status: 503 }) } as unknown as Fetcher;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * KNOWN_FOR });
    expect((await sendWith({ CHARTS }, 'GET', path)).status).toBe(200);
    expect((await sendWith({ CHARTS }, 'GET', `/${newAddress()}/state?state=a`)).status).toBe(500);
    vi.useRealTimers();
  });

  it('is called if its chart was uploaded', async () => {
    const address = newAddress();
    const body = sequence(counting('a', 'b'), final('b'));
    await send('PUT', `/${address}/chart`, { body });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * KNOWN_FOR });
    expect((await send('GET', `/${address}@run/state?state=a`)).status).toBe(200);
    vi.useRealTimers();
  });
});

describe('an address with an invalid chart', () => {
  const wrong = 'current_state: a\nstates:\n  - {name: a, func: increment}\n  - {name: a}\n';

  it('is 422 with every error, each with its place in the text', async () => {
    const response = await send('GET', `/${await newChart(wrong)}/state?state=a`);
    expect(response.status).toBe(422);
    const { type, errors = [] } = await problemOf(response);
    expect(type).toBe('urn:stateservice:problem:invalid-chart');
    expect(errors.map(({ line, column, path }) => [line, column, path])).toEqual([
      [3, 5, 'states[0].current'],
      [3, 5, 'states[0].target'],
      [4, 12, 'states[1].name'],
    ]);
    for (const { message } of errors) expect(message.length).toBeGreaterThan(10);
  });

  it.each(REQUESTS)('gets no object by %s %s', async (method, path) => {
    const address = await newChart(wrong);
    await send(method, `/${address}${path}`);
    await send(method, `/${address}${path}`);
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });

  it('starts as soon as the chart is valid', async () => {
    const address = await newChart(wrong);
    expect((await send('GET', `/${address}/state?state=a`)).status).toBe(422);
    await putChart(address, sequence(counting('a', 'b'), final('b')));
    expect((await send('GET', `/${address}/state?state=a`)).status).toBe(200);
  });
});
