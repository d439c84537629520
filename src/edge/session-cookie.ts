/**
 * Sessions of browsers: a cookie that has the token (RFC 6265). Programs send it in `Authorization`, which goes first.
 *
 * A page of another site cannot use the cookie: `SameSite=Strict` keeps it from such requests, and `origin.ts` refuses those
 * that change anything.
 */
import type { Context } from 'hono';
import { parse } from 'hono/utils/cookie';

/**
 * The names of the cookie. The prefix `__Host-` (draft-ietf-httpbis-rfc6265bis, section 4.1.3.2) keeps other hosts of a
 * domain from setting it, and needs https. Over plain http, as on loopback, the cookie has the other name.
 */
const SECURE_NAME = '__Host-stateservice';
const PLAIN_NAME = 'stateservice';

/** @returns the headers of a request, with the token of its session in `Authorization` if that is absent. */
export function credentialsOf({ headers }: Request): Headers {
  const token = headers.has('Authorization') ? undefined : tokenIn(headers.get('Cookie'));
  if (token === undefined) return headers;
  const all = new Headers(headers);
  all.set('Authorization', `Bearer ${token}`);
  return all;
}

/** Whether a request has its token from a session, which its sender can end. */
export function isInSession({ headers }: Request): boolean {
  return !headers.has('Authorization') && tokenIn(headers.get('Cookie')) !== undefined;
}

function tokenIn(cookie: string | null): string | undefined {
  if (cookie === null || !cookie.includes(PLAIN_NAME)) return undefined;
  const cookies = parse(cookie);
  return cookies[SECURE_NAME] ?? cookies[PLAIN_NAME];
}

/**
 * @param until the end of the token, ms since the epoch.
 * @returns `Set-Cookie` that begins a session.
 */
export function beginSession(c: Context, token: string, until: number, now: number): string {
  return cookieOf(c, token, Math.max(0, Math.floor((until - now) / 1_000)));
}

/** @returns `Set-Cookie` that ends a session. */
export function endSession(c: Context): string {
  return cookieOf(c, '', 0);
}

/** A proxy in front may speak https with the browser, and http with this service: `Origin` has what the browser uses. */
function cookieOf(c: Context, value: string, seconds: number): string {
  const isSecure = [c.req.url, c.req.header('Origin') ?? ''].some((url) => url.startsWith('https:'));
  const attributes = `Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}`;
  return isSecure
    ? `${SECURE_NAME}=${value}; ${attributes}; Secure`
    : `${PLAIN_NAME}=${value}; ${attributes}`;
}
