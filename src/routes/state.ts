import { etag, problem } from '../answers.ts';
import { UPDATE } from '../chart/index.ts';
import { refuse } from '../refusal.ts';
import type { MachineResource } from './resource.ts';

/** Is it my turn, and I am done: the original's two requests, answered by its status codes. */
export const state: MachineResource = {
  path: '/state',
  methods: {
    async GET(c, machine) {
      const name = c.req.query('state');
      if (name === undefined) return problem(c, refuse('no-state-named', MISSING));
      const answer = await machine.is(name);
      return answer.ok ? c.text(answer.state, 200, { ETag: etag(answer.revision) }) : problem(c, answer);
    },

    async PUT(c, machine) {
      const name = c.req.query('state');
      if (name === undefined) return problem(c, refuse('no-state-to-update', MISSING));
      const answer = await machine.update({ state: name, event: UPDATE });
      return answer.ok ? c.text(answer.state, 200, { ETag: etag(answer.revision) }) : problem(c, answer);
    },
  },
};

const MISSING = 'The query names no state; ask for one as ?state=NAME.';
