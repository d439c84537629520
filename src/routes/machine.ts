import { json, problem } from '../answers.ts';
import type { MachineResource } from './resource.ts';

/** The status document. */
export const machine: MachineResource = {
  path: '',
  methods: {
    async GET(c, machine) {
      const answer = await machine.status();
      if (!answer.ok) return problem(c, answer);
      return json(c, answer.status, answer.revision);
    },
  },
};
