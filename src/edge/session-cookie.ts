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
 * domain from setting it, and needs https. Over plain http, as on loopback, the cookie has the other name. Over https that
 * name is not read: another host could set it, and a user would act under the token of that host.
 */
const SECURE_NAME = '__Host-stateservice';
const PLAIN_NAME = 'stateservice';

/** @returns the headers of a request, with the token of its session in `Authorization` if that is absent. */
export function credentialsOf(request: Request): Headers {
  const { headers } = request;
  const token = headers.has('Authorization') ? undefined : tokenIn(request);
  if (token === undefined) return headers;
  const all = new Headers(headers);
  all.set('Authorization', `Bearer ${token}`);
  return all;
}

/** Whether a request has its token from a session, which its sender can end. */
export function isInSession(request: Request): boolean {
  return !request.headers.has('Authorization') && tokenIn(request) !== undefined;
}

function tokenIn(request: Request): string | undefined {
  const cookie = request.headers.get('Cookie');
  if (cookie === null || !cookie.includes(PLAIN_NAME)) return undefined;
  const cookies = parse(cookie);
  return cookies[SECURE_NAME] ?? (isSecure(request) ? undefined : cookies[PLAIN_NAME]);
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

function cookieOf(c: Context, value: string, seconds: number): string {
  const attributes = `Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}`;
  return isSecure(c.req.raw)
    ? `${SECURE_NAME}=${value}; ${attributes}; Secure`
    : `${PLAIN_NAME}=${value}; ${attributes}`;
}

/**
 * Whether the browser is known to use https. A proxy in front may speak https with the browser, and http with this service:
 * `Origin` has what the browser uses. A page that is only read is asked for without `Origin`.
 */
function isSecure({ url, headers }: Request): boolean {
  return [url, headers.get('Origin') ?? ''].some((origin) => origin.startsWith('https:'));
}
