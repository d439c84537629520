/** Verifies tokens of other issuers: JSON Web Tokens (RFC 7519) that are signed with a key of theirs. */
import { decode, verify } from 'hono/utils/jwt/jwt';
import * as z from 'zod/mini';
import type { Grant } from '../../grant.ts';
import { checkCaller } from '../../inputs.ts';
import { type Refusal, refuse } from '../../refusal.ts';
import { CALLER_LENGTH, ISSUER_SKEW } from '../../request-limits.ts';
import type { ClaimSet } from './condition.ts';
import type { Entry, Oidc } from './config.ts';
import { ALGORITHMS } from './documents.ts';
import { keysOf } from './keys.ts';

/** Whether a token is to be verified with the key of an issuer: the service's own tokens are signed with HS256. */
export function isIssued(token: string): boolean {
  try {
    return decode(token).header.alg !== 'HS256';
  } catch {
    return false;
  }
}

/**
 * Verifies a token, and finds what it allows. All that can be refused without a key is refused before one is fetched.
 *
 * @returns 401 for a token that is not valid, 403 for a valid one that no entry is for, 503 if its issuer does not answer.
 */
export async function verifyIssued(
  { entries }: Oidc,
  token: string,
): Promise<{ readonly ok: true; readonly grant: Grant } | Refusal> {
  const { success, data } = TokenShape.safeParse(decode(token));
  if (!success) return refuse('no-token', UNREADABLE);
  const { header, payload } = data;
  const candidates = entries.filter(
    ({ source, aud }) => source.iss === payload.iss && aud.some(isIn(payload.aud)),
  );
  const [first] = candidates;
  if (first === undefined)
    return refuse('no-token', 'The `iss` and the `aud` of the token are in no entry of OIDC.');
  const untimely = checkTime(payload);
  if (untimely !== undefined) return untimely;
  const found = await keysOf(first.source).find(header.alg, header.kid);
  if (!found.ok) return found;
  try {
    // The key decides on the algorithm. hono checks the times to the second, and `typ` only if it is said which.
    const options = { alg: header.alg, exp: false, nbf: false, iat: false };
    await verify(token, found.key, header.typ === undefined ? options : { ...options, typ: TYPES });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return refuse('no-token', 'The signature of the token is not that of its issuer.');
  }
  return grantOf(candidates, payload);
}

/** What a token must have before its key is looked for. Times are in s since the epoch. */
const TokenShape = z.object({
  header: z.object({
    alg: z.enum(ALGORITHMS),
    kid: z.string().check(z.minLength(1), z.maxLength(1_024)),
    typ: z.optional(z.string()),
  }),
  payload: z.looseObject({
    iss: z.string(),
    aud: z.union([z.string(), z.array(z.string())]),
    sub: z.optional(z.string()),
    exp: z.number(),
    nbf: z.optional(z.number()),
    iat: z.optional(z.number()),
  }),
});

type Payload = z.infer<typeof TokenShape>['payload'];

const UNREADABLE = `A token of an issuer has \`kid\`, \`iss\`, \`aud\` and \`exp\`, and is signed with ${ALGORITHMS.join(', ')}.`;

/** RFC 7519, section 5.1, and RFC 9068, section 2.1: access tokens. */
const TYPES = ['JWT', 'at+jwt'];

/** RFC 7519, section 4.1.3: `aud` is a text, or a list. */
function isIn(aud: Payload['aud']) {
  return (own: string) => (typeof aud === 'string' ? aud === own : aud.includes(own));
}

/** An issuer's clock may be ahead by `ISSUER_SKEW`. A token that has expired is not valid, to the second. */
function checkTime({ exp, nbf = 0, iat = 0 }: Payload): Refusal | undefined {
  const now = Date.now() / 1_000;
  if (exp <= now) return refuse('no-token', 'The token has expired.');
  return Math.max(nbf, iat) > now + ISSUER_SKEW
    ? refuse('no-token', 'The token is not valid yet.')
    : undefined;
}

/** The first entry whose condition is true decides. */
function grantOf(
  candidates: readonly Entry[],
  payload: Payload,
): { readonly ok: true; readonly grant: Grant } | Refusal {
  const claims: ClaimSet = payload;
  const entry = candidates.find(({ holds }) => holds(claims));
  if (entry === undefined)
    return refuse('forbidden', 'No entry of OIDC has an `if` that is true of the token.');
  const { nameIn, charts, can, source } = entry;
  const by = nameIn?.(claims);
  if (nameIn !== undefined) {
    const wrong = by === undefined ? undefined : checkCaller(by);
    if (by === undefined || wrong !== undefined) {
      const why = wrong?.detail ?? 'The expression gives no text.';
      return refuse('forbidden', `The \`by\` of the entry of OIDC gives no name for this token. ${why}`);
    }
  }
  // The service tokens of Cloudflare Access have an empty one.
  const sub = payload.sub || by;
  if (sub === undefined) {
    return refuse(
      'forbidden',
      'The token has no `sub`, and its entry of OIDC has no `by` that names its bearer.',
    );
  }
  const fixed = by === undefined ? {} : { by };
  return {
    ok: true,
    grant: { sub: shortened(sub), iss: source.iss, charts, can, ...fixed, until: payload.exp * 1_000 },
  };
}

/** It is for the history and the log alone, so a long one is not refused. */
function shortened(sub: string): string {
  const text = sub.toWellFormed();
  return text.length <= CALLER_LENGTH ? text : `${text.slice(0, CALLER_LENGTH - 1).toWellFormed()}…`;
}
