import { BY, withSubject } from '../parameters.ts';
import type { MachineResource } from '../resource.ts';
import { done, problem } from '../responses.ts';

/** Restarts the machine from its newest chart. */
export const reset: MachineResource = {
  path: '/reset',
  methods: {
    POST: {
      right: 'admin',
      contract: {
        id: 'reset',
        summary: 'Restarts the machine from the newest chart. The history goes on.',
        parameters: [BY],
        answers: { 204: { says: 'It has restarted.', headers: ['ETag'] } },
        refusals: ['wrong-parameter', 'wrong-inputs'],
      },
      async answer(c, machine) {
        const by = BY.read(c);
        if (!by.ok) return problem(by);
        const outcome = await machine.execute({
          type: 'reset',
          ...(by.value === undefined ? {} : { by: by.value }),
          ...withSubject(c),
        });
        return outcome.ok ? done(outcome.revision) : problem(outcome);
      },
    },
  },
};
