/** `inputs`: what may differ from run to run. The same in both dialects. */
import * as z from 'zod/mini';
import { CHART_INPUTS, CHART_SLOTS, INPUTS_BYTES } from '../chart-limits.ts';
import { type Amount, parseInputAmount } from './amount.ts';
import type { Document } from './document.ts';
import type { IssueList } from './issue.ts';
import type { Model } from './model.ts';
import { offer, quoteShort } from './nearest.ts';
import type { Inputs, Scalar } from './terms.ts';
import { inputOf, parseDelay } from './time.ts';

const INPUT_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;
const NAME =
  'is no name of an input: it has at most 63 letters, digits and `_`, and does not begin with a digit';
const VALUE = { error: 'must be a number, text, a boolean, or null where it must be given' };

export const InputsField = {
  inputs: z
    .optional(
      z
        .record(
          z.string().check(z.regex(INPUT_NAME)),
          z.union([z.string(), z.number(), z.boolean(), z.null()], VALUE),
          {
            error: ({ code }) => (code === 'invalid_key' ? NAME : 'must be a mapping of names to defaults'),
          },
        )
        .check(
          z.refine((inputs) => Object.keys(inputs).length <= CHART_INPUTS, {
            error: `has at most ${CHART_INPUTS} inputs`,
          }),
        ),
    )
    .check(
      z.describe(
        'What may differ from run to run, with defaults; null means that it must be given. Guards and assignments read `inputs.x`; `slots`, `quorum` and the keys of `after` may be `inputs.x`.',
      ),
    ),
};

/** Reads the `inputs` of a document whose shape is right. */
export function inputsOf({ data }: Document): Pick<Model, 'inputs'> {
  const inputs = typeof data === 'object' && data !== null && 'inputs' in data ? data.inputs : undefined;
  return typeof inputs === 'object' && inputs !== null ? { inputs: inputs as Inputs } : {};
}

/**
 * Checks the inputs of a chart: those that it uses exist, and the defaults are right for what they are used for.
 *
 * @returns whether they are right.
 */
export function checkInputs(model: Model, document: Document, issues: IssueList): boolean {
  const before = issues.errors.length;
  const known = Object.keys(model.inputs ?? {});
  for (const input of inputsUsed(model)) {
    if (known.includes(input)) continue;
    const at = document.has(['inputs']) ? ['inputs'] : [];
    const message = `The chart uses \`inputs.${input}\`, and \`inputs\` does not have it.${issues.didYouMean(input, known)}`;
    issues.error(document.locate(at, 'key'), at, message);
  }
  for (const { input, message } of checkDefaults(model)) {
    issues.error(document.locate(['inputs', input]), ['inputs', input], message);
  }
  return issues.errors.length === before;
}

/** An input whose value is wrong, unknown or missing. */
export interface InputProblem {
  readonly input: string;
  readonly message: string;
}

/** An input as a form shows it. */
export interface InputField {
  readonly input: string;
  /** Null: it must be given. */
  readonly byDefault: string | number | boolean | null;
  /** The kind of its values: `a number`. */
  readonly kind: string;
}

/** @returns the inputs of a chart, in its order. */
export function inputFields(model: Model): readonly InputField[] {
  const { durations } = rolesOf(model);
  return Object.entries(defaultsOf(model)).map(([input, byDefault]) => {
    const kind = durations.has(input)
      ? 'a duration, such as 30m'
      : isAmount(model, input)
        ? 'a whole number, or a share such as 10%'
        : kindOf(byDefault);
    return { input, byDefault, kind };
  });
}

/** The values of a run's inputs, or every problem. */
export type SettledInputs =
  | { readonly ok: true; readonly inputs: Inputs }
  | { readonly ok: false; readonly problems: readonly InputProblem[] };

/**
 * Settles the inputs of a run: the values that are given, else those of `base`.
 *
 * @param given by name. Text stands for a number or a boolean where the default is one; where there is no default, if it
 *   is written as one.
 * @param base the defaults of the chart, or the present values.
 */
export function settleInputs(model: Model, given: Inputs, base: Inputs = defaultsOf(model)): SettledInputs {
  const defaults = defaultsOf(model);
  const known = Object.keys(defaults);
  const problems: InputProblem[] = [];
  for (const input of Object.keys(given)) {
    if (!Object.hasOwn(defaults, input)) problems.push({ input, message: unknown(input, known) });
  }
  const inputs: Record<string, Scalar> = {};
  for (const input of known) {
    const asked = Object.hasOwn(given, input) ? given[input] : undefined;
    const value = asked === undefined ? (base[input] ?? null) : convert(model, input, asked);
    const message = value === undefined ? wrongKind(defaults[input]) : problemOf(model, input, value);
    if (message !== undefined) problems.push({ input, message: `\`${input}\` ${message}` });
    inputs[input] = value ?? null;
  }
  if (JSON.stringify(inputs).length > INPUTS_BYTES) {
    problems.push({ input: '', message: `The inputs have more than ${INPUTS_BYTES} bytes.` });
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, inputs };
}

/**
 * Returns the values that a run keeps when another chart, or the same chart anew, replaces its own: those that are right
 * for the other chart as well.
 */
