/** Tokens: which are accepted, and how they are sent. */
import { sign } from 'hono/jwt';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { SECRET_BYTES, TOKEN_LENGTH } from '../../src/request-limits.ts';
import { counting, final, newChart, sequence } from '../charts.ts';
import { historyOf, problemOf, statePath } from '../service.ts';
import {
  GUARDED,
  inSeconds,
  PREVIOUS_SECRET,
  SECRET,
  sendAs,
  sendWith,
  tokenFor,
  tokenWith,
} from '../tokens.ts';

const address = await newChart(sequence(counting('a', 'b', 1_000), final('b')));
const path = statePath(address, 'a');

/** The response to a request with an `Authorization`. */
async function verdictOf(authorization: string | undefined, bindings = GUARDED): Promise<string> {
  const headers = authorization === undefined ? {} : { Authorization: authorization };
  const response = await sendWith(bindings, 'GET', path, { headers });
  if (response.ok) return 'yes';
  const { detail } = await problemOf(response);
  return `${response.status} ${detail}`;
}

describe('a token', () => {
  it('is accepted as a bearer, in any case of letters', async () => {
    const token = await tokenWith();
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      expect(await verdictOf(`${scheme} ${token}`)).toBe('yes');
  });

  it('is accepted as the password of any user', async () => {
    const token = await tokenWith();
    for (const user of ['', 'me', 'x'.repeat(200)]) {
      expect(await verdictOf(`Basic ${btoa(`${user}:${token}`)}`)).toBe('yes');
    }
  });

  it('is valid in the second before it expires, and not after it', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const token = await tokenWith({ exp: inSeconds(60) });
      vi.setSystemTime(Date.now() - (Date.now() % 1_000) + 59_999);
      expect(await verdictOf(`Bearer ${token}`)).toBe('yes');
      vi.setSystemTime(Date.now() + 1);
      expect(await verdictOf(`Bearer ${token}`)).toBe('401 The token has expired.');
    } finally {
      vi.useRealTimers();
    }
  });

  it('is valid if it was signed by a clock that is ahead', async () => {
    expect(await verdictOf(`Bearer ${await tokenWith({ iat: inSeconds(300) })}`)).toBe('yes');
  });

  it('that is signed with the previous secret is valid while the service has that secret', async () => {
    const token = await tokenWith({}, PREVIOUS_SECRET);
    expect(await verdictOf(`Bearer ${token}`)).toBe('401 The token is not one of ours.');
    const rotated = { ...GUARDED, TOKEN_SECRET_PREVIOUS: PREVIOUS_SECRET };
    expect(await verdictOf(`Bearer ${token}`, rotated)).toBe('yes');
    expect(await verdictOf(`Bearer ${await tokenWith()}`, rotated)).toBe('yes');
  });

  it('is named in the history beside the caller', async () => {
    await sendAs(await tokenWith({ sub: 'ci' }), 'PUT', `${path}&by=web-01`);
    const { history } = await historyOf(address);
    expect(history[0]).toMatchObject({ cause: 'update', by: 'web-01', sub: 'ci' });
  });
});

const NOT_OURS = '401 The token is not one of ours.';
const LACKS = '401 The token lacks one of sub, charts, can and exp.';

