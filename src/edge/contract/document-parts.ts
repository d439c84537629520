/** Parts of the documents that several of them have. Times are ISO 8601. */
import * as z from 'zod/mini';
import type { Count, Json, NamedValue } from '../../chart/chart.ts';
import type { Inputs } from '../../chart/terms.ts';

export const time = (says: string) => z.iso.datetime().check(z.describe(says));
export const stateNames = (says: string) => z.array(z.string()).check(z.describe(says));
export const revision = z
  .int()
  .check(
    z.minimum(0),
    z.describe('Counts the committed changes of one machine, from 1; 0 for a run that has not begun.'),
  );
export const address = z.string().check(z.describe('`tenant/chart`, `tenant/chart@run` or `default`.'));
export const dialect = z.enum(['sequence', 'statechart']);
export const progress = z.enum(['active', 'done']).check(z.describe('`done`: nothing more can happen.'));

export const tags = z
  .array(z.string())
  .check(z.describe('The tags of the active states. `failed` on a final state: the machine has failed.'));

/** Any JSON value. */
export const JsonShape: z.ZodMiniType<Json> = z.union([
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

export const ValueShape: z.ZodMiniType<NamedValue> = z
  .union([
    z.string(),
    z.record(
      z.string(),
      z.lazy(() => ValueShape),
    ),
  ])
  .check(
    z.describe(
      'The active states as XState shows them: a name, or a mapping of names to the states that are active inside.',
    ),
  );

/** The values of inputs, by name. */
export const InputsShape = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean(), z.null()]),
) satisfies z.ZodMiniType<Inputs>;

export const CountShape = z.strictObject({
  state: z.string(),
  event: z.string(),
  have: z.number().check(z.describe('The count now.')),
  need: z
    .nullable(z.number())
    .check(
      z.describe(
        'The count at which the transition is taken; null for a share of the members where there is no list of them.',
      ),
    ),
}) satisfies z.ZodMiniType<Count>;
