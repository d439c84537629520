import { etag, problem } from '../answers.ts';
import { caller } from './parameters.ts';
import type { MachineResource } from './resource.ts';

/** Starts the machine over from its newest chart. */
export const reset: MachineResource = {
  path: '/reset',
  methods: {
    async POST(c, machine) {
      const by = caller(c);
      if (!by.ok) return problem(c, by);
      const answer = await machine.reset(by.value);
      return answer.ok ? c.body(null, 204, { ETag: etag(answer.revision) }) : problem(c, answer);
    },
  },
};
