import { type Refusal, refuse } from '../refusal.ts';

/**
 * Turns a thrown error into a refusal, and logs it: the platform failed, or the code has a bug.
 *
 * The platform marks its own errors: `overloaded` (the object gets more requests than it can process) and `retryable` (it
 * was moved or restarted). https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
 */
export function faultOf(error: unknown, what: string): Refusal {
  if (isMarked(error, 'overloaded') || isMarked(error, 'retryable')) {
    return refuse('overloaded', 'The machine has more to do than it can; try again.', { retryAfter: 1 });
  }
  console.error(`${what} failed`, error);
  return refuse('internal-error', 'The fault is logged. The request may or may not have been counted.');
}

function isMarked(error: unknown, mark: 'overloaded' | 'retryable'): boolean {
  return typeof error === 'object' && error !== null && Reflect.get(error, mark) === true;
}

/** Refuses a command or a query of a newer version of the edge. */
export function unsupported(): Refusal {
  const detail = 'The machine runs an older version, which does not know this request; try again soon.';
  return refuse('unsupported', detail, { retryAfter: UNSUPPORTED_RETRY });
}

/** In seconds: a deploy takes some seconds to reach all objects. */
const UNSUPPORTED_RETRY = 5;
