import { etag, json, problem } from '../answers.ts';
import { namedCaller, namedState } from './parameters.ts';
import type { MachineResource } from './resource.ts';

/** Who may work now, where only so many may: take or renew a slot, and give it back. */
export const claims: MachineResource = {
  path: '/claims',
  methods: {
    async POST(c, machine) {
      const state = namedState(c);
      if (!state.ok) return problem(c, state);
      const by = namedCaller(c);
      if (!by.ok) return problem(c, by);
      const answer = await machine.claim(state.value, by.value);
      if (!answer.ok) return problem(c, answer);
      const { revision, ...claim } = answer;
      const body = { state: claim.state, by: claim.by, until: new Date(claim.until).toISOString() };
      return json(c, JSON.stringify(body, null, 2), revision);
    },

    async DELETE(c, machine) {
      const state = namedState(c);
      if (!state.ok) return problem(c, state);
      const by = namedCaller(c);
      if (!by.ok) return problem(c, by);
      const answer = await machine.release(state.value, by.value);
      return answer.ok ? c.body(null, 204, { ETag: etag(answer.revision) }) : problem(c, answer);
    },
  },
};
