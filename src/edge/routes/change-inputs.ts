import { IF_MATCH, withSubject } from '../parameters.ts';
import { INPUTS_IN_BODY, readInputs } from '../request-inputs.ts';
import type { MachineResource } from '../resource.ts';
import { done, problem } from '../responses.ts';

/** Gives a running machine other inputs. */
export const inputs: MachineResource = {
  path: '/inputs',
  methods: {
    PATCH: {
      right: 'operate',
      contract: {
        id: 'setInputs',
        summary:
          'Changes inputs of a machine that runs. Slots and quorums follow at once; timers that are set stay.',
        parameters: [IF_MATCH],
        inputs: 'The inputs to change: ?batch=10. The body has them as well.',
        ...INPUTS_IN_BODY,
        answers: { 204: { says: 'They are changed.', headers: ['ETag'] } },
        refusals: ['wrong-parameter', 'wrong-inputs', 'wrong-revision', 'too-large', 'too-slow'],
      },
      async answer(c, machine) {
        const revisions = IF_MATCH.read(c);
        if (!revisions.ok) return problem(revisions);
        const given = await readInputs(c);
        if (!given.ok) return problem(given);
        const outcome = await machine.execute({
          type: 'inputs',
          inputs: given.value,
          ...(revisions.value === undefined ? {} : { revisions: revisions.value }),
          ...withSubject(c),
        });
        return outcome.ok ? done(outcome.revision) : problem(outcome);
      },
    },
  },
};
