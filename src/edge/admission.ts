/** Whether a request may come in at all. What it may do then, each resource's rule says: `routes/resource.ts`. */
import type { Context } from 'hono';
import { RATE_RETRY } from '../limits.ts';
import { checkPlacement } from '../objects/placement.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { authenticate, guardOf } from './auth.ts';
import type { AppEnv, Env } from './env.ts';
import { checkHost } from './host.ts';
import { checkOrigin } from './origin.ts';

/** Lets a request in, or says why not. Nothing is asked of any object: the answer is the same whatever there is. */
export function admit(c: Context<AppEnv>): Refusal | undefined | Promise<Refusal | undefined> {
  const guard = guardOf(c.env);
  if (!guard.ok) return guard;
  const { raw } = c.req;
  const refusal =
    checkPlacement(c.env) ?? checkHost(raw, c.env.ALLOWED_HOSTS) ?? checkOrigin(raw, c.env.CORS_ORIGINS);
  if (refusal !== undefined) return refusal;
  if (guard.isOpen && c.env.RATE_LIMIT === undefined) return undefined;
  return admitSlowly(c, guard.isOpen ? undefined : guard.secrets);
}

/** Refuses what no request may be, also one that needs no token: of a service that is not set up, or under another name. */
export function checkSetUp(request: Request, bindings: Env): Refusal | undefined {
  const guard = guardOf(bindings);
  if (!guard.ok) return guard;
  return checkPlacement(bindings) ?? checkHost(request, bindings.ALLOWED_HOSTS);
}

async function admitSlowly(
  c: Context<AppEnv>,
  secrets: readonly string[] | undefined,
): Promise<Refusal | undefined> {
  const caller = secrets && (await authenticate(secrets, c.req.header('Authorization')));
  // A name is no tenant's own: two may give it out.
  const { sub, charts } = caller?.ok ? caller.grant : { sub: '', charts: [] };
  const key = caller?.ok
    ? `token:${JSON.stringify([sub, charts])}`
    : `ip:${c.req.header('CF-Connecting-IP') ?? ''}`;
  const limited = await checkRate(c.env.RATE_LIMIT, key);
  if (limited !== undefined) return limited;
  if (caller === undefined) return undefined;
  if (!caller.ok) return caller;
  c.set('grant', caller.grant);
  return undefined;
}

async function checkRate(limit: RateLimit | undefined, key: string): Promise<Refusal | undefined> {
  if (limit === undefined || (await limit.limit({ key })).success) return undefined;
  return refuse(
    'too-many-requests',
    'There were too many requests; ask with wait= instead of again and again.',
    {
      retryAfter: RATE_RETRY,
    },
  );
}
