/** `only`: for whom a state is. A key that neither the original nor XState has, the same in both dialects. */
import * as z from 'zod/mini';

export const OnlyField = {
  only: z
    .optional(
      z.string({ error: 'must be an expression in CEL over `member`, such as `member.zone == "eu"`' }),
    )
    .check(
      z.describe(
        'For whom it is, with all states inside it: an expression in CEL over `member.name` and the labels of the member.',
      ),
    ),
};
