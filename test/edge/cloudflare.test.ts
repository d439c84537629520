/** The rules that apply only on Cloudflare. A request there has `cf.colo`, which a client cannot set. */
import { env, exports } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { answer } from '../../src/edge/app.ts';
import { networkOf, overHttps } from '../../src/edge/cloudflare.ts';
import type { Env } from '../../src/edge/env.ts';
import { counting, final, newChart, sequence } from '../charts.ts';
import { problemOf } from '../service.ts';
import { GUARDED, sendWith, tokenWith } from '../tokens.ts';
import { fewRequests } from './few-requests.ts';

const path = `/${await newChart(sequence(counting('a', 'b', 1_000), final('b')))}`;

const FROM_CLOUDFLARE = { cf: { colo: 'FRA' } };
const PUBLIC: Partial<Env> = { AUTH: 'open', OPEN_TO_THE_INTERNET: 'yes' };

/** Sends a request with variables, as Cloudflare does unless `init` says otherwise. */
async function sendTo(
  url: string,
  bindings: Partial<Env>,
  init: RequestInit = FROM_CLOUDFLARE,
): Promise<Response> {
  return overHttps(answer)(new Request(url, init), { ...env, ...bindings });
}

describe('over http:// on Cloudflare', () => {
  it('a request is refused, with the advice to replace its token', async () => {
    for (const method of ['GET', 'PUT']) {
      const response = await sendTo(`http://service.test${path}/state?state=a`, PUBLIC, {
        ...FROM_CLOUDFLARE,
        method,
      });
      expect(response.status).toBe(400);
      const { type, detail } = await problemOf(response);
      expect(type).toBe('urn:stateservice:problem:not-encrypted');
      expect(detail).toContain('replace the token');
    }
    const status = await sendTo(`https://service.test${path}`, PUBLIC);
    expect(await status.json()).toMatchObject({ revision: 1 });
  });

  it('a page is redirected to https://, with its query', async () => {
    const headers = { Accept: 'text/html,*/*;q=0.8' };
    const response = await sendTo('http://service.test/acme?q=x', PUBLIC, { ...FROM_CLOUDFLARE, headers });
    expect([response.status, response.headers.get('Location')]).toEqual([
      308,
      'https://service.test/acme?q=x',
    ]);
    expect(response.headers.get('Strict-Transport-Security')).toBeNull();
  });
});

it('the Worker itself applies these rules', async () => {
  const response = await exports.default.fetch(new Request(`http://service.test${path}`, FROM_CLOUDFLARE));
  expect((await problemOf(response)).type).toBe('urn:stateservice:problem:not-encrypted');
});

describe('HSTS', () => {
  it.each([
    '/healthz',
    path,
    `${path}/state?state=a`,
    `${path}/state?state=none`,
    `${path}/watch`,
    '/a/b/c/d',
  ])('is in every response on Cloudflare: %s', async (target) => {
    const response = await sendTo(`https://service.test${target}`, PUBLIC);
    expect(response.headers.get('Strict-Transport-Security')).toBe('max-age=31536000');
    await response.body?.cancel();
  });

  it('leaves an upgrade as it is', async () => {
    const headers = { Upgrade: 'websocket' };
    const response = await sendTo(`https://service.test${path}/watch`, PUBLIC, {
      ...FROM_CLOUDFLARE,
      headers,
    });
    expect(response.status).toBe(101);
    response.webSocket?.accept();
    response.webSocket?.close();
  });

  it('is in every response of an isolate that has served Cloudflare, and there http:// is looked at each time', async () => {
    const bindings = { ...env, ...PUBLIC };
    const sendFrom = (url: string, init: RequestInit) => overHttps(answer)(new Request(url, init), bindings);
    const hsts = async (url: string, init: RequestInit) => {
      const response = await sendFrom(`${url}${path}/state?state=a`, init);
      return [response.status, response.headers.get('Strict-Transport-Security') !== null];
    };
    // As another Worker calls it by a service binding: without `cf`.
    expect(await hsts('https://service.test', {})).toEqual([200, false]);
    expect(await hsts('https://service.test', FROM_CLOUDFLARE)).toEqual([200, true]);
    expect(await hsts('https://service.test', {})).toEqual([200, true]);
    expect(await hsts('http://service.test', {})).toEqual([200, false]);
    expect(await hsts('http://service.test', FROM_CLOUDFLARE)).toEqual([400, false]);
  });

  it('is in no response elsewhere', async () => {
    // As `workerd serve` sets it.
    const cf = { clientIp: '192.0.2.1:46700' };
    const response = await sendTo(`http://service.test${path}/state?state=a`, { AUTH: 'open' }, { cf });
    expect([response.status, response.headers.get('Strict-Transport-Security')]).toEqual([200, null]);
  });
});

describe('AUTH=open on Cloudflare', () => {
  it.each([`${path}/state?state=a`, '/healthz'])(
    'is refused without a second variable: %s',
    async (target) => {
      const response = await sendTo(`https://service.test${target}`, { AUTH: 'open' });
      expect(response.status).toBe(503);
      expect((await problemOf(response)).detail).toContain('OPEN_TO_THE_INTERNET');
    },
  );

  it.each(['no', 'true', ''])('is refused with OPEN_TO_THE_INTERNET=%s', async (value) => {
    const bindings = { AUTH: 'open', OPEN_TO_THE_INTERNET: value };
    expect((await sendTo(`https://service.test${path}`, bindings)).status).toBe(503);
  });

  it('is accepted with OPEN_TO_THE_INTERNET=yes', async () => {
    expect((await sendTo(`https://service.test${path}`, PUBLIC)).status).toBe(200);
  });

  it.each(['localhost:5000', '127.0.0.1:5000', '[::1]:5000'])(
    'needs no second variable under wrangler dev, nor https://: %s',
    async (host) => {
      expect((await sendTo(`http://${host}${path}`, { AUTH: 'open' })).status).toBe(200);
    },
  );

  it('is not needed where requests need tokens', async () => {
    const headers = { Authorization: `Bearer ${await tokenWith()}` };
    const response = await sendTo(`https://service.test${path}`, GUARDED, { ...FROM_CLOUDFLARE, headers });
    expect(response.status).toBe(200);
  });
});

describe('the network of a client', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['', ''],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it('is what the rate limit counts by', async () => {
    const limit = { RATE_LIMIT: fewRequests() };
    const ask = (ip: string) =>
      sendWith(limit, 'GET', `${path}/state?state=a`, {
        headers: { 'CF-Connecting-IP': ip },
      });
    const statuses = [];
    for (let i = 1; i <= 6; i++) statuses.push((await ask(`2001:db8:7:7::${i}`)).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    expect((await ask('2001:db8:7:8::1')).status).toBe(200);
  });
});
