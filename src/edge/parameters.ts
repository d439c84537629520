/** The query parameters and headers that several resources take. The shape of each is its rule, and reads it. */
import type { Context } from 'hono';
import * as z from 'zod/mini';
import { parseDuration, UPDATE } from '../chart/chart.ts';
import { DURATION } from '../chart/time.ts';
import type { UpdateOptions } from '../commands.ts';
import { CallerShape, EventShape, KeyShape, type Parsed, parseInput, StateShape } from '../inputs.ts';
import { DRAWN_STATES, FOLDED_FROM, STALE_MAX, WAIT_MAX } from '../limits.ts';
import { fitsIn, type Refusal, type RefusalCode, refuse } from '../refusal.ts';
import { IF_MATCH_BYTES } from '../request-limits.ts';
import type { Parameter } from './contract/contract.ts';
import type { AppEnv } from './env.ts';
import { queryOf } from './query.ts';

/** The value of an optional parameter that the request does not have. */
export const NOTHING = { ok: true, value: undefined } as const;

/** The subject of the request's token; undefined if the service is open. */
function subject(c: Context<AppEnv>): string | undefined {
  return c.get('grant')?.sub;
}

/** The same, to be spread. */
export function withSubject(c: Context<AppEnv>): { readonly sub?: string } {
  const sub = subject(c);
  return sub === undefined ? {} : { sub };
}

/** A state. Whether the chart has it, the machine decides. */
export const STATE: Parameter<string> = parameter({
  name: 'state',
  in: 'query',
  says: 'The state: its `id`, its path (`rollout.eu`), or its key if no other state has the same.',
  isRequired: true,
  shape: StateShape,
  absent: refuse('wrong-parameter', 'The query names no state; add ?state=NAME.'),
});

/** The event that is sent. */
export const EVENT: Parameter<string> = parameter({
  name: 'event',
  in: 'query',
  says: `The event that is sent; default: \`${UPDATE}\`.`,
  shape: z._default(EventShape, UPDATE),
  absent: { ok: true, value: UPDATE },
  code: 'reserved-event',
});

const NAMED: Parameter<string | undefined> = parameter({
  name: 'by',
  in: 'query',
  says: 'The name of the caller. A caller counts once per visit of a state and event.',
  shape: CallerShape,
  absent: NOTHING,
});

/** The name of the caller: the one that the token fixes, if it fixes one. */
export const BY: Parameter<string | undefined> = {
  ...NAMED,
  read(c) {
    const by = NAMED.read(c);
    return by.ok ? (checkOwnName(c, by.value) ?? { ok: true, value: by.value ?? ownName(c) }) : by;
  },
};

/** The name of the caller, required unless the token fixes it. */
export const CALLER: Parameter<string> = {
  ...NAMED,
  says: 'The name of the caller that holds the slot.',
  isRequired: true,
  read(c) {
    const by = BY.read(c);
    if (!by.ok) return by;
    return by.value === undefined ? NO_CALLER : { ok: true, value: by.value };
  },
};

const NO_CALLER = refuse('wrong-parameter', 'The query must name the caller: ?by=NAME.');

/** The only name that the request's token allows; undefined if it allows any. */
function ownName(c: Context<AppEnv>): string | undefined {
  return c.get('grant')?.by;
}

/** Refuses a name other than the one that the request's token fixes. */
export function checkOwnName(c: Context<AppEnv>, by: string | undefined): Refusal | undefined {
  const own = ownName(c);
  if (own === undefined || by === undefined || by === own) return undefined;
  return refuse(
    'forbidden',
    `The token is for ${JSON.stringify(own)} alone, and not for ${JSON.stringify(by)}.`,
  );
}

/** A duration in the query, in ms; 0 where it is absent. @param most ms. */
function durationInQuery(name: string, most: number, says: string): Parameter<number> {
  const rule = `\`${name}\` must be a duration of at most ${most / 1_000}s, such as 30s.`;
  return parameter({
    name,
    in: 'query',
    says: `${says}, at most ${most / 1_000}s: \`30s\`, \`1m\`, or a number of seconds.`,
    shape: durationShape(0, most, rule),
    absent: { ok: true, value: 0 },
  });
}

