/** Requests that a page of another site makes its visitor's browser send. */
import { cors } from 'hono/cors';
import { type Refusal, refuse } from '../refusal.ts';
import type { OriginBindings } from './env.ts';

/**
 * Refuses what changes something, or opens a WebSocket, and comes from a page of another site: such a browser sends
 * the password along that its user has typed for us. Programs that are no browsers send neither header.
 * (hono's csrf helper looks at forms only, and takes curl for one.)
 *
 * Fetch Metadata (https://www.w3.org/TR/fetch-metadata/), and `Origin` from browsers that are older.
 */
export function checkOrigin(
  { method, headers, url }: Request,
  allowed: OriginBindings['CORS_ORIGINS'],
): Refusal | undefined {
  if (SAFE_METHODS.has(method) && headers.get('Upgrade') === null) return undefined;
  const origin = headers.get('Origin');
  const site = headers.get('Sec-Fetch-Site');
  if (origin === null && site === null) return undefined;
  if (site === 'same-origin' || site === 'none') return undefined;
  if (origin !== null && (origin === new URL(url).origin || originsIn(allowed).includes(origin)))
    return undefined;
  return refuse(
    'cross-site',
    'Pages of other sites may not do this; the variable CORS_ORIGINS names those that may.',
  );
}

/** Tells browsers which pages of other sites may read the answers (https://fetch.spec.whatwg.org/#http-cors-protocol). */
export function corsFor(allowed: string) {
  return cors({
    origin: originsIn(allowed),
    allowMethods: ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'],
    exposeHeaders: ['ETag', 'Retry-After', 'Allow', 'WWW-Authenticate'],
    maxAge: 600,
  });
}

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** As browsers spell them. `null` is none: it is the origin of every page in a sandbox. */
function originsIn(allowed: string | null | undefined): string[] {
  return (allowed ?? '').split(',').flatMap((text) => {
    const origin = URL.canParse(text) ? new URL(text).origin : 'null';
    return origin === 'null' ? [] : [origin];
  });
}
