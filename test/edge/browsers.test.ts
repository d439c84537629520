/** Requests that pages of other sites make browsers send, and CORS. */
import { describe, expect, it } from 'vitest';
import { RESOURCES } from '../../src/edge/app.ts';
import { counting, final, newAddress, newChart, sequence } from '../charts.ts';
import { historyOf, machinePath, problemOf, send, statePath } from '../service.ts';
import { GUARDED, sendWith, tokenWith } from '../tokens.ts';
import { queryOf } from './contract/query.ts';

const address = await newChart(sequence(counting('a', 'b', 1_000_000), final('b')));
const path = statePath(address, 'a');
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };

/** Requests that change something, and one that opens a WebSocket. */
const UNSAFE = RESOURCES.machine.flatMap(({ path: below, methods }) =>
  Object.entries(methods)
    .filter(([method]) => method !== 'GET')
    .map(([method, { contract }]): [method: string, path: string] => [
      method,
      `${machinePath(address)}${below}${queryOf(contract, { state: 'a', by: 'me' })}`,
    ]),
);

describe.each(UNSAFE)('%s %s', (method, asked) => {
  it.each([
    ['another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.test' }],
    ['another site, by an older browser', { Origin: 'https://evil.test' }],
    ['another subdomain', { 'Sec-Fetch-Site': 'same-site', Origin: 'https://other.service.test' }],
    ['another port', { Origin: 'https://service.test:8443' }],
    ['another scheme', { Origin: 'http://service.test' }],
    ['a page without origin', { Origin: 'null' }],
    ['another site, as a form', { Origin: 'https://evil.test', ...FORM }],
    ['another site, as JSON', { Origin: 'https://evil.test', 'Content-Type': 'application/json' }],
  ])('is refused from %s', async (_, headers) => {
    const entries = (await historyOf(address)).history.length;
    const response = await send(method, asked, { headers });
    expect(response.status).toBe(403);
    // A problem, an error of FleetLock, or the page of a link.
    expect((await response.text()).toLowerCase()).toMatch(/cross.site|a page of another site/);
    expect((await historyOf(address)).history).toHaveLength(entries);
  });
});

describe('a report', () => {
  it.each([
    ['a program', {}],
    ['the service’s own page', { 'Sec-Fetch-Site': 'same-origin', Origin: 'https://service.test' }],
    ['the service’s own page in an older browser', { Origin: 'https://service.test' }],
    ['the address bar', { 'Sec-Fetch-Site': 'none' }],
  ])('is taken from %s', async (_, headers) => {
    expect((await send('PUT', path, { headers })).status).toBe(200);
  });

  it('is refused from another site also with the password', async () => {
    const headers = {
      Authorization: `Basic ${btoa(`me:${await tokenWith()}`)}`,
      Origin: 'https://evil.test',
    };
    expect((await sendWith(GUARDED, 'PUT', path, { headers })).status).toBe(403);
  });
});

describe('a read', () => {
  it('is allowed: another site may link to it', async () => {
    const headers = { 'Sec-Fetch-Site': 'cross-site' };
    expect((await send('GET', path, { headers })).status).toBe(200);
  });

  it('by a WebSocket from another site is refused', async () => {
    const headers = { Upgrade: 'websocket', Origin: 'https://evil.test' };
    const response = await send('GET', `/${address}/watch`, { headers });
    expect(response.status).toBe(403);
    expect((await problemOf(response)).type).toBe('urn:stateservice:problem:cross-site');
  });
});

