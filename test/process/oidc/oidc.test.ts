/** A server that accepts the tokens of issuers: real ones, and ones that fail in every way. */
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ISSUER_BYTES, ISSUER_WAIT, KEYS_PAUSE, NO_KEYS_PAUSE } from '../../../src/request-limits.ts';
import { folderOf, SEQUENCE } from '../charts.ts';
import { cleanUp, runCli, type Server, startServer, until } from '../server.ts';
import { type Issuer, startIssuer, stopIssuers } from './issuer.ts';

const TOKEN_SECRET = 'a secret that has bytes enough for it';
const PATH = '/acme/release/state?state=drain';

/** Bytes that an endless answer has sent. */
let sent = 0;

/** Issuers that give no keys, by what they do. */
const failing = {
  hangs: await startIssuer({ '/.well-known/openid-configuration': () => {} }),
  stops: await startIssuer({ '/jwks': (_, response) => response.write('{"keys": [') }),
  floods: await startIssuer({ '/jwks': (_, response) => flood(response) }),
  babbles: await startIssuer({ '/jwks': (_, response) => response.end('<!doctype html><h1>502</h1>') }),
  redirects: await startIssuer({
    '/jwks': (_, response) => response.writeHead(302, { Location: '/keys' }).end(),
    '/keys': (_, response) => response.end('{}'),
  }),
  fails: await startIssuer({ '/.well-known/openid-configuration': (_, r) => r.writeHead(500).end() }),
  'is gone': await startIssuer(),
};
failing['is gone'].stop();
type Failing = keyof typeof failing;

function flood(response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  const more = () => {
    while (!response.destroyed && response.write(chunk)) sent += chunk.length;
    sent += chunk.length;
  };
  response.on('drain', more);
  more();
}

let issuer: Issuer;
let quiet: Issuer;
let server: Server;
let own: string;
beforeAll(async () => {
  issuer = await startIssuer();
  quiet = await startIssuer();
  const entries = [
    issuer.entry({ if: 'has(claims.email)', by: 'claims.email' }),
    issuer.entry({ if: 'claims.repository == "acme/app"' }),
    quiet.entry(),
    ...Object.values(failing).map((one) => one.entry()),
  ];
  const charts = await folderOf({ 'acme/release.yaml': SEQUENCE.replace('value: 2', 'value: 1000') });
  server = await startServer({ charts, env: { TOKEN_SECRET, OIDC: JSON.stringify(entries) } });
  const flags = ['--charts', 'acme/*', '--can', 'read,update', '--sub', 'web-01'];
  own = (await runCli(['token', ...flags], { TOKEN_SECRET })).stdout.trim();
});
afterAll(async () => {
  stopIssuers();
  await cleanUp();
});

function ask(token: string, method = 'GET', path = PATH): Promise<Response> {
  return fetch(`${server.url}${path}`, { method, headers: { Authorization: `Bearer ${token}` } });
}

describe('a token of an issuer', () => {
  it('is accepted with each algorithm, and in the header of Cloudflare Access', async () => {
    for (const alg of ['RS256', 'ES256', 'EdDSA']) {
      const token = await issuer.token({ repository: 'acme/app' }, { alg });
      expect((await ask(token)).status, alg).toBe(200);
      const headers = { 'Cf-Access-Jwt-Assertion': token };
      expect((await fetch(`${server.url}${PATH}`, { headers })).status).toBe(200);
    }
    expect((await ask(await issuer.token({ repository: 'evil/app' }))).status).toBe(403);
    expect((await ask(await issuer.token({ repository: 'acme/app', aud: 'other' }))).status).toBe(401);
  });

  it('fixes the name, and the history has it beside its `sub`', async () => {
    const token = await issuer.token({ email: 'ann@acme.test', sub: 'u-17' });
    expect((await ask(token, 'PUT')).status).toBe(200);
    expect((await ask(token, 'PUT', `${PATH}&by=bob`)).status).toBe(403);
    const history = await ask(token, 'GET', '/acme/release/history?limit=1');
    expect((await history.json<{ history: unknown }>()).history).toMatchObject([
      { cause: 'update', by: 'ann@acme.test', sub: 'u-17' },
    ]);
  });
});

it('the keys of an issuer are fetched once for many requests at once, most of them without a valid token', async () => {
  const tokens = await Promise.all(
    Array.from({ length: 60 }, (_, i) => quiet.token({}, i % 3 === 0 ? {} : { kid: `random-${i}` })),
  );
  const statuses = await Promise.all(tokens.map(async (token) => (await ask(token)).status));
  expect(statuses).toEqual(tokens.map((_, i) => (i % 3 === 0 ? 200 : 401)));
  expect(quiet.requested).toEqual(['/.well-known/openid-configuration', '/jwks']);
});

it.skipIf(!process.env.OIDC_ROTATES)(
  'the keys of an issuer are fetched again when it signs with a new one',
  async () => {
    const before = await quiet.token();
    await quiet.rotate();
    await until(async () => (await ask(await quiet.token())).status === 200, 2 * KEYS_PAUSE);
    expect((await ask(before)).status).toBe(401);
    expect(quiet.requested).toHaveLength(4);
  },
  3 * KEYS_PAUSE,
);

describe('an issuer that fails', () => {
  it.concurrent.each(Object.keys(failing) as Failing[])(
    'that %s holds up its own tokens only',
    async (name) => {
      const began = performance.now();
      const held = ask(await failing[name].token()).then(async (response) => ({
        status: response.status,
        later: Number(response.headers.get('Retry-After')),
        body: await response.json<{ type: string }>(),
        took: performance.now() - began,
      }));
      const others = await Promise.all(Array.from({ length: 20 }, () => ask(own)));
      expect(new Set(others.map(({ status }) => status))).toEqual(new Set([200]));
      const { status, later, body, took } = await held;
      expect([status, body.type]).toEqual([503, 'urn:stateservice:problem:issuer-unavailable']);
      expect(later).toBeGreaterThanOrEqual(1);
      expect(later).toBeLessThanOrEqual(10);
      // A fetch ends by itself after ISSUER_WAIT: many times that would be no end.
      expect(took).toBeLessThan(ISSUER_WAIT * 6);
      const token = await failing[name].token();
      expect((await ask(token)).status).toBe(503);
      // No token makes the service ask more often than that.
      const tries = failing[name].requested.filter(
        (path) => path === '/.well-known/openid-configuration',
      ).length;
      expect(tries).toBeLessThanOrEqual(1 + (performance.now() - began) / NO_KEYS_PAUSE);
      await until(() => server.output().includes(`OIDC: the keys of ${failing[name].iss} cannot be fetched`));
      expect(server.output()).not.toContain(token);
    },
  );

  it('floods no longer than it is read', () => {
    // Buffers of the two processes and of the network are some MB.
    expect(sent).toBeGreaterThan(ISSUER_BYTES);
    expect(sent).toBeLessThan(100 * ISSUER_BYTES);
  });
});
