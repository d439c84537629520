/** Fetches the keys of an issuer: OpenID Connect Discovery 1.0, section 4, and JWK Sets (RFC 7517). */
import * as z from 'zod/mini';
import { ISSUER_BYTES, ISSUER_KEYS, ISSUER_WAIT } from '../../request-limits.ts';
import { isLocal, isSafeAddress, type KeySource } from './config.ts';

/** The algorithms that are accepted. A key has one of them, whatever a token says. */
export const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const;

export type Algorithm = (typeof ALGORITHMS)[number];

/** The keys of an issuer by algorithm and `kid`: see `keyName`. */
export type Keys = ReadonlyMap<string, CryptoKey>;

export type Fetched =
  | { readonly ok: true; readonly keys: Keys }
  /** What went wrong, for the log. */
  | { readonly ok: false; readonly why: string };

export function keyName(alg: Algorithm, kid: string): string {
  return `${alg} ${kid}`;
}

/**
 * Fetches the keys of an issuer, all in all within `ISSUER_WAIT`.
 *
 * @returns keys that signatures can be verified with, at least one.
 */
export async function fetchKeys(source: KeySource): Promise<Fetched> {
  const signal = AbortSignal.timeout(ISSUER_WAIT);
  try {
    const address = source.jwks ?? (await discover(source.iss, signal));
    const { keys } = JwksShape.parse(await fetchJson(address, signal));
    const usable = new Map<string, CryptoKey>();
    for (const jwk of keys.slice(0, ISSUER_KEYS)) {
      const found = await importJwk(jwk);
      if (found !== undefined && !usable.has(found.name)) usable.set(found.name, found.key);
    }
    if (usable.size === 0) return { ok: false, why: `${address} has no key for ${ALGORITHMS.join(', ')}` };
    return { ok: true, keys: usable };
  } catch (error) {
    return { ok: false, why: String(error).slice(0, WHY_LENGTH) };
  }
}

/** Characters of the log for one failure. */
const WHY_LENGTH = 500;

/** @returns the address of the JWKS. @throws if the issuer does not tell it. */
async function discover(iss: string, signal: AbortSignal): Promise<string> {
  const address = `${iss.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const { issuer, jwks_uri } = DiscoveryShape.parse(await fetchJson(address, signal));
  // Section 4.3: to the letter.
  if (issuer !== iss) throw new Error(`${address} is of another issuer: ${JSON.stringify(issuer)}`);
  if (!isSafeAddress(jwks_uri) || (isLocal(jwks_uri) && !isLocal(iss))) {
    throw new Error(`${address} has a jwks_uri that is not https://`);
  }
  return jwks_uri;
}

const DiscoveryShape = z.object(
  {
    issuer: z.string('expected string').check(z.maxLength(2_048, 'expected at most 2,048 characters')),
    jwks_uri: z.string('expected string'),
  },
  'expected object',
);

const JwksShape = z.object({ keys: z.array(z.unknown(), 'expected array') }, 'expected object');

/** @throws if the answer is no JSON, is too large, or does not come in time. A redirect is no answer. */
async function fetchJson(address: string, signal: AbortSignal): Promise<unknown> {
  const headers = { Accept: 'application/json' };
  const response = await fetch(address, { headers, redirect: 'manual', signal });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new Error(`${address} was answered with ${response.status}`);
  }
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (bytes > ISSUER_BYTES) throw new Error(`${address} has more than ${ISSUER_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return JSON.parse(text + decoder.decode());
}

const base = { kid: z.string().check(z.minLength(1)), use: z.optional(z.literal('sig')) };

/** Public keys that the algorithms can use; other fields, also private ones, are left out. RFC 7518, sections 3.3 and 6. */
const JwkShape = z.union([
  z.object({
    ...base,
    kty: z.literal('RSA'),
    alg: z._default(z.literal('RS256'), 'RS256'),
    // 2,048 to 8,192 bits.
    n: z.string().check(z.minLength(342), z.maxLength(1_366)),
    e: z.string(),
  }),
  z.object({
    ...base,
    kty: z.literal('EC'),
    alg: z._default(z.literal('ES256'), 'ES256'),
    crv: z.literal('P-256'),
    x: z.string(),
    y: z.string(),
  }),
  z.object({
    ...base,
    kty: z.literal('OKP'),
    alg: z._default(z.literal('EdDSA'), 'EdDSA'),
    crv: z.literal('Ed25519'),
    x: z.string(),
  }),
]);

const IMPORTED_AS = {
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  EdDSA: { name: 'Ed25519' },
} as const;

/** @returns undefined for a key that cannot be used: an issuer may have others. */
async function importJwk(
  jwk: unknown,
): Promise<{ readonly name: string; readonly key: CryptoKey } | undefined> {
  const { success, data } = JwkShape.safeParse(jwk);
  if (!success) return undefined;
  const { kid, use: _, alg, ...material } = data;
  try {
    const key = await crypto.subtle.importKey('jwk', material, IMPORTED_AS[alg], false, ['verify']);
    return { name: keyName(alg, kid), key };
  } catch {
    return undefined;
  }
}
