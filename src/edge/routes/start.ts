import { withSubject } from '../parameters.ts';
import { INPUTS_IN_BODY, readInputs } from '../request-inputs.ts';
import type { MachineResource } from '../resource.ts';
import { done, problem } from '../responses.ts';

/** Starts a run with inputs. */
export const start: MachineResource = {
  path: '/start',
  methods: {
    POST: {
      right: 'operate',
      contract: {
        id: 'start',
        summary: 'Starts the run. A repeat with the same inputs changes nothing.',
        inputs:
          'The inputs of the run: ?machines=12&soak=30m. The body has them as well. The others have their defaults.',
        ...INPUTS_IN_BODY,
        answers: {
          201: { says: 'It has started.', headers: ['ETag'] },
          204: { says: 'It is under way with these inputs.', headers: ['ETag'] },
        },
        refusals: ['wrong-parameter', 'wrong-inputs', 'other-inputs', 'too-large', 'too-slow'],
      },
      async answer(c, machine) {
        const given = await readInputs(c);
        if (!given.ok) return problem(given);
        const outcome = await machine.execute({ type: 'start', inputs: given.value, ...withSubject(c) });
        if (!outcome.ok) return problem(outcome);
        return done(outcome.revision, outcome.isNew === true ? 201 : 204);
      },
    },
  },
};
