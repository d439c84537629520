import { StateShape } from '../../inputs.ts';
import { refuse } from '../../refusal.ts';
import type { Parameter } from '../contract/contract.ts';
import { BY, IF_MATCH, parameter, readConditions } from '../parameters.ts';
import type { MachineResource } from '../resource.ts';
import { done, problem } from '../responses.ts';
import { REASON } from './pause-resume.ts';

const TO: Parameter<string> = parameter({
  name: 'to',
  in: 'query',
  says: 'The state to move to: its `id`, its path, or its key if no other state has the same. A history state leads to what it remembers.',
  isRequired: true,
  shape: StateShape,
  absent: refuse('wrong-parameter', 'The query names no state to move to; add ?to=NAME&reason=WHY.'),
});

/** Moves a machine by hand to any of its states. */
export const override: MachineResource = {
  path: '/override',
  methods: {
    POST: {
      right: 'operate',
      contract: {
        id: 'override',
        summary:
          'Moves the machine by hand to any state, from any, also from its end and while it is paused.',
        parameters: [TO, { ...REASON, isRequired: true }, BY, IF_MATCH],
        answers: { 204: { says: 'It was moved.', headers: ['ETag'] } },
        refusals: [
          'wrong-parameter',
          'ambiguous-state',
          'not-current',
          'expression-failed',
          'over-bound',
          'wrong-revision',
        ],
      },
      async answer(c, machine) {
        const to = TO.read(c);
        if (!to.ok) return problem(to);
        const reason = REASON.read(c);
        if (!reason.ok) return problem(reason);
        if (reason.value === undefined) return problem(refuse('wrong-parameter', NO_REASON));
        const conditions = readConditions(c);
        if (!conditions.ok) return problem(conditions);
        const outcome = await machine.execute({
          type: 'override',
          to: to.value,
          reason: reason.value,
          ...conditions.value,
        });
        return outcome.ok ? done(outcome.revision) : problem(outcome);
      },
    },
  },
};

const NO_REASON = 'An override must say why, for the history: add &reason=WHY.';
