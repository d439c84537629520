/** Tokens, sets of keys and configurations of every disorder: each is refused, and nothing is thrown. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { oidcOf } from '../../../src/edge/oidc/config.ts';
import { fetchKeys } from '../../../src/edge/oidc/documents.ts';
import { isIssued, verifyIssued } from '../../../src/edge/oidc/verify.ts';
import { KEYS_PAUSE } from '../../../src/request-limits.ts';
import { FUZZ } from '../../fuzz.ts';
import { newIssuer, put } from '../../issuers.ts';
import { inSeconds, sendWith } from '../../tokens.ts';

const options = { numRuns: FUZZ.runs, seed: FUZZ.seed };
/** For what takes longer. */
const fewer = { ...options, numRuns: Math.ceil(FUZZ.runs / 10) };
const issuer = await newIssuer({ by: 'claims.sub' }, 'RS256');
const oidc = oidcOf([issuer.entry]);
if (!oidc.ok) throw new Error(oidc.detail);

/** A value that belongs there, or any JSON. */
const or = (...values: readonly unknown[]) =>
  fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...values) }, fc.jsonValue());

const header = fc.record(
  {
    alg: or('RS256', 'ES256', 'EdDSA', 'HS256', 'none', 'PS256'),
    kid: or(issuer.key.kid, 'unknown', ''),
    typ: or('JWT', 'at+jwt', 'dpop+jwt'),
    crit: or(['exp']),
    jwk: or(issuer.key.public),
  },
  { requiredKeys: [] },
);
const claims = fc.record(
  {
    iss: or(issuer.iss),
    aud: or('stateservice', ['stateservice']),
    sub: or('tester', '__proto__', ''),
    exp: or(inSeconds(3_600), 0, 1e300),
    nbf: or(0, 1e300),
    iat: or(0),
  },
  { requiredKeys: [] },
);
const signature = fc.oneof(fc.constant(''), fc.base64String({ maxLength: 400 }), fc.string());
const token = fc.oneof(
  fc
    .tuple(header, claims, signature)
    .map(([h, c, s]) => `${encoded(h)}.${encoded(c)}.${s.replaceAll('/', '_').replaceAll('+', '-')}`),
  fc.string(),
  fc.array(fc.string(), { minLength: 3, maxLength: 3 }).map((parts) => parts.join('.')),
);

describe('a token of any form', () => {
  it('is refused if no issuer has signed it', async () => {
    const began = Date.now();
    await fc.assert(
      fc.asyncProperty(token, async (text) => {
        if (!isIssued(text)) return;
        const verdict = await verifyIssued(oidc, text);
        expect(verdict).toMatchObject({ ok: false, code: 'no-token' });
      }),
      options,
    );
    // Once a minute at most.
    expect((await issuer.fetched()).keys).toBeLessThanOrEqual(1 + (Date.now() - began) / KEYS_PAUSE);
  });

  it('with any claims that its issuer has signed causes no fault', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), async (more, sub) => {
        const Authorization = `Bearer ${await issuer.token({ ...more, ...(sub === null ? {} : { sub }) })}`;
        const { status } = await sendWith(issuer.bindings, 'GET', '/acme', { headers: { Authorization } });
        expect([200, 401, 403]).toContain(status);
      }),
      fewer,
    );
  });
});

it('a set of keys of any form gives keys, or a reason', async () => {
  const jwks = `https://${crypto.randomUUID()}.test/jwks`;
  const key = fc.record(
    {
      kty: or('RSA', 'EC', 'OKP', 'oct'),
      kid: or('a'),
      alg: or('RS256', 'ES256', 'EdDSA'),
      crv: or('P-256', 'Ed25519'),
      n: or(issuer.key.public.n),
      e: or('AQAB', ''),
      x: or(issuer.key.public.n),
      y: or(''),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.record({ keys: fc.array(key) }), fc.jsonValue()), async (document) => {
      await put(jwks, JSON.stringify(document) ?? 'null');
      const fetched = await fetchKeys({ iss: issuer.iss, jwks });
      expect(fetched.ok ? fetched.keys.size : fetched.why.length).toBeGreaterThan(0);
    }),
    fewer,
  );
});

it('a configuration of any form is read, or its faults are listed', () => {
  const entry = fc.record(
    {
      iss: or('https://id.example.com', 'http://localhost'),
      aud: or('a', ['a', 'b']),
      if: or('true', true, 'claims.a == "b"', 'claims.'),
      by: or('claims.sub', '"x"'),
      charts: or(['acme/*'], []),
      can: or(['read'], ['read', 'root']),
      jwks: or('https://keys.example.com', 'x'),
      iff: or('true'),
    },
    { requiredKeys: ['iss', 'if'] },
  );
  const value = fc.oneof(
    fc.array(fc.oneof(entry, fc.jsonValue())).map((list) => JSON.stringify(list)),
    fc.array(entry),
    fc.string(),
    fc.json(),
  );
  fc.assert(
    fc.property(value, (written) => {
      const read = oidcOf(written);
      if (!read.ok) expect(read.errors?.length).toBeGreaterThan(0);
    }),
    fewer,
  );
});

function encoded(part: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify(part));
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