const ASKED_WAIT = durationInQuery('wait', WAIT_MAX, 'How long to wait');

/** How old the answer may be, in ms. */
export const MAX_STALE = durationInQuery(
  'max-stale',
  STALE_MAX,
  'How old the answer may be: the edge answers from what the machine has told it last. A request with `wait` then only shares the call of others. It has no effect on a request with `by`. The header `Age` says how old an answer may be',
);

/** How long to wait, in ms: not longer than the token is valid. */
export const WAIT: Parameter<number> = {
  ...ASKED_WAIT,
  read(c) {
    const wait = ASKED_WAIT.read(c);
    return wait.ok ? { ok: true, value: withinToken(c, wait.value) } : wait;
  },
};

/** Ends a wait when the request's token expires. */
function withinToken(c: Context<AppEnv>, ms: number): number {
  const until = c.get('grant')?.until;
  return until === undefined ? ms : Math.max(0, Math.min(ms, until - Date.now()));
}

/** draft-ietf-httpapi-idempotency-key-header: a key in quotes. Without them it is the same key. */
const IDEMPOTENCY_KEY: Parameter<string | undefined> = {
  name: 'Idempotency-Key',
  in: 'header',
  says: 'A repeat of the request with the same key gets the first answer.',
  shape: KeyShape,
  read(c) {
    const header = c.req.header('Idempotency-Key');
    if (header === undefined) return NOTHING;
    return parseInput(KeyShape, /^"(.*)"$/s.exec(header)?.[1] ?? header);
  },
};

/** RFC 9110, section 13.1.1: the revisions at which the request is meant to count; undefined if at any. */
export const IF_MATCH: Parameter<readonly number[] | undefined> = parameter({
  name: 'If-Match',
  in: 'header',
  says: 'The revision at which the request is meant to count, as `ETag` has it: `"17"`.',
  shape: z.pipe(
    z.string().check(
      z.trim(),
      z.minLength(1, '`If-Match` is empty; it takes a revision in quotes, as `ETag` has it.'),
      z.refine(
        (header) => fitsIn(IF_MATCH_BYTES, header),
        `\`If-Match\` must have at most ${IF_MATCH_BYTES} bytes.`,
      ),
    ),
    z.transform((header) => (header === '*' ? undefined : revisionsIn(header))),
  ),
  absent: NOTHING,
});

/**
 * RFC 9110, section 13.1.2: the revisions that the caller has; of a file, its hash. Only the first `IF_MATCH_BYTES` are read: what a
 * caller has is kept for as long as it waits, at the edge and at the object.
 */
export const IF_NONE_MATCH = {
  name: 'If-None-Match',
  in: 'header',
  says: 'The `ETag` that the caller has: `"17"`.',
  shape: z.string(),
  read(c) {
    const header = c.req.header('If-None-Match') ?? '';
    return { ok: true as const, value: revisionsIn(header.slice(0, IF_MATCH_BYTES)) };
  },
} satisfies Parameter<readonly number[]>;

/** A yes or no in the query: `true` or `false`, and no without it. Another word is refused: `dry_run=1` must not upload. */
export function flag(name: string, says: string): Parameter<boolean> {
  return parameter({
    name,
    in: 'query',
    says,
    shape: z.pipe(
      oneOf(name, ['true', 'false']),
      z.transform((word) => word === 'true'),
    ),
    absent: { ok: true, value: false },
  });
}

/** Who sends a command. */
interface Sender {
  readonly by?: string;
  readonly sub?: string;
}

/** Reads who sends a command: its name, and the subject of its token. */
export function readSender(c: Context<AppEnv>): Parsed<Sender> {
  const by = BY.read(c);
  if (!by.ok) return by;
  return { ok: true, value: { ...(by.value === undefined ? {} : { by: by.value }), ...withSubject(c) } };
}

/** Reads who sends a command, and the revisions at which it is meant to count. */
export function readConditions(
  c: Context<AppEnv>,
): Parsed<Sender & { readonly revisions?: readonly number[] }> {
  const sender = readSender(c);
  if (!sender.ok) return sender;
  const revisions = IF_MATCH.read(c);
  if (!revisions.ok) return revisions;
  const asked = revisions.value === undefined ? {} : { revisions: revisions.value };
  return { ok: true, value: { ...sender.value, ...asked } };
}

