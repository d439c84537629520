/** Admission: the checks of a request before its resource's right is checked (`mount.ts`). */
import type { Context } from 'hono';
import type { Grant } from '../grant.ts';
import { isOwnMark, LOOP_HEADER } from '../hook.ts';
import { checkPlacement } from '../objects/location.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { authenticate, guardOf, type Lock } from './auth.ts';
import { checkOpen, networkOf } from './cloudflare.ts';
import type { AppEnv, Env } from './env.ts';
import { checkHost } from './host.ts';
import { checkOrigin } from './origin.ts';
import { credentialsOf } from './session-cookie.ts';

/** When it is worth asking again after too many requests, in s: the shortest period of Cloudflare's rate limits. */
const RATE_RETRY = 10;

/**
 * Refuses a request, or sets the grant of its token. No object is called: the answer does not depend on any machine.
 *
 * @param needsToken false where the path is a link, which its route checks.
 */
export function admit(
  c: Context<AppEnv>,
  needsToken: boolean,
): Refusal | undefined | Promise<Refusal | undefined> {
  const guard = guardOf(c.env);
  if (!guard.ok) return guard;
  const { raw } = c.req;
  const refusal =
    checkOpen(raw, c.env) ??
    checkPlacement(c.env) ??
    checkHost(raw, c.env.ALLOWED_HOSTS) ??
    checkOrigin(raw, c.env.CORS_ORIGINS);
  if (refusal !== undefined) return refusal;
  const mark = raw.headers.get(LOOP_HEADER);
  const lock = guard.isOpen || !needsToken ? undefined : guard;
  if (mark === null && lock === undefined && c.env.RATE_LIMIT === undefined) return undefined;
  return admitSlowly(c, lock, mark);
}

/** Refuses any request, also one that needs no token, if the service is not set up or the `Host` is not its own. */
export function checkSetUp(request: Request, bindings: Env): Refusal | undefined {
  const guard = guardOf(bindings);
  if (!guard.ok) return guard;
  return (
    checkOpen(request, bindings) ?? checkPlacement(bindings) ?? checkHost(request, bindings.ALLOWED_HOSTS)
  );
}

async function admitSlowly(
  c: Context<AppEnv>,
  lock: Lock | undefined,
  mark: string | null,
): Promise<Refusal | undefined> {
  if (mark !== null && (await isOwnMark(mark, c.env))) return LOOP;
  const caller = lock && (await authenticate(lock, credentialsOf(c.req.raw)));
  const key = caller?.ok ? rateKey(caller.grant) : networkKey(c);
  const limited = await checkRate(c.env.RATE_LIMIT, key);
  if (limited !== undefined) return limited;
  if (caller === undefined) return undefined;
  if (!caller.ok) return caller;
  c.set('grant', caller.grant);
  return undefined;
}

const LOOP = refuse(
  'loop',
  'This is a message of the service itself: the address of its hook is the service.',
);

/** Two tenants may give out tokens with the same `sub`, and so may two issuers. */
function rateKey({ sub, charts, iss }: Grant): string {
  return `token:${JSON.stringify([sub, charts, iss])}`;
}

/** Refuses a request that needs no token, or has it in its body: as `admit` does, without looking for one. */
export async function admitVisitor(c: Context<AppEnv>): Promise<Refusal | undefined> {
  const { raw } = c.req;
  return (
    checkSetUp(raw, c.env) ??
    checkOrigin(raw, c.env.CORS_ORIGINS) ??
    (await checkRate(c.env.RATE_LIMIT, networkKey(c)))
  );
}

function networkKey(c: Context<AppEnv>): string {
  return `ip:${networkOf(c.req.header('CF-Connecting-IP') ?? '')}`;
}

async function checkRate(limit: RateLimit | undefined, key: string): Promise<Refusal | undefined> {
  if (limit === undefined || (await limit.limit({ key })).success) return undefined;
  const detail = 'There were too many requests; wait with wait= instead of polling.';
  return refuse('too-many-requests', detail, { retryAfter: RATE_RETRY });
}
