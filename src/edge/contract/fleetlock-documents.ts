/** Schemas of the documents of FleetLock. */
import * as z from 'zod/mini';
import { CallerShape } from '../../inputs.ts';
import { CALLER_LENGTH } from '../../request-limits.ts';

/** An error of FleetLock. */
export const FaultShape = z.strictObject({
  kind: z.string(),
  value: z.string(),
});

/** The body of a FleetLock request. */
export const FleetLockShape = z.object({
  client_params: z.object({
    id: CallerShape,
    // The protocol's characters, and `_`, which names of states may have.
    group: z
      .string()
      .check(
        z.maxLength(CALLER_LENGTH),
        z.regex(/^[A-Za-z0-9._-]+$/),
        z.describe('The name of a state with slots; `default` is the current one.'),
      ),
  }),
});
