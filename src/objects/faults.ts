import { type Refusal, refuse } from '../refusal.ts';

/**
 * @returns what a caller is told of something that was thrown: the platform's trouble, or a bug. The error is logged.
 *
 * The platform marks what is not the object's fault: `overloaded` (it has more to do than it can) and `retryable` (it
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

/** @returns the answer to a command or a query of a newer version of the edge. */
export function unsupported(): Refusal {
  const detail = 'The machine runs an older version, which does not know this request; try again soon.';
  return refuse('unsupported', detail, { retryAfter: UNSUPPORTED_RETRY });
}

/** A deploy takes some seconds to reach all objects. */
const UNSUPPORTED_RETRY = 5;
