/** Issuers of tokens, as the Worker finds them at their addresses; `outside.ts` serves their documents. */
import { sign } from 'hono/jwt';
import { GUARDED, inSeconds } from './tokens.ts';

/** How a key is made, by its algorithm. */
const MADE = {
  RS256: {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2_048,
    publicExponent: new Uint8Array([1, 0, 1]),
  },
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  EdDSA: { name: 'Ed25519' },
} as const;

export type Algorithm = keyof typeof MADE;

/** A key pair, as JSON has it. */
export interface Key {
  readonly alg: Algorithm;
  readonly kid: string;
  readonly private: JsonWebKey;
  readonly public: Readonly<Record<string, unknown>>;
}

export async function newKey(alg: Algorithm, kid: string = crypto.randomUUID()): Promise<Key> {
  const pair = await crypto.subtle.generateKey(MADE[alg], true, ['sign', 'verify']);
  if (!('privateKey' in pair)) throw new Error('this is no pair of keys');
  const [own, shown] = await Promise.all(
    [pair.privateKey, pair.publicKey].map((key) => crypto.subtle.exportKey('jwk', key)),
  );
  if (!isJwk(own) || !isJwk(shown)) throw new Error('this is no JWK');
  const { key_ops: _, ext: __, ...fields } = shown;
  return { alg, kid, private: own, public: { ...fields, kid, alg, use: 'sig' } };
}

function isJwk(key: ArrayBuffer | JsonWebKey | undefined): key is JsonWebKey {
  return key !== undefined && !(key instanceof ArrayBuffer);
}

export interface Issuer {
  readonly iss: string;
  readonly key: Key;
  /** An entry of the variable `OIDC` for its tokens. */
  readonly entry: OidcEntry;
  /** The service with this entry. */
  readonly bindings: typeof GUARDED;
  /** A token of it: valid, except for the given claims, and signed with its key, except for another. */
  token(claims?: Readonly<Record<string, unknown>>, key?: Key): Promise<string>;
  publish(...keys: readonly Key[]): Promise<void>;
  /** How often its discovery and its keys were fetched, since they were published. */
  fetched(): Promise<{ readonly discovery: number; readonly keys: number }>;
}

export interface OidcEntry {
  readonly iss: string;
  readonly aud: string | readonly string[];
  readonly if: string;
  readonly by?: string;
  readonly charts: readonly string[];
  readonly can: readonly string[];
}

/** Makes an issuer that no other test has. @param changes of its entry. */
export async function newIssuer(changes: Partial<OidcEntry> = {}, alg: Algorithm = 'ES256'): Promise<Issuer> {
  const iss = `https://${crypto.randomUUID()}.test`;
  const key = await newKey(alg);
  const discovery = `${iss}/.well-known/openid-configuration`;
  const jwks = `${iss}/jwks`;
  await put(discovery, { issuer: iss, jwks_uri: jwks });
  const publish = (...keys: readonly Key[]) => put(jwks, { keys: keys.map((one) => one.public) });
  await publish(key);
  const entry: OidcEntry = {
    iss,
    aud: 'stateservice',
    if: 'true',
    charts: ['*'],
    can: ['read', 'update', 'operate', 'admin'],
    ...changes,
  };
  return {
    iss,
    key,
    entry,
    bindings: { ...GUARDED, OIDC: JSON.stringify([entry]) },
    publish,
    token: (claims = {}, signer = key) =>
      signed({ iss, aud: 'stateservice', sub: 'tester', exp: inSeconds(600), ...claims }, signer),
    fetched: async () => ({ discovery: await countOf(discovery), keys: await countOf(jwks) }),
  };
}

export async function put(address: string, document: object | string): Promise<void> {
  const body = typeof document === 'string' ? document : JSON.stringify(document);
  const { status } = await fetch(address, { method: 'PUT', body });
  if (status !== 200) throw new Error(`${address} was answered ${status}`);
}

async function countOf(address: string): Promise<number> {
  return Number(await (await fetch(address, { headers: { Count: 'yes' } })).text());
}

/** Claims that are undefined are left out. */
function signed(claims: object, { private: jwk, alg, kid }: Key): Promise<string> {
  return sign(JSON.parse(JSON.stringify(claims)), { ...jwk, alg, kid } as JsonWebKey & { kid: string }, alg);
}
