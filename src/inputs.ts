/** What a caller may say, by HTTP or by a binding: the same words are refused in both. */
import * as z from 'zod';
import { fitsIn } from './bytes.ts';
import { isReserved } from './chart/chart.ts';
import { CALLER_LENGTH, EVENT_LENGTH, KEY_LENGTH, STATE_BYTES } from './limits.ts';
import { type Refusal, refuse } from './refusal.ts';

const words = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .refine((text) => text.isWellFormed());

/** Who reports, claims or asks. */
export const CallerShape = words(CALLER_LENGTH);

/** `Idempotency-Key`. */
export const KeyShape = words(KEY_LENGTH);

const EVENT_SIZE = `An event's name has 1 to ${EVENT_LENGTH} characters.`;

/** The name of an event that is sent. */
export const EventShape = z
  .string()
  .min(1, EVENT_SIZE)
  .max(EVENT_LENGTH, EVENT_SIZE)
  .regex(/^[^*]*$/, 'A wildcard is for charts; an event that is sent has a name.')
  .refine(
    (event) => !isReserved(event),
    'Names that begin with xstate., done. or error. are kept by XState for itself.',
  );

/** @returns why `by` is no caller, or nothing. */
export function checkCaller(by: string): Refusal | undefined {
  if (CallerShape.safeParse(by).success) return undefined;
  return refuse('wrong-parameter', `\`by\` must be a name of 1 to ${CALLER_LENGTH} characters.`);
}

/** @returns why `state` is too long to be one, or nothing. Whether there is such a state, its machine says. */
export function checkState(state: string): Refusal | undefined {
  if (fitsIn(STATE_BYTES, state)) return undefined;
  return refuse('wrong-parameter', `\`state\` must have at most ${STATE_BYTES} bytes.`);
}

/** @returns why `key` is no `Idempotency-Key`, or nothing. */
export function checkKey(key: string): Refusal | undefined {
  if (KeyShape.safeParse(key).success) return undefined;
  return refuse('wrong-parameter', `\`Idempotency-Key\` must have 1 to ${KEY_LENGTH} characters.`);
}

/** @returns why `event` is not to be sent, or nothing. */
export function checkEvent(event: string): Refusal | undefined {
  const [wrong] = EventShape.safeParse(event).error?.issues ?? [];
  return wrong && refuse('reserved-event', wrong.message);
}
