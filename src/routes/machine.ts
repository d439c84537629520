import { etag, json, problem } from '../answers.ts';
import { ifNoneMatch, wait } from './parameters.ts';
import type { MachineResource } from './resource.ts';

/** The machine itself: its status document, and its end. */
export const machine: MachineResource = {
  path: '',
  methods: {
    async GET(c, machine) {
      const ms = wait(c);
      if (!ms.ok) return problem(c, ms);
      const answer = await machine.status(ifNoneMatch(c), ms.value);
      if (!answer.ok) return problem(c, answer);
      if (answer.unchanged) return c.body(null, 304, { ETag: etag(answer.revision) });
      return json(c, answer.status, answer.revision);
    },

    async DELETE(c, machine) {
      const answer = await machine.erase();
      return answer.ok ? c.body(null, 204) : problem(c, answer);
    },
  },
};
