/** Parameters and headers that several resources take. */
import type { Context } from 'hono';
import { checkCaller, checkKey } from '../arguments.ts';
import { parseDuration } from '../chart/index.ts';
import type { AppEnv } from '../env.ts';
import { WAIT_MAX } from '../limits.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { UpdateOptions } from '../turn.ts';

/** A value, or why there is none. */
export type Parsed<Value> = { readonly ok: true; readonly value: Value } | Refusal;

/** `by`: who says so; undefined where nobody does. */
export function caller(c: Context): Parsed<string | undefined> {
  const by = c.req.query('by');
  if (by === undefined) return { ok: true, value: undefined };
  return checkCaller(by) ?? { ok: true, value: by };
}

/** Whose token the request came with; undefined where none is asked for. */
export function subject(c: Context<AppEnv>): string | undefined {
  return c.get('grant')?.sub;
}

/** The same, to be spread. */
export function withSubject(c: Context<AppEnv>): { readonly sub?: string } {
  const sub = subject(c);
  return sub === undefined ? {} : { sub };
}

/** What may be said beside a report; undefined where nothing is. */
export function updateOptions(c: Context<AppEnv>): Parsed<UpdateOptions | undefined> {
  const by = caller(c);
  if (!by.ok) return by;
  const key = idempotencyKey(c);
  if (!key.ok) return key;
  const revisions = ifMatch(c);
  if (!revisions.ok) return revisions;
  const value = {
    ...(by.value === undefined ? {} : { by: by.value }),
    ...(key.value === undefined ? {} : { key: key.value }),
    ...(revisions.value === undefined ? {} : { revisions: revisions.value }),
    ...withSubject(c),
  };
  return { ok: true, value: Object.keys(value).length === 0 ? undefined : value };
}

/** `by`, where it must be said. */
export function namedCaller(c: Context): Parsed<string> {
  const by = caller(c);
  if (!by.ok) return by;
  if (by.value !== undefined) return { ok: true, value: by.value };
  return refuse('wrong-parameter', 'The query must say who it is for: ?by=NAME.');
}

/** `state`, where it must be said. */
export function namedState(c: Context): Parsed<string> {
  const value = c.req.query('state');
  if (value !== undefined) return { ok: true, value };
  return refuse('wrong-parameter', 'The query names no state; add ?state=NAME.');
}

/** `wait`: how long to wait, in ms; 0 where it is not asked for. */
export function wait(c: Context): Parsed<number> {
  const text = c.req.query('wait');
  if (text === undefined) return { ok: true, value: 0 };
  // Seconds, as curl users write them; `30s` and `1m` as in charts.
  const value = parseDuration(/^\d+$/.test(text) ? `${text}s` : text);
  if (value !== undefined && value <= WAIT_MAX) return { ok: true, value };
  return refuse(
    'wrong-parameter',
    `\`wait\` must be a duration of at most ${WAIT_MAX / 1_000}s, such as 30s.`,
  );
}

/** `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header). Quotes around it are the same key. */
function idempotencyKey(c: Context): Parsed<string | undefined> {
  const header = c.req.header('Idempotency-Key');
  if (header === undefined) return { ok: true, value: undefined };
  const value = /^"(.*)"$/s.exec(header)?.[1] ?? header;
  return checkKey(value) ?? { ok: true, value };
}

/** `If-Match` (RFC 9110, section 13.1.1): the revisions at which the request is meant; undefined where at any. */
export function ifMatch(c: Context): Parsed<readonly number[] | undefined> {
  const header = c.req.header('If-Match');
  if (header === undefined || header.trim() === '*') return { ok: true, value: undefined };
  return { ok: true, value: revisionsIn(header) };
}

/**
 * `If-None-Match` (RFC 9110, section 13.1.2): the revisions that the caller has already. Compared weakly: proxies
 * weaken the tag of what they compress.
 */
export function ifNoneMatch(c: Context): readonly number[] {
  return revisionsIn((c.req.header('If-None-Match') ?? '').replaceAll('W/', ''));
}

/** A whole number from `least` to `most`. */
export function wholeNumber(
  c: Context,
  name: string,
  least: number,
  most: number,
): Parsed<number | undefined> {
  const text = c.req.query(name);
  if (text === undefined) return { ok: true, value: undefined };
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return { ok: true, value };
  return refuse('wrong-parameter', `\`${name}\` must be a whole number from ${least} to ${most}.`);
}

/** Entity tags of ours in a header; one that is weak or not ours matches nothing. */
function revisionsIn(header: string): number[] {
  return [...header.matchAll(/(?:^|[\s,])"(\d{1,15})"/g)].map(([, revision]) => Number(revision));
}
