import type { Context } from 'hono';
import type { Parsed } from '../../inputs.ts';
import { ClaimShape } from '../contract/documents.ts';
import type { AppEnv } from '../env.ts';
import { CALLER, STATE, withSubject } from '../parameters.ts';
import type { MachineResource } from '../resource.ts';
import { done, etag, json, problem } from '../responses.ts';

/** Claims: take or renew a slot of a state, and free it. */
export const claims: MachineResource = {
  path: '/claims',
  methods: {
    POST: {
      right: 'update',
      contract: {
        id: 'claim',
        summary: 'Takes a slot of the state, or renews it.',
        parameters: [STATE, CALLER],
        answers: {
          200: { says: 'The slot is held.', content: { 'application/json': ClaimShape }, headers: ['ETag'] },
        },
        refusals: [
          'wrong-parameter',
          'ambiguous-state',
          'not-current',
          'cannot-come',
          'no-slots',
          'closed',
          'slots-taken',
          'paused',
          'no-members',
          'not-a-member',
          'not-for-you',
        ],
      },
      async answer(c, machine) {
        const slot = namedSlot(c);
        if (!slot.ok) return problem(slot);
        const { state, by } = slot.value;
        const outcome = await machine.execute({ type: 'claim', state, by, ...withSubject(c) });
        if (!outcome.ok) return problem(outcome);
        const { revision, ...claim } = outcome;
        const body = { state: claim.state, by: claim.by, until: new Date(claim.until).toISOString() };
        return json(body, { ETag: etag(revision) });
      },
    },

    DELETE: {
      right: 'update',
      contract: {
        id: 'release',
        summary: 'Frees a slot without a report.',
        parameters: [STATE, CALLER],
        answers: { 204: { says: 'The slot is free.', headers: ['ETag'] } },
        refusals: ['wrong-parameter', 'ambiguous-state', 'not-current'],
      },
      async answer(c, machine) {
        const slot = namedSlot(c);
        if (!slot.ok) return problem(slot);
        const { state, by } = slot.value;
        const outcome = await machine.execute({ type: 'release', state, by, ...withSubject(c) });
        return outcome.ok ? done(outcome.revision) : problem(outcome);
      },
    },
  },
};

/** Reads the state and the caller. */
function namedSlot(c: Context<AppEnv>): Parsed<{ readonly state: string; readonly by: string }> {
  const state = STATE.read(c);
  if (!state.ok) return state;
  const by = CALLER.read(c);
  return by.ok ? { ok: true, value: { state: state.value, by: by.value } } : by;
}