export function keepInputs(model: Model, before: Inputs): SettledInputs {
  const kept = Object.entries(before).filter(
    ([input, value]) => value !== null && settleInputs(model, { [input]: value }, filled(model)).ok,
  );
  return settleInputs(model, Object.fromEntries(kept));
}

/** @returns the chart's own values, with examples for those that must be given. For checking a chart, not for running it. */
export function filled(model: Model): Inputs {
  const values = Object.entries(defaultsOf(model)).map(([input, value]) => {
    if (value !== null) return [input, value];
    return [input, rolesOf(model).durations.has(input) ? '1d' : 1];
  });
  return Object.fromEntries(values);
}

/** @returns what is wrong with the defaults of a chart. */
function checkDefaults(model: Model): InputProblem[] {
  return Object.entries(defaultsOf(model)).flatMap(([input, value]) => {
    const message = value === null ? undefined : problemOf(model, input, value);
    return message === undefined ? [] : [{ input, message: `\`${input}\` ${message}` }];
  });
}

/** @returns the inputs that `slots`, `quorum` and `after` of the chart name. */
function inputsUsed(model: Model): ReadonlySet<string> {
  const { amounts, slots, durations } = rolesOf(model);
  return new Set([...amounts, ...slots, ...durations]);
}

function defaultsOf({ inputs = {} }: Model): Inputs {
  return inputs;
}

/** @returns what is wrong with a value: its kind, or what the chart uses it for. */
function problemOf(model: Model, input: string, value: Scalar): string | undefined {
  if (value === null) return 'must be given: it has no default.';
  const { slots, durations } = rolesOf(model);
  if (isAmount(model, input)) {
    const amount = parseInputAmount(value);
    const isSlots = slots.has(input);
    if (amount === undefined || (isSlots && typeof amount === 'number' && amount > CHART_SLOTS))
      return `must be a whole number ${isSlots ? `from 1 to ${CHART_SLOTS}` : 'of at least 1'}, or a share such as 10%.`;
  }
  if (durations.has(input) && parseDelay(value) === undefined) {
    return 'must be a duration of at least 1s, such as 90s or 30m.';
  }
  return undefined;
}

/** Converts a value to the type of the default. An amount may also be a share, which is text. */
function convert(model: Model, input: string, value: Scalar): Scalar | undefined {
  const byDefault = defaultsOf(model)[input] ?? null;
  if (value === null) return undefined;
  if (typeof value === typeof byDefault) return value;
  if (typeof byDefault === 'string') return isAmount(model, input) ? String(value) : undefined;
  if (typeof value !== 'string') return byDefault === null ? value : undefined;
  if (byDefault === null) return fromText(value);
  if (typeof byDefault === 'boolean') return toBoolean(value);
  return toNumber(value) ?? (isAmount(model, input) ? value : undefined);
}

/** Reads text as a number or a boolean if nothing of it is lost: a version `2.10` and a build `0012` stay text. */
function fromText(text: string): Scalar {
  const number = toNumber(text);
  return String(number) === text ? (number ?? text) : (toBoolean(text) ?? text);
}

function toNumber(text: string): number | undefined {
  const number = /^-?\d{1,17}(\.\d{1,17})?$/.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

function toBoolean(text: string): boolean | undefined {
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

function wrongKind(byDefault: Scalar | undefined): string {
  return byDefault === null
    ? 'must be given: it has no default.'
    : `must be ${kindOf(byDefault)}, as its default is.`;
}

function kindOf(byDefault: Scalar | undefined): string {
  if (byDefault === null) return 'a number, true or false, or text';
  return typeof byDefault === 'number'
    ? 'a number'
    : typeof byDefault === 'boolean'
      ? 'true or false'
      : 'text';
}

function unknown(input: string, known: readonly string[]): string {
  return `The chart has no input ${quoteShort(input)}; ${offer(input, known, 'it has')}`;
}

/** The uses of a chart's inputs. */
interface Roles {
  readonly amounts: ReadonlySet<string>;
  readonly slots: ReadonlySet<string>;
  readonly durations: ReadonlySet<string>;
}

/** Whether the chart uses the input for `slots` or a `quorum`. */
function isAmount(model: Model, input: string): boolean {
  const { amounts, slots } = rolesOf(model);
  return amounts.has(input) || slots.has(input);
}

function rolesOf(model: Model): Roles {
  let known = roles.get(model);
  if (known === undefined) {
    const { states } = model;
    const quorums = states.flatMap(({ on = [] }) =>
      on.flatMap(({ transitions }) => transitions.flatMap(({ quorum }) => quorum?.until ?? [])),
    );
    known = {
      amounts: new Set(quorums.flatMap(inputOfAmount)),
      slots: new Set(states.flatMap(({ slots }) => (slots === undefined ? [] : inputOfAmount(slots.count)))),
      durations: new Set(
        states.flatMap(({ after = [] }) => after.flatMap(({ delay }) => inputOf(delay) ?? [])),
      ),
    };
    roles.set(model, known);
  }
  return known;
}

const roles = new WeakMap<Model, Roles>();

function inputOfAmount(amount: Amount): string[] {
  return typeof amount === 'object' && 'input' in amount ? [amount.input] : [];
}
