import { problem, text } from '../answers.ts';
import { checkEvent } from '../arguments.ts';
import { UPDATE } from '../chart/index.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { updateOptions, wait } from './parameters.ts';
import type { MachineResource } from './resource.ts';

/** Is it my turn, and I am done: the original's two requests, answered by its status codes. */
export const state: MachineResource = {
  path: '/state',
  methods: {
    GET: {
      right: 'read',
      async answer(c, machine) {
        const name = c.req.query('state');
        if (name === undefined) return problem(refuse('no-state-named', MISSING));
        const ms = wait(c);
        if (!ms.ok) return problem(ms);
        return show(name, ms.value === 0 ? await machine.is(name) : await machine.is(name, ms.value));
      },
    },

    PUT: {
      right: 'update',
      async answer(c, machine) {
        const state = c.req.query('state');
        if (state === undefined) return problem(refuse('no-state-to-update', MISSING));
        const event = c.req.query('event') ?? UPDATE;
        const wrong = checkEvent(event);
        if (wrong !== undefined) return problem(wrong);
        const options = updateOptions(c);
        if (!options.ok) return problem(options);
        return show(state, await machine.update(state, event, options.value));
      },
    },
  },
};

const MISSING = 'The query names no state; ask for one as ?state=NAME.';

/** Yes is told by the name that was asked for. */
function show(name: string, answer: number | Refusal): Response {
  return typeof answer === 'number' ? text(name, answer) : problem(answer);
}
