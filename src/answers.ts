import type { Context } from 'hono';
import { type Refusal, statusOf, titleOf } from './refusal.ts';

/**
 * Renders a refusal as problem details (RFC 9457): `type`, `title`, `status`, `detail`, and what the refusal
 * carries beside them (`machine`, `events`, `errors`).
 */
export function problem(c: Context, refusal: Refusal, headers: Record<string, string> = {}): Response {
  const { ok: _, code, detail, retryAfter, ...more } = refusal;
  const status = statusOf(code);
  const body = { type: `urn:stateservice:problem:${code}`, title: titleOf(code), status, detail, ...more };
  return c.body(`${JSON.stringify(body, null, 2)}\n`, status, {
    'Content-Type': 'application/problem+json',
    ...(refusal.machine === undefined ? {} : { ETag: etag(refusal.machine.revision) }),
    ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
    ...headers,
  });
}

/** Renders a machine's data. JSON is indented: it is read at a terminal more often than anywhere else. */
export function json(c: Context, text: string, revision: number): Response {
  return c.body(`${text}\n`, 200, { 'Content-Type': 'application/json', ETag: etag(revision) });
}

/** Renders what came of replacing a resource: 201 where it was not there before. */
export function replaced(c: Context, created: boolean, body: object, revision: number): Response {
  return c.body(`${JSON.stringify(body, null, 2)}\n`, created ? 201 : 200, {
    'Content-Type': 'application/json',
    ETag: etag(revision),
  });
}

/** @returns a revision as an entity tag (RFC 9110, section 8.8.3). */
export function etag(revision: number): string {
  return `"${revision}"`;
}
