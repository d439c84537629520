/** Tokens of issuers: which are accepted, and what they allow. */
import { sign } from 'hono/jwt';
import { beforeAll, describe, expect, it } from 'vitest';
import { ISSUED_TOKEN_LENGTH, ISSUER_SKEW } from '../../../src/request-limits.ts';
import { counting, final, newChart, sequence } from '../../charts.ts';
import { type Algorithm, type Issuer, type Key, newIssuer, newKey } from '../../issuers.ts';
import { historyOf, problemOf, statePath } from '../../service.ts';
import { GUARDED, inSeconds, SECRET, sendWith, tokenFor, tokenWith } from '../../tokens.ts';

const address = await newChart(sequence(counting('a', 'b', 1_000), final('b')));
const path = statePath(address, 'a');

let issuer: Issuer;
beforeAll(async () => {
  issuer = await newIssuer();
});

/** The answer to a request with a token: `yes`, or its status and what it says. */
async function verdictOf(token: string, { bindings }: Pick<Issuer, 'bindings'> = issuer): Promise<string> {
  return said(await sendWith(bindings, 'GET', path, { headers: { Authorization: `Bearer ${token}` } }));
}

async function said(response: Response): Promise<string> {
  return response.ok ? 'yes' : `${response.status} ${(await problemOf(response)).detail}`;
}

describe('a token of an issuer', () => {
  it.each<Algorithm>(['RS256', 'ES256', 'EdDSA'])('is accepted if it is signed with %s', async (alg) => {
    const other = await newIssuer({}, alg);
    expect(await verdictOf(await other.token(), other)).toBe('yes');
  });

  it('is accepted as the password of any user', async () => {
    const headers = { Authorization: `Basic ${btoa(`me:${await issuer.token()}`)}` };
    expect((await sendWith(issuer.bindings, 'GET', path, { headers })).status).toBe(200);
  });

  it('is accepted for one of several audiences', async () => {
    const some = await newIssuer({ aud: ['one', 'two'] });
    expect(await verdictOf(await some.token({ aud: ['other', 'two'] }), some)).toBe('yes');
    expect(await verdictOf(await some.token({ aud: 'one' }), some)).toBe('yes');
    expect(await verdictOf(await some.token({ aud: ['other'] }), some)).toBe(ELSEWHERE);
  });

  it('is accepted from a clock that is a little ahead', async () => {
    const soon = inSeconds(ISSUER_SKEW - 10);
    expect(await verdictOf(await issuer.token({ iat: soon, nbf: soon }))).toBe('yes');
  });

  it('is accepted up to a length, and the own ones up to theirs', async () => {
    const fits = await issuer.token({ groups: ['x'.repeat(10_000)] });
    expect(await verdictOf(fits)).toBe('yes');
    const long = await issuer.token({ groups: ['x'.repeat(ISSUED_TOKEN_LENGTH)] });
    expect(await verdictOf(long)).toMatch(/^401 The header Authorization has no token/);
    const own = await tokenWith({ charts: Array.from({ length: 1_000 }, () => 'acme/*') });
    expect(await verdictOf(own)).toBe('401 The token is not one of ours.');
  });

  it('is accepted beside the own ones', async () => {
    expect(await verdictOf(await tokenFor(address, 'read'))).toBe('yes');
  });

  it('is not accepted without an entry', async () => {
    expect(await verdictOf(await issuer.token(), { bindings: GUARDED })).toBe(
      '401 The token is not one of ours.',
    );
  });
});

const ELSEWHERE = '401 The `iss` and the `aud` of the token are in no entry of OIDC.';
const FORGED = '401 The signature of the token is not that of its issuer.';
const UNREADABLE = expect.stringMatching(/^401 A token of an issuer has `kid`/);
const EARLY = '401 The token is not valid yet.';

