import { document, problem } from '../answers.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { wholeNumber } from './parameters.ts';
import type { MachineResource } from './resource.ts';

/** Every change as it happens: server-sent events, or a WebSocket for who asks for one. */
export const watch: MachineResource = {
  path: '/watch',
  methods: {
    GET: {
      right: 'read',
      async answer(c, machine) {
        const after = wholeNumber(c, 'after', 0, Number.MAX_SAFE_INTEGER);
        if (!after.ok) return problem(after);
        const until = c.get('grant')?.until;
        if (c.req.header('Upgrade')?.toLowerCase() === 'websocket') {
          const response = await machine.fetch(upgrade(after.value, until));
          return response.status === 101 ? response : problem(await response.json<Refusal>());
        }
        const last = c.req.header('Last-Event-ID');
        if (last !== undefined && !/^\d{1,15}$/.test(last)) {
          return problem(
            refuse('wrong-parameter', '`Last-Event-ID` must be the id of an event of this stream.'),
          );
        }
        const answer = await machine.watch(last === undefined ? after.value : Number(last), until);
        if (!answer.ok) return problem(answer);
        return document(answer.events, 'text/event-stream');
      },
    },
  },
};

/** The upgrade as the object takes it: nothing that only the edge may say is taken over from the caller. */
function upgrade(after: number | undefined, until: number | undefined): Request {
  const url = new URL('https://machine/watch');
  if (after !== undefined) url.searchParams.set('after', String(after));
  if (until !== undefined) url.searchParams.set('until', String(until));
  return new Request(url, { headers: { Upgrade: 'websocket' } });
}
