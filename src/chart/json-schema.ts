import * as z from 'zod/mini';
import { EditedSequence } from './sequence-shape.ts';
import { StatechartShape } from './statechart/statechart-shape.ts';

/**
 * The JSON Schema (draft 7, which editors know best) of both dialects, made from the very shapes that charts are
 * checked against. What only `readChart` can say (targets that exist, expressions that can be read) is not in it.
 */
export function chartSchema(): object {
  const schema = z.toJSONSchema(z.union([EditedSequence, StatechartShape]), {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    reused: 'ref',
  });
  return {
    $schema: schema.$schema,
    title: 'A StateService chart',
    description:
      'A sequence (it has `current_state`) or a statechart (it has `initial`, or `type: parallel`).',
    ...schema,
  };
}