/** The options of a report. */
export const UPDATE_OPTIONS = [BY, IDEMPOTENCY_KEY, IF_MATCH] as const;

/** Reads the options of a report; undefined if there are none. */
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

/** A duration from `least` to `most` ms. A number alone is seconds, as curl users write them, and not ms as in charts. */
export function durationShape(least: number, most: number, rule: string) {
  return z.pipe(
    z.pipe(
      z.string().check(z.regex(DURATION, rule)),
      z.transform((text) => parseDuration(/^\d+$/.test(text) ? `${text}s` : text)),
    ),
    z.number(rule).check(z.minimum(least, rule), z.maximum(most, rule)),
  );
}

/** One of some words. */
export function oneOf<const Values extends readonly string[]>(name: string, values: Values) {
  return z.enum(values, `\`${name}\` must be one of ${values.join(', ')}.`);
}

/** A whole number from `least` to `most` in the query. */
export function wholeNumber(
  name: string,
  least: number,
  most: number,
  says: string,
): Parameter<number | undefined> {
  const rule = `\`${name}\` must be a whole number from ${least} to ${most}.`;
  const shape = z.int(rule).check(z.minimum(least, rule), z.maximum(most, rule));
  return {
    name,
    in: 'query',
    says,
    shape,
    read(c) {
      const text = queryOf(c)[name];
      if (text === undefined) return NOTHING;
      return parseInput(shape, /^\d{1,16}$/.test(text) ? Number(text) : text);
    },
  };
}

/** Where a watcher or a page goes on. */
export const AFTER = wholeNumber(
  'after',
  0,
  Number.MAX_SAFE_INTEGER,
  'The id of the last entry of the history that the caller has; a stream without it sends only new entries. If the machine was deleted meanwhile, the answer is 404, and it does not begin again.',
);

/** The state whose inside is drawn. Whether the chart has it, the drawing decides. */
export const IN: Parameter<string | undefined> = parameter({
  name: 'in',
  in: 'query',
  says: 'Of a drawing: the state whose inside is drawn, by its name or its path. Default: the whole chart.',
  shape: StateShape,
  absent: NOTHING,
});

/** Whether the states inside idle states are drawn. */
export const IDLE: Parameter<'open' | 'folded' | undefined> = parameter({
  name: 'idle',
  in: 'query',
  says: `Of a drawing: whether the states inside idle states are drawn (\`open\`) or not (\`folded\`). Default: \`folded\` where more than ${FOLDED_FROM} states would be drawn. A drawing has at most ${DRAWN_STATES} states; beyond it, inner ones are left out.`,
  shape: oneOf('idle', ['open', 'folded']),
  absent: NOTHING,
});

interface Rule<Value> extends Omit<Parameter<Value>, 'read'> {
  /** Parses the text. */
  readonly shape: z.ZodMiniType<Value>;
  /** The value, or the refusal, if the request does not have the parameter. */
  readonly absent: Parsed<Value>;
  /** The refusal of a wrong value. Default: `wrong-parameter`. */
  readonly code?: RefusalCode;
}

/** Makes a parameter that its shape reads. */
export function parameter<Value>({ absent, code, ...rule }: Rule<Value>): Parameter<Value> {
  return {
    ...rule,
    read(c) {
      const text = rule.in === 'query' ? queryOf(c)[rule.name] : c.req.header(rule.name);
      return text === undefined ? absent : parseInput(rule.shape, text, code);
    },
  };
}

/**
 * Returns the revisions that a header names by our entity tags. A weak tag stands for the same revision: Cloudflare and
 * other proxies weaken the tags of what they compress (https://developers.cloudflare.com/cache/reference/etag-headers/),
 * and a revision has one representation. A tag that is not one of ours matches no revision.
 */
function revisionsIn(header: string): number[] {
  return [...header.matchAll(/(?:^|[\s,])(?:W\/)?"(\d{1,15})"/g)].map(([, revision]) => Number(revision));
}
