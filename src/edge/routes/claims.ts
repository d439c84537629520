import type { Context } from 'hono';
import type { Parsed } from '../../inputs.ts';
import { ClaimShape } from '../contract/documents.ts';
import type { AppEnv } from '../env.ts';
import { CALLER, STATE, withSubject } from '../parameters.ts';
import type { MachineResource } from '../resource.ts';
import { done, etag, json, problem } from '../responses.ts';

/** Who may work now, where only so many may: take or renew a slot, and give it back. */
export const claims: MachineResource = {
  path: '/claims',
  methods: {
    POST: {
      right: 'update',
      contract: {
        id: 'claim',
        summary: 'May I work now? Takes a slot of the state, or renews it.',
        parameters: [STATE, CALLER],
        answers: {
          200: { says: 'It is held.', content: { 'application/json': ClaimShape }, headers: ['ETag'] },
        },
        refusals: [
          'wrong-parameter',
          'ambiguous-state',
          'not-current',
          'cannot-come',
          'no-slots',
          'slots-taken',
        ],
      },
      async answer(c, machine) {
        const slot = namedSlot(c);
        if (!slot.ok) return problem(slot);
        const { state, by } = slot.value;
        const answer = await machine.execute({ type: 'claim', state, by, ...withSubject(c) });
        if (!answer.ok) return problem(answer);
        const { revision, ...claim } = answer;
        const body = { state: claim.state, by: claim.by, until: new Date(claim.until).toISOString() };
        return json(body, { ETag: etag(revision) });
      },
    },

    DELETE: {
      right: 'update',
      contract: {
        id: 'release',
        summary: 'Gives a slot back without a report.',
        parameters: [STATE, CALLER],
        answers: { 204: { says: 'It is not held any more.', headers: ['ETag'] } },
        refusals: ['wrong-parameter', 'ambiguous-state', 'not-current'],
      },
      async answer(c, machine) {
        const slot = namedSlot(c);
        if (!slot.ok) return problem(slot);
        const { state, by } = slot.value;
        const answer = await machine.execute({ type: 'release', state, by, ...withSubject(c) });
        return answer.ok ? done(answer.revision) : problem(answer);
      },
    },
  },
};

/** Which state's slot, and whose. */
function namedSlot(c: Context<AppEnv>): Parsed<{ readonly state: string; readonly by: string }> {
  const state = STATE.read(c);
  if (!state.ok) return state;
  const by = CALLER.read(c);
  return by.ok ? { ok: true, value: { state: state.value, by: by.value } } : by;
}