describe('a token is refused with', () => {
  it.each<[what: string, claims: Record<string, unknown>, why: unknown]>([
    ['another issuer', { iss: 'https://other.test' }, ELSEWHERE],
    ['no issuer', { iss: undefined }, UNREADABLE],
    ['another audience', { aud: 'other' }, ELSEWHERE],
    ['a part of the audience', { aud: 'stateservic' }, ELSEWHERE],
    ['audiences that contain it', { aud: ['stateservices', 'a,stateservice'] }, ELSEWHERE],
    ['no audience', { aud: undefined }, UNREADABLE],
    ['an audience that is no text', { aud: 7 }, UNREADABLE],
    ['no end', { exp: undefined }, UNREADABLE],
    ['an end that is text', { exp: '2999-01-01' }, UNREADABLE],
    ['an end that is over', { exp: inSeconds(-1) }, '401 The token has expired.'],
    ['a beginning to come', { nbf: inSeconds(ISSUER_SKEW + 30) }, EARLY],
    ['a time of issue to come', { iat: inSeconds(ISSUER_SKEW + 30) }, EARLY],
    ['a beginning that is text', { nbf: 'now' }, UNREADABLE],
  ])('%s', async (_, claims, why) => {
    expect(await verdictOf(await issuer.token(claims))).toEqual(why);
  });

  it('a slash more in its issuer', async () => {
    expect(await verdictOf(await issuer.token({ iss: `${issuer.iss}/` }))).toBe(ELSEWHERE);
  });

  it('the signature of another key of the same name', async () => {
    const forged = await newKey('ES256', issuer.key.kid);
    expect(await verdictOf(await issuer.token({}, forged))).toBe(FORGED);
  });

  it('the name of another key', async () => {
    const unknown = '401 The key of the token is not one of its issuer.';
    expect(await verdictOf(await issuer.token({}, await newKey('ES256')))).toBe(unknown);
    // A key has one algorithm: the same name with another is another key.
    expect(await verdictOf(await issuer.token({}, await newKey('EdDSA', issuer.key.kid)))).toBe(unknown);
  });

  it('claims that were changed after it was signed', async () => {
    const [header, , signature] = (await issuer.token()).split('.');
    const claims = { iss: issuer.iss, aud: 'stateservice', sub: 'root', exp: inSeconds(600) };
    expect(await verdictOf([header, encoded(claims), signature].join('.'))).toBe(FORGED);
  });

  it.each([
    ['no algorithm', { alg: 'none' }],
    ['no algorithm, in capitals', { alg: 'NONE' }],
    ['an algorithm that is not in the list', { alg: 'RS512' }],
    ['a secret’s algorithm', { alg: 'HS512' }],
    ['no name of a key', { alg: 'ES256', kid: undefined }],
    ['a name of a key that is no text', { alg: 'ES256', kid: 7 }],
    ['an empty name of a key', { alg: 'ES256', kid: '' }],
  ])('%s', async (_, header) => {
    const [, claims, signature] = (await issuer.token()).split('.');
    const token = [encoded({ typ: 'JWT', kid: issuer.key.kid, ...header }), claims, signature].join('.');
    expect(await verdictOf(token)).toEqual(UNREADABLE);
  });

  it('a part that must be understood, and a type that is no token for this', async () => {
    for (const header of [{ crit: ['b64'], b64: false }, { typ: 'logout+jwt' }]) {
      expect(await verdictOf(await withHeader(issuer, header))).toBe(FORGED);
    }
    expect(await verdictOf(await withHeader(issuer, { typ: 'at+jwt' }))).toBe('yes');
  });

  it('a signature by HS256, with a key that all know', async () => {
    const rsa = await newIssuer({}, 'RS256');
    const claims = { iss: rsa.iss, aud: 'stateservice', sub: 'x', exp: inSeconds(600) };
    for (const secret of [JSON.stringify(rsa.key.public), String(rsa.key.public.n)]) {
      expect(await verdictOf(await sign(claims, secret, 'HS256'), rsa)).toBe(
        '401 The token is not one of ours.',
      );
    }
    // Signed by this service, it is one of its own: claims of an issuer are none of its claims.
    const own = await sign(claims, SECRET, 'HS256');
    expect(await verdictOf(own, rsa)).toBe('401 The token lacks one of sub, charts, can and exp.');
  });

  it('no form of a token', async () => {
    for (const token of [
      'a.b.c',
      '..',
      'a.b',
      `${encoded({ alg: 'ES256' })}.x.y`,
      `${encoded([])}.${encoded({})}.`,
    ]) {
      expect(await verdictOf(token)).toMatch(/^401 /);
    }
    const [header, , signature] = (await issuer.token()).split('.');
    for (const claims of [null, [], 'x', 7]) {
      expect(await verdictOf([header, encoded(claims), signature].join('.'))).toEqual(UNREADABLE);
    }
  });
});

