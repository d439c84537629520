import type { Context } from 'hono';
import type { Inputs } from '../../chart/chart.ts';
import { INPUTS_BYTES } from '../../chart-limits.ts';
import { type Parsed, parseInput } from '../../inputs.ts';
import { refuse } from '../../refusal.ts';
import { readText } from '../body.ts';
import { ANY_TYPE } from '../contract/contract.ts';
import { InputsShape } from '../contract/document-parts.ts';
import { IF_MATCH, withSubject } from '../parameters.ts';
import { inputsInQuery } from '../query.ts';
import type { MachineResource } from '../resource.ts';
import { done, problem } from '../responses.ts';

/** Gives a running machine other inputs. */
export const inputs: MachineResource = {
  path: '/inputs',
  methods: {
    PATCH: {
      right: 'operate',
      contract: {
        id: 'setInputs',
        summary:
          'Changes inputs of a machine that runs. Slots and quorums follow at once; timers that are set stay.',
        parameters: [IF_MATCH],
        inputs: 'The inputs to change: ?batch=10. The body has them as well.',
        body: { 'application/json': InputsShape, ...ANY_TYPE },
        isBodyOptional: true,
        answers: { 204: { says: 'They are changed.', headers: ['ETag'] } },
        refusals: ['wrong-parameter', 'wrong-inputs', 'wrong-revision', 'too-large', 'too-slow'],
      },
      async answer(c, machine) {
        const revisions = IF_MATCH.read(c);
        if (!revisions.ok) return problem(revisions);
        const body = await inputsInBody(c);
        if (!body.ok) return problem(body);
        const outcome = await machine.execute({
          type: 'inputs',
          inputs: { ...inputsInQuery(c), ...body.value },
          ...(revisions.value === undefined ? {} : { revisions: revisions.value }),
          ...withSubject(c),
        });
        return outcome.ok ? done(outcome.revision) : problem(outcome);
      },
    },
  },
};

const RULE = 'The body must be a JSON object of inputs, such as {"batch": 10}.';

async function inputsInBody(c: Context): Promise<Parsed<Inputs>> {
  const text = await readText(c, 2 * INPUTS_BYTES);
  if (!text.ok) return text;
  if (text.value.trim() === '') return { ok: true, value: {} };
  try {
    const parsed = parseInput(InputsShape, JSON.parse(text.value));
    return parsed.ok ? parsed : refuse('wrong-parameter', RULE);
  } catch {
    return refuse('wrong-parameter', RULE);
  }
}
