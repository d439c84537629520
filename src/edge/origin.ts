/** Checks requests that a page of another site makes a browser send (CSRF), and configures CORS. */
import { cors } from 'hono/cors';
import { type Refusal, refuse } from '../refusal.ts';
import type { OriginBindings } from './env.ts';

/**
 * Refuses an unsafe method or an upgrade to a WebSocket from a page of another site: the browser would send the
 * password that its user has typed for this service. Uses Fetch Metadata (https://www.w3.org/TR/fetch-metadata/), and
 * `Origin` from older browsers. Other programs send neither header.
 *
 * hono's csrf helper checks forms only, and takes a request of curl for one.
 */
export function checkOrigin(request: Request, allowed: OriginBindings['CORS_ORIGINS']): Refusal | undefined {
  const { headers } = request;
  if (SAFE_METHODS.has(request.method) && headers.get('Upgrade') === null) return undefined;
  const origin = headers.get('Origin');
  const site = headers.get('Sec-Fetch-Site');
  if (origin === null && site === null) return undefined;
  if (site === 'same-origin' || site === 'none') return undefined;
  if (origin !== null && (origin === new URL(request.url).origin || originsIn(allowed).includes(origin)))
    return undefined;
  return refuse(
    'cross-site',
    'Pages of other sites may not send this; the variable CORS_ORIGINS lists those that may.',
  );
}

/** Makes the middleware that lets pages of other sites read responses (https://fetch.spec.whatwg.org/#http-cors-protocol). */
export function corsFor(allowed: string) {
  return cors({
    origin: originsIn(allowed),
    allowMethods: ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE'],
    exposeHeaders: ['ETag', 'Retry-After', 'Age', 'Allow', 'Link', 'Location', 'WWW-Authenticate'],
    maxAge: 600,
  });
}

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** @returns the origins as browsers write them. `null` is left out: every page in a sandbox has it. */
function originsIn(allowed: string | null | undefined): string[] {
  return (allowed ?? '').split(',').flatMap((text) => {
    const origin = URL.canParse(text) ? new URL(text).origin : 'null';
    return origin === 'null' ? [] : [origin];
  });
}