describe('a request is refused with', () => {
  it.each([
    ['another secret', tokenWith({}, 'another secret that has bytes enough'), NOT_OURS],
    ['another algorithm', sign({ ...CLAIMS() }, SECRET, 'HS512'), NOT_OURS],
    ['no algorithm', unsigned({ alg: 'none', typ: 'JWT' }), NOT_OURS],
    ['no algorithm, in capitals', unsigned({ alg: 'NONE', typ: 'JWT' }), NOT_OURS],
    ['no signature', tokenWith().then((token) => token.replace(/[^.]*$/, '')), NOT_OURS],
    ['a public key’s algorithm', unsigned({ alg: 'RS256', typ: 'JWT' }, 'AAAA'), NOT_OURS],
    ['a key of its own', unsigned({ alg: 'HS256', jwk: { kty: 'oct', k: 'AAAA' } }, 'AAAA'), NOT_OURS],
    ['a signature of other claims', tamper('charts', ['other/*']), NOT_OURS],
    ['a right that was written in', tamper('can', ['admin']), NOT_OURS],
    ['an end that was moved', tamper('exp', inSeconds(6_000)), NOT_OURS],
    ['its time is over', tokenWith({ exp: inSeconds(-1) }), '401 The token has expired.'],
    ['its time is yet to come', tokenWith({ nbf: inSeconds(60) }), '401 The token is not valid yet.'],
    ['no end', tokenWith({ exp: undefined }), LACKS],
    ['an end that is text', tokenWith({ exp: '2999-01-01' }), '401 The token has expired.'],
    ['nobody', tokenWith({ sub: undefined }), LACKS],
    ['an empty name', tokenWith({ sub: '' }), LACKS],
    ['no machines', tokenWith({ charts: [] }), LACKS],
    ['machines as one text', tokenWith({ charts: '*' }), LACKS],
    ['no rights', tokenWith({ can: [] }), LACKS],
    ['rights as one text', tokenWith({ can: 'read' }), LACKS],
    ['a right that there is not', tokenWith({ can: ['read', 'root'] }), LACKS],
    ['no claims at all', sign(null as unknown as Record<string, unknown>, SECRET, 'HS256'), NOT_OURS],
    ['claims that are a list', sign([] as unknown as Record<string, unknown>, SECRET, 'HS256'), LACKS],
    ['no token', 'nonsense', NOT_OURS],
    ['two dots and nothing', '..', NOT_OURS],
    ['three dots', 'a.b.c.d', NOT_OURS],
  ])('a token with %s', async (_, token, why) => {
    expect(await verdictOf(`Bearer ${await token}`)).toBe(why);
    expect(await verdictOf(`Basic ${btoa(`me:${await token}`)}`)).toBe(why);
  });

  it.each([
    ['nothing', undefined],
    ['an empty header', ''],
    ['no token', 'Bearer'],
    ['an empty token', 'Bearer '],
    ['two tokens', 'Bearer a b'],
    ['another scheme', 'Digest username="me"'],
    ['no password', `Basic ${btoa('me')}`],
    ['an empty password', `Basic ${btoa('me:')}`],
    ['a password that is no base64', 'Basic %%%'],
    ['a token that is too long', `Bearer ${'a'.repeat(TOKEN_LENGTH + 1)}`],
  ])('an Authorization with %s', async (_, authorization) => {
    expect(await verdictOf(authorization)).toMatch(/^401 .*Send a token: -H "Authorization: Bearer \$TOKEN"/);
  });

  it('the challenge that browsers prompt for', async () => {
    const response = await sendWith(GUARDED, 'GET', path);
    expect(response.headers.get('WWW-Authenticate')).toBe('Basic realm="StateService", charset="UTF-8"');
  });
});

describe('a service that is not set up', () => {
  const PATHS = ['/', '/healthz', '/schema.json', path, '/acme', '/a/b/c/d/e', '/a/b@/state'];

  it.each([
    ['no secret', {}, 'npx wrangler secret put TOKEN_SECRET'],
    ['an empty secret', { TOKEN_SECRET: '' }, 'npx wrangler secret put TOKEN_SECRET'],
    ['a short secret', { TOKEN_SECRET: 'x'.repeat(SECRET_BYTES - 1) }, `${SECRET_BYTES} bytes`],
    ['a short secret before', { ...GUARDED, TOKEN_SECRET_PREVIOUS: 'x' }, `${SECRET_BYTES} bytes`],
    ['another word for AUTH', { ...GUARDED, AUTH: 'off' }, '`token` or `open`'],
    ['an empty AUTH', { ...GUARDED, AUTH: '' }, '`token` or `open`'],
  ])('answers every request with 503 and what to do: %s', async (_, bindings, what) => {
    for (const method of ['GET', 'PUT', 'OPTIONS', 'DELETE']) {
      for (const asked of PATHS) {
        const response = await sendWith({ AUTH: 'token', ...bindings }, method, asked);
        expect(response.status, `${method} ${asked}`).toBe(503);
        expect((await problemOf(response)).detail).toContain(what);
      }
    }
  });

  it('requires tokens without AUTH', async () => {
    const bindings = { TOKEN_SECRET: SECRET, AUTH: undefined } as unknown as typeof GUARDED;
    expect((await sendWith(bindings, 'GET', path)).status).toBe(401);
  });
});

describe('secrets and tokens', () => {
  const log = vi.spyOn(console, 'error');
  beforeEach(() => {
    log.mockClear();
  });

  it('are in no response and no log', async () => {
    const tokens = [
      await tokenWith(),
      await tokenFor('other/*', 'read'),
      await tokenWith({ exp: 1 }),
      'a.b.c',
    ];
    for (const token of tokens) {
      for (const asked of [path, `/${address}`, '/acme', '/a/b/c/d/e', '/healthz']) {
        const response = await sendAs(token, 'GET', asked);
        const said = `${await response.text()}${JSON.stringify([...response.headers])}${log.mock.calls.flat()}`;
        expect(said).not.toContain(token);
        expect(said).not.toContain(SECRET);
      }
    }
  });
});

function CLAIMS(): Record<string, unknown> {
  return { sub: 'tester', charts: ['*'], can: ['read'], exp: inSeconds(600) };
}

/** A token with a wrong signature. */
async function unsigned(header: object, signature = ''): Promise<string> {
  return [header, CLAIMS()]
    .map((part) => encoded(part))
    .join('.')
    .concat('.', signature);
}

/** A token that was changed after it was signed. */
async function tamper(claim: string, value: unknown): Promise<string> {
  const token = await tokenFor('acme/*', 'read');
  const [header, , signature] = token.split('.');
  return [header, encoded({ ...CLAIMS(), charts: ['acme/*'], [claim]: value }), signature].join('.');
}

function encoded(part: object): string {
  return btoa(JSON.stringify(part)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
