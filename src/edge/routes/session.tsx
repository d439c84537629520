import type { Context } from 'hono';
import * as z from 'zod/mini';
import { type Refusal, refuse, statusOf } from '../../refusal.ts';
import { SESSION_TOKEN_LENGTH, SIGN_IN_BYTES } from '../../request-limits.ts';
import { SignInPage, SignOutPage } from '../../view/sign-in.tsx';
import { authenticate, guardOf, type Lock } from '../auth.ts';
import { readText } from '../body.ts';
import type { Parameter } from '../contract/contract.ts';
import type { AppEnv } from '../env.ts';
import { queryOf } from '../query.ts';
import type { ServiceResource } from '../resource.ts';
import { page, problem, respond } from '../responses.ts';
import { beginSession, credentialsOf, endSession } from '../session-cookie.ts';

/** Where to go after signing in. */
const TO = {
  name: 'to',
  in: 'query',
  says: 'The path to go to afterwards.',
  shape: z.string(),
  read: (c: Context<AppEnv>) => ({ ok: true as const, value: pathIn(c, queryOf(c).to) }),
} satisfies Parameter<string>;

/** Signing in: a form for the token, which a cookie then keeps. */
export const signIn: ServiceResource = {
  path: '/signin',
  contract: {
    id: 'signInForm',
    summary: 'The form for a token.',
    parameters: [TO],
    answers: { 200: { says: 'HTML.', content: { 'text/html': 'text' }, headers: ['Vary'] } },
  },
  answer: (c) => page(String(<SignInPage to={TO.read(c).value} />)),
  post: {
    contract: {
      id: 'signIn',
      summary: 'Checks the token of the form, and keeps it in a cookie until it expires.',
      body: {
        'application/x-www-form-urlencoded': z.object({ token: z.string(), to: z.optional(z.string()) }),
      },
      answers: { 303: { says: 'The session has begun.', headers: ['Location', 'Set-Cookie'] } },
      refusals: [
        'too-large',
        'too-slow',
        'no-token',
        'forbidden',
        'issuer-unavailable',
        'cross-site',
        'too-many-requests',
      ],
    },
    async answer(c) {
      const body = await readText(c, SIGN_IN_BYTES);
      if (!body.ok) return problem(body);
      const form = new URLSearchParams(body.value);
      const to = pathIn(c, form.get('to') ?? undefined);
      const guard = guardOf(c.env);
      if (!guard.ok) return problem(guard);
      if (guard.isOpen) return respond(null, 303, { Location: to });
      const token = (form.get('token') ?? '').trim().replace(/^Bearer +/i, '');
      const caller = await callerOf(guard, token);
      if (!caller.ok) return signInAgain(caller, to);
      const cookie = beginSession(c, token, caller.grant.until, Date.now());
      return respond(null, 303, { Location: to, 'Set-Cookie': cookie });
    },
  },
};

/** Signing out: the cookie is removed. The token itself is valid until it expires. */
export const signOut: ServiceResource = {
  path: '/signout',
  contract: {
    id: 'signOutForm',
    summary: 'Who is signed in, and the button to sign out.',
    answers: { 200: { says: 'HTML.', content: { 'text/html': 'text' }, headers: ['Vary'] } },
  },
  async answer(c) {
    const guard = guardOf(c.env);
    const caller =
      guard.ok && !guard.isOpen ? await authenticate(guard, credentialsOf(c.req.raw)) : undefined;
    return page(String(<SignOutPage sub={caller?.ok ? caller.grant.sub : undefined} />));
  },
  post: {
    contract: {
      id: 'signOut',
      summary: 'Ends the session of a browser.',
      answers: { 303: { says: 'The cookie is removed.', headers: ['Location', 'Set-Cookie'] } },
      refusals: ['cross-site', 'too-many-requests'],
    },
    answer: (c) => respond(null, 303, { Location: '/signin', 'Set-Cookie': endSession(c) }),
  },
};

async function callerOf(lock: Lock, token: string) {
  if (token.length > SESSION_TOKEN_LENGTH) {
    return refuse('no-token', `A cookie holds a token of at most ${SESSION_TOKEN_LENGTH} characters.`);
  }
  return authenticate(lock, new Headers({ Authorization: `Bearer ${token}` }));
}

/** Shows the form again, with the reason. */
function signInAgain(refusal: Refusal, to: string): Response {
  const { retryAfter, code, detail } = refusal;
  const later = retryAfter === undefined ? undefined : { 'Retry-After': String(retryAfter) };
  const { body, headers } = page(String(<SignInPage to={to} why={detail} />), later);
  return new Response(body, { status: statusOf(code), headers });
}

/** @returns a path of this service, with its query: `to` itself if it is one, else the root. */
function pathIn(c: Context, to = '/'): string {
  const { origin } = new URL(c.req.url);
  if (!to.startsWith('/') || !URL.canParse(to, origin)) return '/';
  const url = new URL(to, origin);
  // Of `/.//host`, `//host` is left, which a browser takes for a URL of that host.
  const isPath = url.origin === origin && !/^\/[/\\]/.test(url.pathname);
  return isPath ? `${url.pathname}${url.search}` : '/';
}
