/** Calls to objects that may fail because of the platform. */
import { jitter, overloaded, troubleOf } from '../objects/faults.ts';
import { type Refusal, refuse } from '../refusal.ts';

/**
 * Makes a call, and turns the platform's trouble into a refusal that says what may have happened. A lost call is repeated
 * once, if a repetition changes nothing.
 *
 * @param onFailure is called after each call that fails. A stub that has failed must not be used again.
 * @throws what is no trouble of the platform.
 */
export async function attempt<Result>(
  isRepeatable: boolean,
  call: () => Promise<Result>,
  onFailure?: () => void,
): Promise<Result | Refusal> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await call();
    } catch (error) {
      onFailure?.();
      const trouble = troubleOf(error);
      if (trouble === undefined) throw error;
      // Of a call that was lost before, it is not known whether it was counted.
      if (trouble === 'overloaded' && attempts === 1) return overloaded();
      if (!isRepeatable) return refuse('outcome-unknown', OUTCOME_UNKNOWN);
      if (attempts === ATTEMPTS) return refuse('lost', LOST, { retryAfter: jitter() });
      await scheduler.wait(REPEAT_PAUSE + Math.random() * REPEAT_PAUSE);
    }
  }
}

/** A call that is lost is made once more. */
const ATTEMPTS = 2;

/**
 * The least pause before a call is repeated, in ms; it is at most twice as long. workerd opens a new connection only after
 * the turn in which calls are told that theirs was cut: a repetition in that turn was lost as well, each time. Random, as
 * https://developers.cloudflare.com/durable-objects/best-practices/error-handling/ recommends.
 */
const REPEAT_PAUSE = 10;

const LOST =
  'The connection to the machine was lost, and so was the repetition. Send the request again: it counts once.';
const OUTCOME_UNKNOWN =
  'The connection to the machine was lost; the request may have been counted. Look at the machine before you send it again, or send `by` or an Idempotency-Key, which count once.';
