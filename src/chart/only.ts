/** `only`: for whom a state is. A key that neither the original nor XState has, the same in both dialects. */
import * as z from 'zod';

export const OnlyField = {
  only: z
    .string({ error: 'must be an expression in CEL over `member`, such as `member.zone == "eu"`' })
    .optional()
    .describe(
      'For whom it is, with all states inside it: an expression in CEL over `member.name` and the labels of the member.',
    ),
};