describe('every response', () => {
  const paths = [
    '/healthz',
    '/schema.json',
    '/openapi.json',
    '/nothing/at/all/there',
    '/a-tenant',
    ...[
      '',
      '/state?state=a',
      '/state?state=b',
      '/state',
      '/chart',
      '/history',
      '/history?limit=x',
      '/watch',
      '/nothing',
    ].map((below) => `/${address}${below}`),
    `/${newAddress()}/state?state=a`,
    '/a/b@/state',
  ];

  it.each(paths)('forbids scripts, frames, sniffing and caches: %s', async (asked) => {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PATCH']) {
      const response = await send(method, asked);
      await response.body?.cancel();
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'cache-control': 'no-store, no-transform',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      });
      expect(response.headers.get('Access-Control-Allow-Origin')).toBeNull();
    }
  });

  it('has the same headers if the request is refused', async () => {
    const response = await sendWith(GUARDED, 'GET', path);
    expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(response.headers.get('Cache-Control')).toBe('no-store, no-transform');
  });
});

describe('CORS', () => {
  const CORS_ORIGINS = 'https://ops.example.com, https://other.example.com';
  const fromOps = { Origin: 'https://ops.example.com', 'Sec-Fetch-Site': 'cross-site' };

  it('is off unless it is configured', async () => {
    const headers = { Origin: 'https://ops.example.com', 'Access-Control-Request-Method': 'PUT' };
    const response = await send('OPTIONS', path, { headers });
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('lets pages of the listed sites read and report', async () => {
    const preflight = await sendWith({ CORS_ORIGINS }, 'OPTIONS', path, {
      headers: {
        ...fromOps,
        'Access-Control-Request-Method': 'PUT',
        'Access-Control-Request-Headers': 'authorization',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('Access-Control-Allow-Origin')).toBe('https://ops.example.com');
    expect(preflight.headers.get('Access-Control-Allow-Methods')).toContain('PUT');
    expect(preflight.headers.get('Access-Control-Allow-Headers')).toBe('authorization');
    const put = await sendWith({ CORS_ORIGINS }, 'PUT', path, { headers: fromOps });
    expect(put.status).toBe(200);
    expect(put.headers.get('Access-Control-Allow-Origin')).toBe('https://ops.example.com');
    const exposed = put.headers.get('Access-Control-Expose-Headers')?.split(',');
    expect(exposed).toEqual(expect.arrayContaining(['ETag', 'Retry-After', 'Age', 'Link', 'Location']));
    expect(put.headers.get('Access-Control-Allow-Credentials')).toBeNull();
  });

  it('allows no other site', async () => {
    for (const Origin of ['https://evil.test', 'https://ops.example.com.evil.test', 'null']) {
      const get = await sendWith({ CORS_ORIGINS }, 'GET', path, { headers: { Origin } });
      expect(get.headers.get('Access-Control-Allow-Origin')).toBeNull();
      expect((await sendWith({ CORS_ORIGINS }, 'PUT', path, { headers: { Origin } })).status).toBe(403);
    }
  });

  it('never allows the origin null, which every sandboxed page has', async () => {
    for (const CORS_ORIGINS of ['null', 'https://ops.example.com,null', '*', 'file:///tmp/page.html']) {
      const get = await sendWith({ CORS_ORIGINS }, 'GET', path, { headers: { Origin: 'null' } });
      expect(get.headers.get('Access-Control-Allow-Origin')).toBeNull();
      const headers = { Origin: 'null', 'Sec-Fetch-Site': 'cross-site' };
      expect((await sendWith({ CORS_ORIGINS }, 'PUT', path, { headers })).status).toBe(403);
    }
  });

  it('accepts an origin with a slash at its end, or in capitals', async () => {
    const typed = { CORS_ORIGINS: 'HTTPS://Ops.Example.com/' };
    expect((await sendWith(typed, 'PUT', path, { headers: fromOps })).status).toBe(200);
  });

  it('still requires a token', async () => {
    const response = await sendWith({ ...GUARDED, CORS_ORIGINS }, 'GET', path, { headers: fromOps });
    expect(response.status).toBe(401);
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('https://ops.example.com');
  });

  it('does not break a WebSocket', async () => {
    const headers = { Upgrade: 'websocket', ...fromOps };
    const response = await sendWith({ CORS_ORIGINS }, 'GET', `/${address}/watch`, { headers });
    expect(response.status).toBe(101);
    response.webSocket?.accept();
    response.webSocket?.close();
  });
});
