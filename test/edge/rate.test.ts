/** Cloudflare's rate limit, if it is configured. */
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { counting, final, newChart, sequence } from '../charts.ts';
import { problemOf, statePath, statusOf } from '../service.ts';
import { GUARDED, sendWith, tokenWith } from '../tokens.ts';
import { fewRequests } from './few-requests.ts';

const path = statePath(await newChart(sequence(counting('a', 'b', 1_000), final('b'))), 'a');
const LIMITED = { RATE_LIMIT: fewRequests() };

describe('a caller over the rate limit', () => {
  it('is refused with 429 and Retry-After', async () => {
    const headers = { 'CF-Connecting-IP': '192.0.2.1' };
    const answers = [];
    for (let i = 0; i < 7; i++) answers.push(await sendWith(LIMITED, 'GET', path, { headers }));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 429]);
    const [last] = answers.slice(-1);
    if (last === undefined) throw new Error('there was no answer');
    expect(last.headers.get('Retry-After')).toMatch(/^[1-9]\d*$/);
    const { type, detail } = await problemOf(last);
    expect(type).toBe('urn:stateservice:problem:too-many-requests');
    expect(detail).toContain('wait=');
  });

  it('is refused by the limit of the platform as well', async () => {
    const headers = { 'CF-Connecting-IP': '192.0.2.7' };
    const bindings = { RATE_LIMIT: env.FEW_REQUESTS };
    // It has a new window at each full minute, and five requests in each.
    for (let tries = 0; tries < 100; tries++) {
      const { status } = await sendWith(bindings, 'GET', path, { headers });
      if (status === 429) return;
      expect(status).toBe(200);
    }
    throw new Error('no request was refused');
  });

  it('does not block other callers', async () => {
    const ask = (ip: string) => sendWith(LIMITED, 'GET', path, { headers: { 'CF-Connecting-IP': ip } });
    for (let i = 0; i < 6; i++) await ask('192.0.2.2');
    expect((await ask('192.0.2.2')).status).toBe(429);
    expect((await ask('192.0.2.3')).status).toBe(200);
  });

  it('is counted by its token, from any address', async () => {
    const bindings = { ...GUARDED, ...LIMITED };
    const [busy, idle] = [await tokenWith({ sub: 'busy' }), await tokenWith({ sub: 'idle' })];
    const ask = (token: string, ip: number) =>
      sendWith(bindings, 'GET', path, {
        headers: { Authorization: `Bearer ${token}`, 'CF-Connecting-IP': `198.51.100.${ip}` },
      });
    for (let ip = 0; ip < 5; ip++) expect((await ask(busy, ip)).status).toBe(200);
    expect((await ask(busy, 6)).status).toBe(429);
    expect((await ask(idle, 6)).status).toBe(200);
  });

  it('does not use the limit of another tenant’s token with the same name', async () => {
    const bindings = { ...GUARDED, ...LIMITED };
    const tokens = [
      await tokenWith({ sub: 'web-01' }),
      await tokenWith({ sub: 'web-01', charts: ['*', 'other/*'] }),
    ];
    const ask = (token = '') =>
      sendWith(bindings, 'GET', path, { headers: { Authorization: `Bearer ${token}` } });
    for (let i = 0; i < 6; i++) await ask(tokens[0]);
    expect((await ask(tokens[0])).status).toBe(429);
    expect((await ask(tokens[1])).status).toBe(200);
  });

  it('cannot guess more tokens', async () => {
    const guess = () =>
      sendWith({ ...GUARDED, ...LIMITED }, 'GET', path, {
        headers: { Authorization: 'Bearer a.b.c', 'CF-Connecting-IP': '192.0.2.4' },
      });
    for (let i = 0; i < 5; i++) expect((await guess()).status).toBe(401);
    expect((await guess()).status).toBe(429);
  });

  it('may still call the health check', async () => {
    const headers = { 'CF-Connecting-IP': '192.0.2.5' };
    for (let i = 0; i < 10; i++) {
      expect((await sendWith(LIMITED, 'GET', '/healthz', { headers })).status).toBe(200);
    }
  });
});

it('a report over the rate limit has no effect', async () => {
  const address = await newChart(sequence(counting('a', 'b', 1_000), final('b')));
  const headers = { 'CF-Connecting-IP': '192.0.2.6' };
  for (let i = 0; i < 9; i++) await sendWith(LIMITED, 'PUT', statePath(address, 'a'), { headers });
  expect((await statusOf(address)).revision).toBe(1 + 5);
});
