import { done, problem } from '../answers.ts';
import { caller, subject } from './parameters.ts';
import type { MachineResource } from './resource.ts';

/** Starts the machine over from its newest chart. */
export const reset: MachineResource = {
  path: '/reset',
  methods: {
    POST: {
      right: 'admin',
      async answer(c, machine) {
        const by = caller(c);
        if (!by.ok) return problem(by);
        const answer = await machine.reset(by.value, subject(c));
        return answer.ok ? done(answer.revision) : problem(answer);
      },
    },
  },
};
