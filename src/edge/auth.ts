/** Authentication: JSON Web Tokens (RFC 7519), the service's own, signed with HS256, and those of issuers (`oidc/`). */
import { verify } from 'hono/utils/jwt/jwt';
import * as z from 'zod/mini';
import { type Grant, importTokenKey, RIGHTS } from '../grant.ts';
import { CallerShape } from '../inputs.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { CALLER_LENGTH, ISSUED_TOKEN_LENGTH, SECRET_BYTES, TOKEN_LENGTH } from '../request-limits.ts';
import type { AuthBindings } from './env.ts';
import { type Oidc, oidcOf } from './oidc/config.ts';
import { isIssued, verifyIssued } from './oidc/verify.ts';

export type Guard = { readonly ok: true; readonly isOpen: true } | Lock;

/** What tokens are verified with. */
export interface Lock {
  readonly ok: true;
  readonly isOpen: false;
  /** The keys that the service's own tokens may be signed with. */
  readonly secrets: readonly string[];
  readonly oidc: Oidc;
}

/** Reads how requests are authenticated. Fails closed: a configuration that is not clear is refused. */
export function guardOf({ AUTH, TOKEN_SECRET, TOKEN_SECRET_PREVIOUS, OIDC }: AuthBindings): Guard | Refusal {
  if (AUTH === 'open') return OPEN;
  if (AUTH !== undefined && AUTH !== 'token') {
    return refuse('not-set-up', 'The variable AUTH must be `token` or `open`.');
  }
  if (!TOKEN_SECRET) return refuse('not-set-up', NO_SECRET);
  const secrets = [TOKEN_SECRET, ...(TOKEN_SECRET_PREVIOUS ? [TOKEN_SECRET_PREVIOUS] : [])];
  if (secrets.some((secret) => encoder.encode(secret).length < SECRET_BYTES)) {
    return refuse(
      'not-set-up',
      `A secret for tokens must have at least ${SECRET_BYTES} bytes (RFC 7518, section 3.2).`,
    );
  }
  const oidc = oidcOf(OIDC);
  return oidc.ok ? { ok: true, isOpen: false, secrets, oidc } : oidc;
}

/** The header in which Cloudflare Access sends its token with each request that it lets through. */
export const ACCESS_HEADER = 'Cf-Access-Jwt-Assertion';

/**
 * Reads the token of a request: `Authorization: Bearer TOKEN`, or the password of `Basic`. Without that header, it is the
 * token of Cloudflare Access, if the service accepts tokens of issuers.
 */
export async function authenticate(
  { secrets, oidc }: Lock,
  headers: Headers,
): Promise<{ readonly ok: true; readonly grant: Grant } | Refusal> {
  const hasIssuers = oidc.entries.length > 0;
  const authorization = headers.get('Authorization');
  const assertion = hasIssuers && authorization === null ? headers.get(ACCESS_HEADER) : null;
  if (authorization === null && assertion === null) return refuse('no-token', NO_TOKEN);
  const token = assertion ?? tokenIn(authorization ?? '');
  if (
    token === undefined ||
    token === '' ||
    token.length > (hasIssuers ? ISSUED_TOKEN_LENGTH : TOKEN_LENGTH)
  ) {
    const name = assertion === null ? 'Authorization' : ACCESS_HEADER;
    return refuse('no-token', `The header ${name} has no token. ${NO_TOKEN}`);
  }
  if (hasIssuers && isIssued(token)) return verifyIssued(oidc, token);
  return verifyOwn(secrets, token);
}

/** Verifies a token of this service. @param secrets the keys that it may be signed with. */
async function verifyOwn(
  secrets: readonly string[],
  token: string,
): Promise<{ readonly ok: true; readonly grant: Grant } | Refusal> {
  if (token.length > TOKEN_LENGTH) return refuse('no-token', INVALID);
  let why = INVALID;
  for (const secret of secrets) {
    try {
      // The token does not choose the algorithm. The platform compares the HMAC in constant time.
      const claims = await verify(token, await keyOf(secret), { alg: 'HS256', iat: false });
      const { success, data, error } = Claims.safeParse(claims);
      if (!success)
        return refuse(
          'no-token',
          error.issues[0]?.path[0] === 'by' ? WRONG_NAME : 'The token lacks one of sub, charts, can and exp.',
        );
      const { sub, charts, can, by, exp } = data;
      const name = by === undefined ? {} : { by };
      return { ok: true, grant: { sub, charts, can, ...name, until: exp * 1_000 } };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      why = REASONS.get(error.name) ?? why;
    }
  }
  return refuse('no-token', why);
}

/** The claims of a token (RFC 7519). */
const Claims = z.object({
  sub: z.string().check(z.minLength(1), z.maxLength(CALLER_LENGTH)),
  charts: z.array(z.string()).check(z.minLength(1)),
  can: z.array(z.enum(RIGHTS)).check(z.minLength(1)),
  by: z.optional(CallerShape),
  /** s since the epoch */
  exp: z.number(),
});

const OPEN: Guard = { ok: true, isOpen: true };

const NO_SECRET =
  'This service requires tokens and has no secret to verify them with. Make one (openssl rand -base64 32) and set it: npx wrangler secret put TOKEN_SECRET. On a private network, set the variable AUTH to `open` instead.';

const NO_TOKEN = 'Send a token: -H "Authorization: Bearer $TOKEN", or -u "me:$TOKEN".';

const WRONG_NAME = 'The `by` of the token is no name of a caller.';

const INVALID = 'The token is not one of ours.';

/** The details for hono's errors about the claims of a token. */
const REASONS = new Map([
  ['JwtTokenExpired', 'The token has expired.'],
  ['JwtTokenNotBefore', 'The token is not valid yet.'],
]);

/** RFC 6750, section 2.1, and RFC 7617. */
function tokenIn(authorization: string): string | undefined {
  const [, scheme, credentials = ''] = /^(Bearer|Basic) +(\S+) *$/i.exec(authorization) ?? [];
  return scheme?.toLowerCase() === 'basic' ? passwordIn(credentials) : credentials;
}

function passwordIn(credentials: string): string | undefined {
  try {
    const text = atob(credentials);
    const colon = text.indexOf(':');
    return colon === -1 ? undefined : text.slice(colon + 1);
  } catch {
    return undefined;
  }
}

/** Imported keys: an import takes as long as a verification. No promises are kept: each belongs to one request. */
const keys = new Map<string, CryptoKey>();

async function keyOf(secret: string): Promise<CryptoKey> {
  const known = keys.get(secret);
  if (known !== undefined) return known;
  const key = await importTokenKey(secret, 'verify');
  keys.set(secret, key);
  return key;
}

const encoder = new TextEncoder();
