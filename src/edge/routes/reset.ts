import { BY, readSender } from '../parameters.ts';
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
        const sender = readSender(c);
        if (!sender.ok) return problem(sender);
        const outcome = await machine.execute({ type: 'reset', ...sender.value });
        return outcome.ok ? done(outcome.revision) : problem(outcome);
      },
    },
  },
};
