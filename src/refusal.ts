import { fitsIn } from './bytes.ts';
import type { ChartIssue, Count } from './chart/chart.ts';

/**
 * Every kind of "no" that the service says on purpose, and the status that says it. A thrown exception is a
 * bug or the platform's trouble, and never one of these.
 */
const REFUSALS = {
  'wrong-address': { status: 400, title: 'This is no address' },
  'wrong-parameter': { status: 400, title: 'A parameter is wrong' },
  'malformed-host': { status: 400, title: 'The Host header is malformed' },
  'ambiguous-state': { status: 400, title: 'Several states have this name' },
  'reserved-event': { status: 400, title: 'This event is not to be sent' },
  'no-token': { status: 401, title: 'This needs a token' },
  forbidden: { status: 403, title: 'The token does not allow this' },
  'cross-site': { status: 403, title: 'This comes from a page of another site' },
  'no-chart': { status: 404, title: 'There is no chart here' },
  'no-such-path': { status: 404, title: 'There is nothing at this path' },
  'wrong-method': { status: 405, title: 'This path does not take this method' },
  'not-current': { status: 406, title: 'The state is not current' },
  'cannot-come': { status: 406, title: 'The state cannot come any more' },
  'no-slots': { status: 406, title: 'The state has no slots' },
  'slots-taken': { status: 406, title: 'All slots are taken' },
  'not-holder': { status: 406, title: 'The caller holds no slot' },
  'too-slow': { status: 408, title: 'The request took too long to be sent' },
  'mid-sequence': { status: 409, title: 'The machine is in mid-sequence' },
  'wrong-revision': { status: 412, title: 'The machine is at another revision' },
  'too-large': { status: 413, title: 'The request is too large' },
  'no-state-named': { status: 406, title: 'The state is missing' },
  'final-state': { status: 406, title: 'The state is final' },
  'not-taken': { status: 406, title: 'The state does not take this event' },
  'expression-failed': { status: 406, title: 'An expression of the chart failed' },
  'over-bound': { status: 406, title: 'The chart would cross a bound' },
  'unknown-host': { status: 421, title: 'The service has another name' },
  'key-reused': { status: 422, title: 'The Idempotency-Key was used for another request' },
  'invalid-chart': { status: 422, title: 'The chart is not valid' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  /** The original's answer to a `PUT` without `state`, kept to the letter. */
  'no-state-to-update': { status: 500, title: 'The state to update is missing' },
  'internal-error': { status: 500, title: 'Something went wrong here' },
  'too-many-waiting': { status: 503, title: 'Too many are waiting' },
  overloaded: { status: 503, title: 'The machine is busy' },
  'not-set-up': { status: 503, title: 'The service is not set up' },
  'too-many-machines': { status: 507, title: 'The tenant has as many machines as it may' },
  'too-many-bytes': { status: 507, title: 'The charts of the tenant are as large as they may be' },
} as const;

export type RefusalCode = keyof typeof REFUSALS;

/** An expected "no", as a value. */
export interface Refusal {
  readonly ok: false;
  readonly code: RefusalCode;
  /** What is so, and what would be right. */
  readonly detail: string;
  /** The machine that said it, where one did. */
  readonly machine?: MachineFacts;
  /** The events that the state takes, where another was sent. */
  readonly events?: readonly string[];
  /** Not yet: when it is worth asking again, in seconds. What has none is not worth asking again. */
  readonly retryAfter?: number;
  /** Who holds the slots, and until when (ISO 8601). */
  readonly holders?: readonly { readonly by: string; readonly until: string }[];
  /** The states that may be meant. */
  readonly candidates?: readonly string[];
  /** What is wrong with a chart, all of it. */
  readonly errors?: readonly ChartIssue[];
}

/** Where a machine stood when it refused. */
export interface MachineFacts {
  readonly revision: number;
  /** The active states, outermost first. */
  readonly states: readonly string[];
  /** Counts that are not complete, or have passed their target. */
  readonly waiting: readonly Count[];
}

/** @returns the HTTP status (RFC 9110) that says this kind of "no". */
export function statusOf(code: RefusalCode) {
  return REFUSALS[code].status;
}

/** @returns the same words each time for each kind of "no" (RFC 9457, `title`). */
export function titleOf(code: RefusalCode): string {
  return REFUSALS[code].title;
}

/** @returns the kind of "no" as a URI (RFC 9457, `type`). */
export function problemType(code: RefusalCode): string {
  return `urn:stateservice:problem:${code}`;
}

/** Makes a refusal. */
export function refuse(
  code: RefusalCode,
  detail: string,
  more: Omit<Refusal, 'ok' | 'code' | 'detail'> = {},
): Refusal {
  return { ok: false, code, detail, ...more };
}

/**
 * Shortens a refusal to some bytes of JSON, where it has more: it loses its lists and the end of its detail, and keeps
 * its kind and when to ask again.
 */
export function shorten(refusal: Refusal, bytes: number): Refusal {
  if (fitsIn(bytes, JSON.stringify(refusal))) return refusal;
  const { ok, code, detail, retryAfter, machine } = refusal;
  // Escaped, a code unit has at most six bytes; the rest is short.
  const most = Math.floor((bytes - 200) / 6);
  const short = {
    ok,
    code,
    detail: detail.length > most ? `${detail.slice(0, most - 1).toWellFormed()}…` : detail,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
  const placed = { ...short, ...(machine === undefined ? {} : { machine }) };
  return fitsIn(bytes, JSON.stringify(placed)) ? placed : short;
}
