/** Parts of the documents that several of them have. Times are ISO 8601. */
import * as z from 'zod';
import type { Count, Json, NamedValue } from '../../chart/chart.ts';
import type { Inputs } from '../../chart/terms.ts';

export const time = (says: string) => z.iso.datetime().describe(says);
export const stateNames = (says: string) => z.array(z.string()).describe(says);
export const revision = z
  .int()
  .min(0)
  .describe('Counts the committed changes of one machine, from 1; 0 for a run that has not begun.');
export const address = z.string().describe('`tenant/chart`, `tenant/chart@run` or `default`.');
export const dialect = z.enum(['sequence', 'statechart']);
export const progress = z.enum(['active', 'done']).describe('`done`: nothing more can happen.');

export const tags = z
  .array(z.string())
  .describe('The tags of the active states. `failed` on a final state: the machine has failed.');

/** Any JSON value. */
export const JsonShape: z.ZodType<Json> = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.null(),
  z.array(z.lazy(() => JsonShape)),
  z.record(
    z.string(),
    z.lazy(() => JsonShape),
  ),
]);

export const ValueShape: z.ZodType<NamedValue> = z
  .union([
    z.string(),
    z.record(
      z.string(),
      z.lazy(() => ValueShape),
    ),
  ])
  .describe(
    'The active states as XState shows them: a name, or a mapping of names to the states that are active inside.',
  );

/** The values of inputs, by name. */
export const InputsShape = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean(), z.null()]),
) satisfies z.ZodType<Inputs>;

export const CountShape = z.strictObject({
  state: z.string(),
  event: z.string(),
  have: z.number().describe('The count now.'),
  need: z
    .number()
    .nullable()
    .describe(
      'The count at which the transition is taken; null for a share of the members where there is no list of them.',
    ),
}) satisfies z.ZodType<Count>;
