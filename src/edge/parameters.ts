/** Parameters and headers that resources take. */
import type { Context } from 'hono';
import * as z from 'zod';
import { fitsIn } from '../bytes.ts';
import { parseDuration, UPDATE } from '../chart/chart.ts';
import {
  CallerShape,
  checkCaller,
  checkEvent,
  checkKey,
  checkState,
  EventShape,
  KeyShape,
} from '../inputs.ts';
import { IF_MATCH_BYTES, WAIT_MAX } from '../limits.ts';
import type { UpdateOptions } from '../objects/turn.ts';
import { refuse } from '../refusal.ts';
import type { Parameter, Parsed } from './contract/contract.ts';
import type { AppEnv } from './env.ts';

/** Whose token the request came with; undefined where none is asked for. */
export function subject(c: Context<AppEnv>): string | undefined {
  return c.get('grant')?.sub;
}

/** The same, to be spread. */
export function withSubject(c: Context<AppEnv>): { readonly sub?: string } {
  const sub = subject(c);
  return sub === undefined ? {} : { sub };
}

/** A state's name. Whether there is such a state is the machine's to say. */
export const STATE = {
  name: 'state',
  in: 'query',
  says: 'The state: its `id`, its path (`rollout.eu`), or its key where no other state has the same.',
  isRequired: true,
  shape: z.string(),
  read(c) {
    const value = c.req.query('state');
    if (value !== undefined) return checkState(value) ?? { ok: true, value };
    return refuse('wrong-parameter', 'The query names no state; add ?state=NAME.');
  },
} satisfies Parameter<string>;

/** The event that is sent, `update` where nothing else is said. */
export const EVENT: Parameter<string> = {
  name: 'event',
  in: 'query',
  says: `The event that is sent; \`${UPDATE}\` where it is left out.`,
  shape: EventShape.default(UPDATE),
  read(c) {
    const value = c.req.query('event');
    // What nearly everybody sends needs no look.
    if (value === undefined) return { ok: true, value: UPDATE };
    return checkEvent(value) ?? { ok: true, value };
  },
};

/** Who says so; undefined where nobody does. */
export const BY: Parameter<string | undefined> = {
  name: 'by',
  in: 'query',
  says: 'Who says so. One caller counts once per visit of a state and event.',
  shape: CallerShape,
  read(c) {
    const value = c.req.query('by');
    return (value === undefined ? undefined : checkCaller(value)) ?? { ok: true, value };
  },
};

/** The same, where it must be said. */
export const CALLER: Parameter<string> = {
  ...BY,
  says: 'Who it is for.',
  isRequired: true,
  read(c) {
    const by = BY.read(c);
    if (!by.ok) return by;
    if (by.value !== undefined) return { ok: true, value: by.value };
    return refuse('wrong-parameter', 'The query must say who it is for: ?by=NAME.');
  },
};

/** How long to wait, in ms; 0 where it is not asked for. */
export const WAIT: Parameter<number> = {
  name: 'wait',
  in: 'query',
  says: `How long to wait, at most ${WAIT_MAX / 1_000}s: \`30s\`, \`1m\`, or a number of seconds.`,
  shape: z.string().regex(/^(\d{1,15}|(\d{1,15}(\.\d{1,6})?(ms|[smhd]))+)$/),
  read(c) {
    const text = c.req.query('wait');
    if (text === undefined) return { ok: true, value: 0 };
    // Seconds, as curl users write them; `30s` and `1m` as in charts.
    const value = parseDuration(/^\d+$/.test(text) ? `${text}s` : text);
    if (value !== undefined && value <= WAIT_MAX) return { ok: true, value: withinToken(c, value) };
    return refuse(
      'wrong-parameter',
      `\`wait\` must be a duration of at most ${WAIT_MAX / 1_000}s, such as 30s.`,
    );
  },
};

/** Ends a wait with the token that it was asked with: what comes after it is not for its bearer. */
function withinToken(c: Context<AppEnv>, ms: number): number {
  const until = c.get('grant')?.until;
  return until === undefined ? ms : Math.max(0, Math.min(ms, until - Date.now()));
}

