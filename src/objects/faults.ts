import { type Refusal, refuse } from '../refusal.ts';

/**
 * What the platform says of a call that failed, by the marks of the error.
 *
 * - `overloaded`: the object's queue is full. The call was not delivered.
 * - `lost`: the object was reset, moved or restarted, or the connection was cut. The call may have been executed.
 *
 * Else it is a bug. https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
 */
export function troubleOf(error: unknown): 'overloaded' | 'lost' | undefined {
  if (isMarked(error, 'overloaded')) return 'overloaded';
  return isMarked(error, 'retryable') || isMarked(error, 'durableObjectReset') ? 'lost' : undefined;
}

function isMarked(error: unknown, mark: 'overloaded' | 'retryable' | 'durableObjectReset'): boolean {
  return typeof error === 'object' && error !== null && Reflect.get(error, mark) === true;
}

/**
 * The refusal for something that was thrown before a commit: nothing was executed. A bug is logged.
 *
 * @param what failed, for the log.
 */
export function faultOf(error: unknown, what: string): Refusal {
  if (troubleOf(error) !== undefined) return overloaded();
  console.error(`${what} failed`, error);
  return refuse('internal-error', 'The fault is logged. The request may or may not have been counted.');
}

/** The refusal of a machine that could not take the request: it was not executed. */
export function overloaded(): Refusal {
  const detail = 'The machine has more to do than it can. Nothing was counted; try again.';
  return refuse('overloaded', detail, { retryAfter: jitter() });
}

/** Returns a `Retry-After`, in s. Random, so that callers do not all come again at once. */
export function jitter(): number {
  return RETRY_MIN + Math.floor(Math.random() * RETRY_SPREAD);
}

const RETRY_MIN = 1;
const RETRY_SPREAD = 4;

/**
 * The refusal of a request that an edge and an object of different versions cannot handle together; it had no effect. By
 * default, the command or the query is newer than the object.
 */
export function unsupported(detail = OLDER): Refusal {
  return refuse('unsupported', detail, { retryAfter: UNSUPPORTED_RETRY });
}

const OLDER = 'The machine runs an older version, which does not know this request; try again soon.';

/** In seconds: a deploy takes some seconds to reach all objects. */
const UNSUPPORTED_RETRY = 5;
