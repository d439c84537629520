import type { ChartIssue, Count, InputProblem } from './chart/chart.ts';

/** Every kind of refusal, its HTTP status and its title. A thrown error is never one of these: it is a bug or a fault of the platform. */
const REFUSALS = {
  'wrong-address': { status: 400, title: 'This is no address' },
  'wrong-parameter': { status: 400, title: 'A parameter is wrong' },
  'not-encrypted': { status: 400, title: 'The request is not encrypted' },
  'malformed-host': { status: 400, title: 'The Host header is malformed' },
  'ambiguous-state': { status: 400, title: 'Several states have this name' },
  'reserved-event': { status: 400, title: 'This event is not to be sent' },
  'no-token': { status: 401, title: 'This needs a token' },
  forbidden: { status: 403, title: 'The token does not allow this' },
  'cross-site': { status: 403, title: 'This comes from a page of another site' },
  'no-chart': { status: 404, title: 'There is no chart here' },
  'not-begun': { status: 404, title: 'The run has not begun' },
  'no-such-link': { status: 404, title: 'There is no such link' },
  'no-such-member': { status: 404, title: 'There is no such member' },
  'no-such-notification': { status: 404, title: 'There is no such notification' },
  'no-such-path': { status: 404, title: 'There is nothing at this path' },
  'wrong-method': { status: 405, title: 'This path does not take this method' },
  'no-state-named': { status: 406, title: 'The state is missing' },
  'not-current': { status: 406, title: 'The state is not current' },
  'cannot-come': { status: 406, title: 'The state cannot come any more' },
  'final-state': { status: 406, title: 'The state is final' },
  'not-taken': { status: 406, title: 'The state does not take this event' },
  closed: { status: 406, title: 'The state is closed' },
  'no-slots': { status: 406, title: 'The state has no slots' },
  'slots-taken': { status: 406, title: 'All slots are taken' },
  paused: { status: 406, title: 'The machine is paused' },
  'no-members': { status: 406, title: 'The machine has no list of members' },
  'not-a-member': { status: 406, title: 'The caller is not a member' },
  'not-for-you': { status: 406, title: 'The state is not for this caller' },
  'already-reported': { status: 406, title: 'The caller has reported already' },
  'needs-inputs': { status: 406, title: 'The run needs inputs' },
  'not-holder': { status: 406, title: 'The caller holds no slot' },
  'expression-failed': { status: 406, title: 'An expression of the chart failed' },
  'over-bound': { status: 406, title: 'The chart would cross a bound' },
  'too-slow': { status: 408, title: 'The request took too long to be sent' },
  'is-over': { status: 409, title: 'The machine is at its end' },
  'other-inputs': { status: 409, title: 'The run has other inputs' },
  'mid-sequence': { status: 409, title: 'The machine is in mid-sequence' },
  'link-expired': { status: 410, title: 'The link has expired' },
  'visit-over': { status: 410, title: 'The link is not good any more' },
  'wrong-revision': { status: 412, title: 'The machine is at another revision' },
  'too-large': { status: 413, title: 'The request is too large' },
  'unknown-host': { status: 421, title: 'The service has another name' },
  'key-reused': { status: 422, title: 'The Idempotency-Key was used for another request' },
  'wrong-inputs': { status: 422, title: 'The inputs are wrong' },
  'invalid-chart': { status: 422, title: 'The chart is not valid' },
  'invalid-members': { status: 422, title: 'The list of members is not valid' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  loop: { status: 508, title: 'The hook leads back to the service' },
  'internal-error': { status: 500, title: 'Something went wrong here' },
  /** The original's answer to a `PUT` without `state`. */
  'no-state-to-update': { status: 500, title: 'The state to update is missing' },
  'not-supported-here': { status: 501, title: 'The platform cannot do this here' },
  'not-set-up': { status: 503, title: 'The service is not set up' },
  'issuer-unavailable': { status: 503, title: 'The keys of the issuer cannot be fetched' },
  lost: { status: 503, title: 'The connection to the machine was lost' },
  overloaded: { status: 503, title: 'The machine is busy' },
  'too-many-waiting': { status: 503, title: 'Too many are waiting' },
  unsupported: { status: 503, title: 'The service is being deployed' },
  'too-many-machines': { status: 507, title: 'The tenant has as many machines as it may' },
  'too-many-bytes': { status: 507, title: 'The charts of the tenant are as large as they may be' },
  /** A status that curl does not retry by itself: a repeated report without `by` or key would count twice. */
  'outcome-unknown': { status: 520, title: 'The connection was lost; the request may have been counted' },
} as const;

export type RefusalCode = keyof typeof REFUSALS;

/** Whether a stored word is a kind of refusal. */
export function isRefusalCode(word: unknown): word is RefusalCode {
  return typeof word === 'string' && Object.hasOwn(REFUSALS, word);
}

/** A refusal as a value: the command or the query had no effect. */
export interface Refusal {
  readonly ok: false;
  readonly code: RefusalCode;
  /** What is the case, and what would be right. */
  readonly detail: string;
  /** Absent if no machine was asked. */
  readonly machine?: MachineFacts;
  /** The events that the state takes, if the one that was sent is not among them. */
  readonly events?: readonly string[];
  /** When a repeat may succeed, in seconds. Absent if no repeat can. */
  readonly retryAfter?: number;
  /** The holders of the slots, and when their leases end (ISO 8601). */
  readonly holders?: readonly { readonly by: string; readonly until: string }[];
  /** When the windows of the state open (ISO 8601). */
  readonly opens?: string;
  /** The states that the name may mean. */
  readonly candidates?: readonly string[];
  /** Inputs that are unknown, missing or wrong. */
  readonly inputs?: readonly InputProblem[];
  /** All errors of a chart, of a list of members, or of the variable `OIDC`. */
  readonly errors?: readonly ChartIssue[];
}

/** The state of a machine when it refused. */
export interface MachineFacts {
  readonly revision: number;
  /** The active states, outermost first. */
  readonly states: readonly string[];
  /** Counts that are incomplete or past their target. */
  readonly waiting: readonly Count[];
}

/** @returns the HTTP status (RFC 9110) of a kind of refusal. */
export function statusOf(code: RefusalCode) {
  return REFUSALS[code].status;
}

/** @returns the title of a kind of refusal (RFC 9457, `title`). */
export function titleOf(code: RefusalCode): string {
  return REFUSALS[code].title;
}

/** @returns a kind of refusal as a URI (RFC 9457, `type`). */
export function problemType(code: RefusalCode | ''): string {
  return `urn:stateservice:problem:${code}`;
}

/** @returns the code in a `type` that `problemType` has made. */
export function codeOfProblem(type: string): string {
  return type.slice(problemType('').length);
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
 * Shortens a refusal to at most `bytes` bytes of JSON. A longer one loses its lists and the end of its detail, and keeps
 * its code and `retryAfter`.
 */
export function shorten(refusal: Refusal, bytes: number): Refusal {
  if (fitsIn(bytes, JSON.stringify(refusal))) return refusal;
  const { ok, code, detail, retryAfter, machine } = refusal;
  // JSON escapes a code unit in at most six bytes; the other fields have less than 200.
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

/** Whether a text has at most `bytes` bytes of UTF-8. Most texts are short: a UTF-16 code unit takes one to three bytes. */
export function fitsIn(bytes: number, text: string): boolean {
  if (text.length * 3 <= bytes) return true;
  return text.length <= bytes && encoder.encode(text).length <= bytes;
}

const encoder = new TextEncoder();
