/** Validates what callers say, by HTTP and by the binding alike. Each rule is a shape; its messages say it. */
import * as z from 'zod/mini';
import { isReservedEvent } from './chart/chart.ts';
import { DATA_BYTES, DATA_DEPTH, EVENT_LENGTH } from './chart-limits.ts';
import { fitsIn, type Refusal, type RefusalCode, refuse } from './refusal.ts';
import { CALLER_LENGTH, KEY_LENGTH, REASON_LENGTH, STATE_BYTES } from './request-limits.ts';

/** A valid value, or the refusal of an invalid one. */
export type Parsed<Value> = { readonly ok: true; readonly value: Value } | Refusal;

/**
 * Validates an input.
 *
 * @returns the value, or a refusal with the message of the first rule that the input breaks.
 */
export function parseInput<Value>(
  shape: z.ZodMiniType<Value>,
  input: unknown,
  code: RefusalCode = 'wrong-parameter',
): Parsed<Value> {
  const { success, data, error } = shape.safeParse(input);
  return success ? { ok: true, value: data } : refuse(code, error.issues[0]?.message ?? '');
}

/** The name of a caller that reports, or that holds a slot. */
export const CallerShape = textShape(
  CALLER_LENGTH,
  `\`by\` must be a name of 1 to ${CALLER_LENGTH} characters.`,
);

/** `Idempotency-Key`. */
export const KeyShape = textShape(KEY_LENGTH, `\`Idempotency-Key\` must have 1 to ${KEY_LENGTH} characters.`);

/** The name of a state. Whether the chart has such a state, its machine decides. */
export const StateShape = z
  .string()
  .check(
    z.refine((state) => fitsIn(STATE_BYTES, state), `\`state\` must have at most ${STATE_BYTES} bytes.`),
  );

const EVENT_SIZE = `An event's name has 1 to ${EVENT_LENGTH} characters.`;

/** The name of an event that a caller sends. */
export const EventShape = z.string().check(
  z.minLength(1, EVENT_SIZE),
  z.maxLength(EVENT_LENGTH, EVENT_SIZE),
  z.regex(/^[^*]*$/, 'Only charts can have wildcards; send the name of an event.'),
  z.refine(
    (event) => !isReservedEvent(event),
    'Names that begin with xstate., done. or error. are reserved by XState.',
  ),
);

/** Why an operator does something. */
export const ReasonShape = z.string().check(
  z.minLength(1, '`reason` is empty.'),
  z.maxLength(REASON_LENGTH, `\`reason\` must have at most ${REASON_LENGTH} characters.`),
  z.refine((text) => text.isWellFormed(), '`reason` must be well-formed Unicode.'),
);

/** @returns a refusal if `reason` is empty or too long. */
export function checkReason(reason: string): Refusal | undefined {
  return check(ReasonShape, reason);
}

/** @returns a refusal if `by` is no caller's name. */
export function checkCaller(by: string): Refusal | undefined {
  return check(CallerShape, by);
}

/** @returns a refusal if `state` is too long. */
export function checkState(state: string): Refusal | undefined {
  return check(StateShape, state);
}

/** @returns a refusal if `key` is no `Idempotency-Key`. */
export function checkKey(key: string): Refusal | undefined {
  return check(KeyShape, key);
}

/** @returns a refusal if callers may not send `event`. */
export function checkEvent(event: string): Refusal | undefined {
  return check(EventShape, event, 'reserved-event');
}

/**
 * Reads the data of a report.
 *
 * @param text JSON; nothing, or only white space, is no data.
 * @param what the text is called so in refusals.
 * @returns compact JSON, undefined for no data, or a refusal.
 */
export function parseData(text: string, what = 'The body'): Parsed<string | undefined> {
  if (text.trim() === '') return { ok: true, value: undefined };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = error instanceof SyntaxError ? ` (${error.message})` : '';
    return refuse('wrong-parameter', `${what} is not JSON${why}. ${RIGHT_DATA}`);
  }
  const wrong = wrongData(value, 0);
  if (wrong !== undefined) return refuse('wrong-parameter', `${what} ${wrong}.`);
  // Longer than the text where numbers are written out: 1e20.
  const data = JSON.stringify(value);
  if (!fitsIn(DATA_BYTES, data)) return refuse('too-large', `${what} has more than ${DATA_BYTES} bytes.`);
  return { ok: true, value: data };
}

const RIGHT_DATA = 'Send JSON such as {"errors": 0}, or nothing.';

/** Says what is wrong with data that are JSON. @param depth of the lists and objects around the value. */
function wrongData(value: unknown, depth: number): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return 'has a number that is too large';
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth === DATA_DEPTH) return `is nested more than ${DATA_DEPTH} deep`;
  for (const inner of Object.values(value)) {
    const wrong = wrongData(inner, depth + 1);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function check(shape: z.ZodMiniType<string>, text: string, code?: RefusalCode): Refusal | undefined {
  const parsed = parseInput(shape, text, code);
  return parsed.ok ? undefined : parsed;
}

/** A text of 1 to `most` UTF-16 code units without lone surrogates. */
function textShape(most: number, rule: string) {
  return z.string().check(
    z.minLength(1, rule),
    z.maxLength(most, rule),
    z.refine((text) => text.isWellFormed(), rule),
  );
}
