import { done, etag, json, problem } from '../answers.ts';
import { namedCaller, namedState, subject } from './parameters.ts';
import type { MachineResource } from './resource.ts';

/** Who may work now, where only so many may: take or renew a slot, and give it back. */
export const claims: MachineResource = {
  path: '/claims',
  methods: {
    POST: {
      right: 'update',
      async answer(c, machine) {
        const state = namedState(c);
        if (!state.ok) return problem(state);
        const by = namedCaller(c);
        if (!by.ok) return problem(by);
        const answer = await machine.claim(state.value, by.value, subject(c));
        if (!answer.ok) return problem(answer);
        const { revision, ...claim } = answer;
        const body = { state: claim.state, by: claim.by, until: new Date(claim.until).toISOString() };
        return json(body, { ETag: etag(revision) });
      },
    },

    DELETE: {
      right: 'update',
      async answer(c, machine) {
        const state = namedState(c);
        if (!state.ok) return problem(state);
        const by = namedCaller(c);
        if (!by.ok) return problem(by);
        const answer = await machine.release(state.value, by.value, subject(c));
        return answer.ok ? done(answer.revision) : problem(answer);
      },
    },
  },
};
