import { BY, withSubject } from '../parameters.ts';
import type { MachineResource } from '../resource.ts';
import { done, problem } from '../responses.ts';

/** Starts the machine over from its newest chart. */
export const reset: MachineResource = {
  path: '/reset',
  methods: {
    POST: {
      right: 'admin',
      contract: {
        id: 'reset',
        summary: 'Starts over from the newest chart; the history goes on.',
        parameters: [BY],
        answers: { 204: { says: 'It has begun anew.', headers: ['ETag'] } },
        refusals: ['wrong-parameter'],
      },
      async answer(c, machine) {
        const by = BY.read(c);
        if (!by.ok) return problem(by);
        const answer = await machine.execute({
          type: 'reset',
          ...(by.value === undefined ? {} : { by: by.value }),
          ...withSubject(c),
        });
        return answer.ok ? done(answer.revision) : problem(answer);
      },
    },
  },
};
