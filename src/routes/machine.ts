import { done, etag, json, problem, respond } from '../answers.ts';
import { ifNoneMatch, wait } from './parameters.ts';
import type { MachineResource } from './resource.ts';

/** The machine itself: its status document, and its end. */
export const machine: MachineResource = {
  path: '',
  methods: {
    GET: {
      right: 'read',
      async answer(c, machine) {
        const ms = wait(c);
        if (!ms.ok) return problem(ms);
        const answer = await machine.status(ifNoneMatch(c), ms.value);
        if (!answer.ok) return problem(answer);
        if (answer.unchanged) return respond(null, 304, { ETag: etag(answer.revision) });
        return json(answer.status, { ETag: etag(answer.revision) });
      },
    },

    DELETE: {
      right: 'admin',
      async answer(_, machine) {
        const answer = await machine.erase();
        return answer.ok ? done() : problem(answer);
      },
    },
  },
};
