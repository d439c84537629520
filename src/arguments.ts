/** What a caller may say, by HTTP or by a binding: the same words are refused in both. */
import { EVENT_LENGTH, isReserved } from './chart/index.ts';
import { CALLER_LENGTH, KEY_LENGTH } from './limits.ts';
import { type Refusal, refuse } from './refusal.ts';

/** Who reports, claims or asks. */
export function checkCaller(by: string): Refusal | undefined {
  if (by !== '' && by.length <= CALLER_LENGTH && by.isWellFormed()) return undefined;
  return refuse('wrong-parameter', `\`by\` must be a name of 1 to ${CALLER_LENGTH} characters.`);
}

/** `Idempotency-Key`. */
export function checkKey(key: string): Refusal | undefined {
  if (key !== '' && key.length <= KEY_LENGTH && key.isWellFormed()) return undefined;
  return refuse('wrong-parameter', `\`Idempotency-Key\` must have 1 to ${KEY_LENGTH} characters.`);
}

/** The name of an event that is sent. */
export function checkEvent(event: string): Refusal | undefined {
  if (event === '' || event.length > EVENT_LENGTH) {
    return refuse('reserved-event', `An event's name has 1 to ${EVENT_LENGTH} characters.`);
  }
  if (event.includes('*')) {
    return refuse('reserved-event', 'A wildcard is for charts; an event that is sent has a name.');
  }
  if (!isReserved(event)) return undefined;
  const detail = 'Names that begin with xstate., done. or error. are kept by XState for itself.';
  return refuse('reserved-event', detail);
}
