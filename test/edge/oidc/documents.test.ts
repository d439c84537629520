/** The documents of an issuer: which keys are taken from them, and what is no answer. */
import { describe, expect, it } from 'vitest';
import { fetchKeys } from '../../../src/edge/oidc/documents.ts';
import { ISSUER_BYTES, ISSUER_KEYS } from '../../../src/request-limits.ts';
import { type Issuer, newIssuer, newKey, put } from '../../issuers.ts';

/** The names of the keys, or why there are none. */
async function keysOf({ iss }: Issuer, jwks?: string): Promise<string | string[]> {
  const fetched = await fetchKeys({ iss, jwks });
  return fetched.ok ? [...fetched.keys.keys()] : fetched.why;
}

const issuer = await newIssuer({}, 'RS256');
const [rsa, ec, okp] = [issuer.key, await newKey('ES256', 'ec'), await newKey('EdDSA', 'okp')];

async function published(keys: readonly unknown[]): Promise<string | string[]> {
  const jwks = `https://${crypto.randomUUID()}.test/keys`;
  await put(jwks, { keys });
  return keysOf(issuer, jwks);
}

describe('a set of keys', () => {
  it('has keys of three kinds, with and without `alg` and `use`', async () => {
    const { alg: _, use: __, ...bare } = ec.public;
    expect(await published([rsa.public, bare, okp.public])).toEqual([
      `RS256 ${rsa.kid}`,
      'ES256 ec',
      'EdDSA okp',
    ]);
  });

  it.each([
    ['another use', { ...ec.public, use: 'enc' }],
    ['another algorithm', { ...rsa.public, alg: 'RS512' }],
    ['another curve', { ...ec.public, crv: 'P-384' }],
    ['no name', { ...ec.public, kid: undefined }],
    ['a point that is not on the curve', { ...ec.public, y: ec.public.x }],
    ['a secret', { kty: 'oct', kid: 'x', k: 'AAAA', alg: 'HS256' }],
    ['a modulus that is too short', { ...rsa.public, n: String(rsa.public.n).slice(0, 171) }],
    ['an exponent that is too long', { ...rsa.public, e: 'AQAAAAAB' }],
    ['no form of a key', 'key'],
    ['nothing', null],
  ])('is used without a key with %s', async (_, key) => {
    expect(await published([key, okp.public])).toEqual(['EdDSA okp']);
    expect(await published([key])).toContain('has no key for RS256, ES256, EdDSA');
  });

  it('is used up to a number of keys, and the first of a name', async () => {
    const many = Array.from({ length: ISSUER_KEYS + 1 }, (_, i) => ({ ...ec.public, kid: `k${i}` }));
    expect(await published(many)).toHaveLength(ISSUER_KEYS);
    expect(await published([ec.public, { ...(await newKey('ES256')).public, kid: 'ec' }])).toEqual([
      'ES256 ec',
    ]);
  });
});

describe('an issuer has not answered', () => {
  it.each([
    ['with a page', '<!doctype html>', 'SyntaxError'],
    ['with nothing', '', 'SyntaxError'],
    ['with another document', '{"key": []}', 'keys'],
    ['with a list', '[]', 'expected object'],
    [
      'with too much',
      JSON.stringify({ keys: [], more: 'x'.repeat(ISSUER_BYTES) }),
      `more than ${ISSUER_BYTES} bytes`,
    ],
  ])('%s', async (_, text, why) => {
    const jwks = `https://${crypto.randomUUID()}.test/keys`;
    await put(jwks, text);
    expect(await keysOf(issuer, jwks)).toContain(why);
  });

  it.each([
    [
      'of another',
      { issuer: 'https://other.test', jwks_uri: 'https://other.test/jwks' },
      'of another issuer',
    ],
    ['over http://', { jwks_uri: 'http://issuer.test/jwks' }, 'jwks_uri that is not https://'],
    ['on this machine', { jwks_uri: 'http://127.0.0.1:1/jwks' }, 'jwks_uri that is not https://'],
    ['that are a file', { jwks_uri: 'file:///etc/passwd' }, 'jwks_uri that is not https://'],
    ['nowhere', {}, 'jwks_uri'],
  ])('with keys %s', async (_, changes, why) => {
    const other = await newIssuer();
    await put(`${other.iss}/.well-known/openid-configuration`, { issuer: other.iss, ...changes });
    expect(await keysOf(other)).toContain(why);
  });

  it('with a status', async () => {
    expect(await keysOf(issuer, 'https://nowhere.test/jwks')).toBe(
      'Error: https://nowhere.test/jwks was answered with 404',
    );
  });
});

it('an issuer with a slash at its end, or with a path, has its discovery below', async () => {
  for (const path of ['/', '/tenants/acme', '/tenants/acme/']) {
    const iss = `https://${crypto.randomUUID()}.test${path}`;
    const jwks_uri = `https://${crypto.randomUUID()}.test/keys`;
    await put(jwks_uri, { keys: [okp.public] });
    await put(`${iss.replace(/\/$/, '')}/.well-known/openid-configuration`, { issuer: iss, jwks_uri });
    expect(await keysOf({ ...issuer, iss })).toEqual(['EdDSA okp']);
  }
});