describe('an entry', () => {
  it('is the first whose condition is true', async () => {
    const { iss, entry, token } = await newIssuer();
    const entries = [
      { ...entry, aud: 'other', if: 'true' },
      { ...entry, if: 'claims.ref == "refs/heads/main"', can: ['update'] },
      { ...entry, if: 'claims.missing.deeper == 7', can: ['admin'] },
      { ...entry, if: 'claims.repository.startsWith("acme/")', can: ['read'] },
    ];
    const bindings = { ...GUARDED, OIDC: JSON.stringify(entries) };
    const main = await token({ iss, ref: 'refs/heads/main', repository: 'acme/app' });
    expect(await verdictOf(main, { bindings })).toMatch(/^403 .* may update, and not read/);
    expect(await verdictOf(await token({ repository: 'acme/app' }), { bindings })).toBe('yes');
    const none = '403 No entry of OIDC has an `if` that is true of the token.';
    expect(await verdictOf(await token({ repository: 'evil/acme' }), { bindings })).toBe(none);
    expect(await verdictOf(await token(), { bindings })).toBe(none);
  });

  it.each([
    ['"ops" in claims.groups', { groups: ['dev', 'ops'] }, { groups: ['devops'] }],
    ['claims.groups.exists(g, g.endsWith("/ops"))', { groups: ['eu/ops'] }, { groups: [] }],
    ['claims.email_verified && claims.level >= 2', { email_verified: true, level: 2 }, { level: 3 }],
    ['has(claims.environment)', { environment: 'prod' }, {}],
    ['claims.run_attempt == 1', { run_attempt: 1 }, { run_attempt: '1' }],
    ['claims["https://acme.test/role"] == "ops"', { 'https://acme.test/role': 'ops' }, {}],
  ])('reads claims of any kind: %s', async (condition, good, bad) => {
    const some = await newIssuer({ if: condition });
    expect(await verdictOf(await some.token(good), some)).toBe('yes');
    expect(await verdictOf(await some.token(bad), some)).toMatch(/^403 No entry/);
  });

  it('is for its charts and its rights only', async () => {
    const some = await newIssuer({ charts: ['acme/*'], can: ['read'] });
    expect(await verdictOf(await some.token(), some)).toMatch(/^403 .* the token of tester is for acme\/\*/);
  });

  it('fixes the name of the bearer', async () => {
    const some = await newIssuer({ by: 'claims.email' });
    const headers = { Authorization: `Bearer ${await some.token({ email: 'ann@acme.test' })}` };
    const put = (query: string) => sendWith(some.bindings, 'PUT', `${path}${query}`, { headers });
    expect((await put('')).status).toBe(200);
    expect(await said(await put('&by=bob'))).toBe(
      '403 The token is for "ann@acme.test" alone, and not for "bob".',
    );
    const { history } = await historyOf(address, '?limit=1');
    expect(history[0]).toMatchObject({ cause: 'update', by: 'ann@acme.test', sub: 'tester' });
  });

  it.each([
    ['no such claim', 'claims.email', {}, 'The expression gives no text.'],
    ['a claim that is no text', 'claims.id', { id: 7 }, 'The expression gives no text.'],
    ['an empty text', 'claims.email', { email: '' }, '`by` must be a name of 1 to 255 characters.'],
    [
      'a long text',
      'claims.email',
      { email: 'x'.repeat(256) },
      '`by` must be a name of 1 to 255 characters.',
    ],
  ])('refuses a token with 403 if there is %s for the name', async (_, by, claims, why) => {
    const some = await newIssuer({ by });
    expect(await verdictOf(await some.token(claims), some)).toBe(
      `403 The \`by\` of the entry of OIDC gives no name for this token. ${why}`,
    );
  });

  it('names the bearer of a service token of Cloudflare Access, which has an empty `sub`', async () => {
    const token = { sub: '', common_name: 'ci.access' };
    const some = await newIssuer({ by: 'claims.common_name' });
    expect(await verdictOf(await some.token(token), some)).toBe('yes');
    const nameless = await newIssuer();
    expect(await verdictOf(await nameless.token(token), nameless)).toMatch(/^403 The token has no `sub`/);
  });

  it('records the start of a `sub` that is too long for the history', async () => {
    const headers = { Authorization: `Bearer ${await issuer.token({ sub: `repo:${'x'.repeat(400)}` })}` };
    expect((await sendWith(issuer.bindings, 'PUT', path, { headers })).status).toBe(200);
    const [entry] = (await historyOf(address, '?limit=1')).history;
    expect(entry).toMatchObject({ sub: expect.stringMatching(/^repo:x{249}…$/) });
  });
});

/** A token with further fields in its header, signed all the same. */
async function withHeader({ iss, key }: Issuer, header: object): Promise<string> {
  const claims = { iss, aud: 'stateservice', sub: 'tester', exp: inSeconds(600) };
  const text = `${encoded({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header })}.${encoded(claims)}`;
  return `${text}.${await signatureOf(text, key)}`;
}

async function signatureOf(text: string, key: Key): Promise<string> {
  const curve = { name: 'ECDSA', namedCurve: 'P-256' };
  const imported = await crypto.subtle.importKey('jwk', key.private, curve, false, ['sign']);
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const signature = await crypto.subtle.sign(algorithm, imported, new TextEncoder().encode(text));
  return base64Url(String.fromCharCode(...new Uint8Array(signature)));
}

function encoded(part: unknown): string {
  return base64Url(JSON.stringify(part));
}

function base64Url(bytes: string): string {
  return btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
