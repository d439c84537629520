/**
 * Links: a report that is signed, as the last segment of a path. `BODY.MAC`, both base64url: JSON, and its HMAC (SHA-256)
 * under a key that is derived from the secret of the tokens. So a link is no token, and a token is no link.
 */
import { decodeBase64Url, encodeBase64Url } from 'hono/utils/encode';
import * as z from 'zod/mini';
import type { LinkedReport } from '../commands.ts';
import { CallerShape, EventShape, StateShape } from '../inputs.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { LINK_LENGTH } from '../request-limits.ts';
import type { AuthBindings } from './env.ts';
import type { RemoteMachine } from './remote-machine.ts';

/** What a link says. */
export interface Link extends Omit<LinkedReport, 'type'> {
  /** The address of the machine. */
  readonly machine: string;
  /** Until when it may be used, ms since the epoch. */
  readonly until: number;
}

/** What a link is made for. */
export interface Wanted extends Pick<Link, 'state' | 'event' | 'by' | 'sub'> {
  /** How long it may be used, ms. */
  readonly ttl: number;
}

/** A link that was made. */
export interface Made {
  readonly ok: true;
  readonly link: Link;
  readonly path: string;
  readonly revision: number;
}

/** Makes a link for the present visit of a state, and for a report that the machine would take now. Nothing is stored. */
export async function makeLink(
  bindings: AuthBindings,
  machine: RemoteMachine,
  { ttl, ...wanted }: Wanted,
): Promise<Made | Refusal> {
  const { state, event, by } = wanted;
  const answer = await machine.read({ type: 'link', state, event, by });
  if (!answer.ok) return answer;
  const { visit, revision } = answer;
  const until = Date.now() + ttl;
  // The state's own name stays right if another state gets the same key.
  const link = { ...wanted, machine: machine.name, state: answer.state, visit, until };
  const signed = await sign(bindings, link);
  if (signed.length > LINK_LENGTH) return refuse('wrong-parameter', TOO_LONG);
  const base = machine.address.tenant === undefined ? '' : `/${machine.name}`;
  return { ok: true, link, path: `${base}/links/${signed}`, revision };
}

const TOO_LONG = `With these names, the link would have more than ${LINK_LENGTH} characters: name the state by a short \`id\`.`;

/** Signs a link with the present secret. @returns the last segment of its path. */
export async function sign(bindings: AuthBindings, link: Link): Promise<string> {
  const [secret = NO_SECRET] = secretsIn(bindings);
  const body = encode(encoder.encode(JSON.stringify(link)).buffer);
  const mac = await crypto.subtle.sign('HMAC', await keyOf(secret), encoder.encode(body));
  return `${body}.${encode(mac)}`;
}

/** Reads a link to a machine. @param text the last segment of the path. */
export async function readLink(
  bindings: AuthBindings,
  machine: string,
  text: string,
  now: number,
): Promise<{ readonly ok: true; readonly link: Link } | Refusal> {
  const link = await verify(secretsIn(bindings), text);
  if (link?.machine !== machine) return refuse('no-such-link', NO_SUCH_LINK);
  if (link.until > now) return { ok: true, link };
  const detail = `It could be used until ${new Date(link.until).toISOString()}. Ask for a new one.`;
  return refuse('link-expired', detail);
}

const NO_SUCH_LINK =
  'The address is not complete, or it was not made by this service, or its secret was changed since. Copy all of it, or ask for a new link.';

async function verify(secrets: readonly string[], text: string): Promise<Link | undefined> {
  const [, body = '', mac = ''] = LINK.exec(text) ?? [];
  if (body === '' || text.length > LINK_LENGTH) return undefined;
  const given = decodeBase64Url(mac);
  // Four texts of 43 characters stand for one MAC: only the one that was sent is right.
  if (encode(given.buffer) !== mac) return undefined;
  for (const secret of secrets) {
    // The platform compares the HMAC in constant time.
    const isOurs = await crypto.subtle.verify('HMAC', await keyOf(secret), given, encoder.encode(body));
    if (isOurs) return LinkShape.safeParse(JSON.parse(decoder.decode(decodeBase64Url(body)))).data;
  }
  return undefined;
}

/** A MAC of 32 bytes has 43 characters. */
const LINK = /^([\w-]+)\.([\w-]{43})$/;

const LinkShape = z.object({
  machine: z.string(),
  state: StateShape,
  event: EventShape,
  by: CallerShape,
  visit: z.object({ started: z.int(), number: z.int(), since: z.int() }),
  sub: z.exactOptional(z.string()),
  until: z.int(),
});

/** The secrets that a link may be signed with; the first is the present one. */
function secretsIn({ TOKEN_SECRET, TOKEN_SECRET_PREVIOUS }: AuthBindings): readonly string[] {
  if (!TOKEN_SECRET) return [NO_SECRET];
  return [TOKEN_SECRET, ...(TOKEN_SECRET_PREVIOUS ? [TOKEN_SECRET_PREVIOUS] : [])];
}

/**
 * Stands for the secret of an open service that has none: there, every caller may send what a link could. A service
 * that asks for tokens has a secret, or answers nothing.
 */
const NO_SECRET = 'open';

/** Derived keys. No promises are kept: each belongs to one request. */
const keys = new Map<string, CryptoKey>();

/** Derives the key of links from a secret: HKDF (RFC 5869). */
async function keyOf(secret: string): Promise<CryptoKey> {
  const known = keys.get(secret);
  if (known !== undefined) return known;
  const source = await crypto.subtle.importKey('raw', encoder.encode(secret), 'HKDF', false, ['deriveKey']);
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: PURPOSE };
  const hmac = { name: 'HMAC', hash: 'SHA-256', length: 256 };
  const key = await crypto.subtle.deriveKey(derivation, source, hmac, false, ['sign', 'verify']);
  keys.set(secret, key);
  return key;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const PURPOSE = encoder.encode('stateservice: links');

function encode(bytes: ArrayBufferLike): string {
  return encodeBase64Url(bytes).replace(/=+$/, '');
}
