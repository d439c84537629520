import type { Context } from 'hono';
import type { Parsed } from '../../inputs.ts';
import { ClaimShape } from '../contract/document-shapes.ts';
import type { AppEnv } from '../env.ts';
import { CALLER, flag, STATE, withSubject } from '../parameters.ts';
import type { MachineResource } from '../resource.ts';
import { done, etag, json, problem } from '../responses.ts';

const RENEW = flag(
  'renew',
  'Whether only a slot that the caller holds is renewed: a caller that has lost its slot gets no other.',
);

/** Claims: take or renew a slot of a state, and free it. */
export const claims: MachineResource = {
  path: '/claims',
  methods: {
    POST: {
      right: 'update',
      contract: {
        id: 'claim',
        summary: 'Takes a slot of the state, or renews it.',
        parameters: [STATE, CALLER, RENEW],
        answers: {
          200: {
            says: 'The slot is held. `ETag` is a fencing token.',
            content: { 'application/json': ClaimShape },
            headers: ['ETag'],
          },
        },
        refusals: [
          'wrong-parameter',
          'ambiguous-state',
          'not-current',
          'cannot-come',
          'no-slots',
          'closed',
          'slots-taken',
          'final-state',
          'not-holder',
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
        const renew = RENEW.read(c);
        if (!renew.ok) return problem(renew);
        const type = renew.value ? 'renew' : 'claim';
        const outcome = await machine.execute({ type, state, by, ...withSubject(c) });
        if (!outcome.ok) return problem(outcome);
        const { revision, until, lease = until - Date.now() } = outcome;
        const ends = new Date(until).toISOString();
        const body = { state: outcome.state, by: outcome.by, until: ends, lease: lease / 1_000 };
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