/** draft-ietf-httpapi-idempotency-key-header. Quotes around it are the same key. */
const IDEMPOTENCY_KEY: Parameter<string | undefined> = {
  name: 'Idempotency-Key',
  in: 'header',
  says: 'A repeat of the request with the same key gets the first answer.',
  shape: KeyShape,
  read(c) {
    const header = c.req.header('Idempotency-Key');
    if (header === undefined) return { ok: true, value: undefined };
    const value = /^"(.*)"$/s.exec(header)?.[1] ?? header;
    return checkKey(value) ?? { ok: true, value };
  },
};

/** RFC 9110, section 13.1.1: the revisions at which the request is meant; undefined where at any. */
export const IF_MATCH: Parameter<readonly number[] | undefined> = {
  name: 'If-Match',
  in: 'header',
  says: 'The revision at which it is meant, as `ETag` has it: `"17"`.',
  shape: z.string(),
  read(c) {
    const header = c.req.header('If-Match')?.trim();
    if (header === undefined || header === '*') return { ok: true, value: undefined };
    if (!fitsIn(IF_MATCH_BYTES, header)) {
      return refuse('wrong-parameter', `\`If-Match\` must have at most ${IF_MATCH_BYTES} bytes.`);
    }
    if (header !== '') return { ok: true, value: revisionsIn(header) };
    return refuse('wrong-parameter', '`If-Match` is empty; it takes a revision in quotes, as `ETag` has it.');
  },
};

/**
 * RFC 9110, section 13.1.2: the revisions that the caller has already. Compared weakly: proxies weaken the tag of
 * what they compress.
 */
export const IF_NONE_MATCH = {
  name: 'If-None-Match',
  in: 'header',
  says: 'The revision that the caller has already, as `ETag` has it: `"17"`.',
  shape: z.string(),
  read(c) {
    const header = c.req.header('If-None-Match') ?? '';
    return { ok: true as const, value: revisionsIn(header.replaceAll('W/', '')) };
  },
} satisfies Parameter<readonly number[]>;

/** Whether a machine in mid-sequence is to start over. */
export const RESET = {
  name: 'reset',
  in: 'query',
  says: 'Whether a machine in mid-sequence is to start over: only where it is `true`.',
  shape: z.enum(['true', 'false']).default('false'),
  read: (c) => ({ ok: true as const, value: c.req.query('reset') === 'true' }),
} satisfies Parameter<boolean>;

/** What may be said beside a report. */
export const UPDATE_OPTIONS = [BY, IDEMPOTENCY_KEY, IF_MATCH] as const;

/** The same, read; undefined where nothing is said. */
export function updateOptions(c: Context<AppEnv>): Parsed<UpdateOptions | undefined> {
  const by = BY.read(c);
  if (!by.ok) return by;
  const key = IDEMPOTENCY_KEY.read(c);
  if (!key.ok) return key;
  const revisions = IF_MATCH.read(c);
  if (!revisions.ok) return revisions;
  const value = {
    ...(by.value === undefined ? {} : { by: by.value }),
    ...(key.value === undefined ? {} : { key: key.value }),
    ...(revisions.value === undefined ? {} : { revisions: revisions.value }),
    ...withSubject(c),
  };
  return { ok: true, value: Object.keys(value).length === 0 ? undefined : value };
}

/** A whole number from `least` to `most` in the query; undefined where it is left out. */
export function wholeNumber(
  name: string,
  least: number,
  most: number,
  says: string,
): Parameter<number | undefined> {
  const shape = z.int().min(least).max(most);
  return {
    name,
    in: 'query',
    says,
    shape,
    read(c) {
      const text = c.req.query(name);
      if (text === undefined) return { ok: true, value: undefined };
      const { data } = shape.safeParse(/^\d{1,16}$/.test(text) ? Number(text) : undefined);
      if (data !== undefined) return { ok: true, value: data };
      return refuse('wrong-parameter', `\`${name}\` must be a whole number from ${least} to ${most}.`);
    },
  };
}

/** Entity tags of ours in a header; one that is weak or not ours matches nothing. */
function revisionsIn(header: string): number[] {
  return [...header.matchAll(/(?:^|[\s,])"(\d{1,15})"/g)].map(([, revision]) => Number(revision));
}
