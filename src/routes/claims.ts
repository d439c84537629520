import type { Context } from 'hono';
import { done, etag, json, problem } from '../answers.ts';
import type { AppEnv } from '../env.ts';
import { namedCaller, namedState, type Parsed, subject } from './parameters.ts';
import type { MachineResource } from './resource.ts';

/** Who may work now, where only so many may: take or renew a slot, and give it back. */
export const claims: MachineResource = {
  path: '/claims',
  methods: {
    POST: {
      right: 'update',
      async answer(c, machine) {
        const slot = namedSlot(c);
        if (!slot.ok) return problem(slot);
        const { state, by } = slot.value;
        const answer = await machine.claim(state, by, subject(c));
        if (!answer.ok) return problem(answer);
        const { revision, ...claim } = answer;
        const body = { state: claim.state, by: claim.by, until: new Date(claim.until).toISOString() };
        return json(body, { ETag: etag(revision) });
      },
    },

    DELETE: {
      right: 'update',
      async answer(c, machine) {
        const slot = namedSlot(c);
        if (!slot.ok) return problem(slot);
        const { state, by } = slot.value;
        const answer = await machine.release(state, by, subject(c));
        return answer.ok ? done(answer.revision) : problem(answer);
      },
    },
  },
};

/** Which state's slot, and whose. */
function namedSlot(c: Context<AppEnv>): Parsed<{ readonly state: string; readonly by: string }> {
  const state = namedState(c);
  if (!state.ok) return state;
  const by = namedCaller(c);
  return by.ok ? { ok: true, value: { state: state.value, by: by.value } } : by;
}
