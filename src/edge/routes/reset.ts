import { wantsPage } from '../browsers.tsx';
import { BY, readSender } from '../parameters.ts';
import { pathOf } from '../reader.ts';
import type { MachineResource } from '../resource.ts';
import { done, problem, respond } from '../responses.ts';

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
        answers: {
          204: { says: 'It has restarted.', headers: ['ETag'] },
          303: { says: 'It has restarted; a browser goes to its page.', headers: ['Location'] },
        },
        refusals: ['wrong-parameter', 'wrong-inputs'],
      },
      async answer(c, machine) {
        const sender = readSender(c);
        if (!sender.ok) return problem(sender);
        const outcome = await machine.execute({ type: 'reset', ...sender.value });
        if (!outcome.ok) return problem(outcome);
        const { address, name } = machine;
        if (wantsPage(c)) return respond(null, 303, { Location: pathOf(address, name) || '/' });
        return done(outcome.revision);
      },
    },
  },
};
