import { problemType, type Refusal, statusOf, titleOf } from '../refusal.ts';

type Fields = Readonly<Record<string, string>>;

/**
 * Every answer is made here. A plain `Response`, for hono's own would take the headers one by one: it was seen to
 * cost a tenth of a request.
 */
export function respond(body: BodyInit | null, status: number, headers: Fields): Response {
  return new Response(body, { status, headers: { ...SAFE, ...headers } });
}

/**
 * For browsers, which a person may lead to any address: no answer is a page that runs or loads something, is shown
 * in somebody's frame, taken for another type than it says, or kept by a cache. Other Fetch Metadata and
 * `Origin` are looked at in `origin.ts`.
 */
export const SAFE: Fields = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/** Renders a name. */
export function text(body: string, revision: number): Response {
  OF_NAMES.set('ETag', etag(revision));
  return new Response(body, { headers: OF_NAMES });
}

/** Kept, for to make them anew was seen to take some 25 of 350 µs. A response copies what it is given. */
const OF_NAMES = new Headers({ ...SAFE, 'Content-Type': 'text/plain;charset=UTF-8' });

/** Renders a document of another type, as it is. */
export function document(body: BodyInit, type: string, headers: Fields = {}): Response {
  return respond(body, 200, { 'Content-Type': type, ...headers });
}

/** Renders a page: it loads its own script, style and pictures, asks its own server, and nothing else. */
export function page(markup: string, headers: Fields = {}): Response {
  return respond(`<!doctype html>${markup}`, 200, {
    'Content-Type': 'text/html;charset=UTF-8',
    'Content-Security-Policy': PAGE_POLICY,
    Vary: 'Accept',
    ...headers,
  });
}

const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Renders a machine's data. JSON is indented: it is read at a terminal more often than anywhere else. */
export function json(body: object | string, headers: Fields = {}, status: 200 | 201 = 200): Response {
  const written = typeof body === 'string' ? body : JSON.stringify(body, null, 2);
  return respond(`${written}\n`, status, { 'Content-Type': 'application/json', ...headers });
}

/** Says that it is done, and no more. */
export function done(revision?: number): Response {
  return respond(null, 204, revision === undefined ? {} : { ETag: etag(revision) });
}

/**
 * Renders a refusal as problem details (RFC 9457): `type`, `title`, `status`, `detail`, and what the refusal
 * carries beside them (`machine`, `events`, `errors`).
 */
export function problem(refusal: Refusal, headers: Fields = {}): Response {
  const { ok: _, code, detail, retryAfter, ...more } = refusal;
  const status = statusOf(code);
  const body = { type: problemType(code), title: titleOf(code), status, detail, ...more };
  return respond(`${JSON.stringify(body, null, 2)}\n`, status, {
    'Content-Type': 'application/problem+json',
    ...refusalHeaders(refusal),
    ...headers,
  });
}

/** The headers that go with a refusal, whatever its body looks like. */
export function refusalHeaders({ code, machine, retryAfter }: Refusal): Fields {
  return {
    ...(machine === undefined ? {} : { ETag: etag(machine.revision) }),
    ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
    // RFC 7617. A browser asks its user for it; Chromium does not where another challenge stands in the same line.
    ...(statusOf(code) === 401 ? { 'WWW-Authenticate': 'Basic realm="StateService", charset="UTF-8"' } : {}),
  };
}

/** @returns a revision as an entity tag (RFC 9110, section 8.8.3). */
export function etag(revision: number): string {
  return `"${revision}"`;
}
