/** The shapes of a sequence: for checking documents, and for the JSON Schema that editors use. */
import * as z from 'zod/mini';
import { CHART_STATES } from '../chart-limits.ts';
import { NotifyField } from './notify.ts';
import { OnlyField } from './only.ts';
import { InputsField } from './run-inputs.ts';
import { SlotsFields } from './slots.ts';
import { parseTimestamp, TIMESTAMP } from './time.ts';
import { WindowFields } from './window.ts';

const NameShape = z.union([z.string(), z.number(), z.boolean()], {
  error: 'must be a name, such as `green_state`',
});
const LabelShape = z.union([z.string(), z.number(), z.boolean()], {
  error: 'must be a label, such as `count`',
});
const NumberShape = z.number({ error: 'must be a number, such as 0 or 2.5, without quotes' }).check(
  z.refine(Number.isFinite, { error: 'must be a finite number' }),
  z.refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), {
    error: `must be between ${Number.MIN_SAFE_INTEGER} and ${Number.MAX_SAFE_INTEGER}, where counting by 1 is exact`,
  }),
);
const MOMENT = {
  error: 'must be a time: `2026-12-01T02:00:00` (UTC), or with an offset, `2026-12-01T02:00:00+02:00`',
};
/** The original's format has seconds. */
const IN_FULL = /T\d\d:\d\d:\d\d/;
const TimestampShape = z
  .string(MOMENT)
  .check(z.refine((text) => IN_FULL.test(text) && parseTimestamp(text) !== undefined, MOMENT));

const measureShape = <Value extends z.ZodMiniType>(value: Value) =>
  z.object({ key: LabelShape, value }, { error: 'must be a mapping, such as `{key: count, value: 1}`' });
const targetShape = <Value extends z.ZodMiniType>(value: Value) =>
  z.object(
    { name: NameShape, when: measureShape(value) },
    { error: 'must be a mapping, such as `{name: red_state, when: {key: count, value: 1}}`' },
  );

export const StateShapes = {
  increment: z.object({
    name: NameShape,
    func: z.literal('increment'),
    current: measureShape(NumberShape),
    target: targetShape(NumberShape),
    ...SlotsFields,
    ...OnlyField,
    ...WindowFields,
  }),
  time: z.object({
    name: NameShape,
    func: z.literal('time'),
    target: targetShape(TimestampShape),
    ...SlotsFields,
    ...OnlyField,
    ...WindowFields,
  }),
  final: z.object({ name: NameShape }, { error: 'must be a mapping with at least a `name`' }),
} as const;

export const FUNCTIONS = ['increment', 'time'] as const;

const CHART = { error: 'must be a mapping with `current_state` and `states`' };
const listShape = <State extends z.ZodMiniType>(state: State) =>
  z
    .array(state, { error: 'must be a list of states' })
    .check(
      z.minLength(1, { error: 'must name at least one state' }),
      z.maxLength(CHART_STATES, { error: `must name at most ${CHART_STATES} states` }),
    );

/** The document without its states. Each state is checked on its own, against the shape of its `func`. */
export const ChartShape = z.object(
  { current_state: NameShape, ...InputsField, ...NotifyField, states: listShape(z.unknown()) },
  CHART,
);

const measureFor = (value: z.ZodMiniType) =>
  z.strictObject({
    key: LabelShape.check(z.describe('A label for people; it is never compared.')),
    value,
  });
const targetFor = (value: z.ZodMiniType) =>
  z.strictObject({
    name: NameShape.check(z.describe('The name of the next state.')),
    when: measureFor(value).check(z.describe('The condition for leaving the state.')),
  });

/**
 * A state in the JSON Schema: one object with every key, so that editors complete each key. `func` decides which keys
 * belong together. Unknown keys are errors here, and warnings when a chart is read.
 */
const EditedState = z
  .strictObject({
    name: NameShape.check(z.describe('The name of the state.')),
    func: z
      .optional(z.enum(FUNCTIONS))
      .check(
        z.describe('`increment` counts updates, `time` waits for a moment. A state without it is final.'),
      ),
    current: z
      .optional(measureFor(z.number().check(z.describe('The present count.'))))
      .check(z.describe('For `increment`: the present count.')),
    target: z
      .optional(
        targetFor(
          z
            .union([z.number(), z.string().check(z.regex(TIMESTAMP))])
            .check(
              z.describe(
                'For `increment`: the count at which the state is left. For `time`: the moment, 2026-12-01T02:00:00.',
              ),
            ),
        ),
      )
      .check(z.describe('The next state, and the condition for it.')),
    ...SlotsFields,
    ...OnlyField,
    ...WindowFields,
  })
  .check(
    z.meta({
      allOf: [
        forFunction('increment', ['current', 'target'], { type: 'number' }),
        forFunction('time', ['target'], { type: 'string' }),
        {
          if: { properties: { func: false } },
          // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
          then: { properties: { current: false, target: false } },
        },
      ],
    }),
  );

/** The other keys that a `func` requires, as JSON Schema. */
function forFunction(func: (typeof FUNCTIONS)[number], required: readonly string[], value: object) {
  return {
    if: { properties: { func: { const: func } }, required: ['func'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required, properties: { target: { properties: { when: { properties: { value } } } } } },
  };
}

/** A whole sequence, for the JSON Schema. */
export const EditedSequence = z.strictObject({
  current_state: NameShape.check(z.describe('The name of the state in which the machine starts.')),
  ...InputsField,
  ...NotifyField,
  states: listShape(EditedState).check(z.describe('The states, in any order.')),
});
