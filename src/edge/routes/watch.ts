import * as z from 'zod/mini';
import type { Parameter } from '../contract/contract.ts';
import { AFTER, NOTHING, parameter } from '../parameters.ts';
import type { MachineResource } from '../resource.ts';
import { document, problem } from '../responses.ts';
import { openWithin } from '../wait-budget.ts';

/** `Last-Event-ID` (WHATWG HTML, section 9.2.4): the last entry that a reconnecting stream has received. */
const LAST_EVENT_ID: Parameter<number | undefined> = parameter({
  name: 'Last-Event-ID',
  in: 'header',
  says: 'The same, as event streams send it when they reconnect.',
  shape: z.pipe(
    z.string().check(z.regex(/^\d{1,15}$/, '`Last-Event-ID` must be the id of an event of this stream.')),
    z.transform(Number),
  ),
  absent: NOTHING,
});

/** Every change as it happens: server-sent events, or a WebSocket for an upgrade. */
export const watch: MachineResource = {
  path: '/watch',
  methods: {
    GET: {
      right: 'read',
      contract: {
        id: 'watch',
        summary: 'Every change as it happens: server-sent events, or a WebSocket after an upgrade.',
        parameters: [AFTER, LAST_EVENT_ID],
        answers: {
          200: {
            says: 'An endless stream: `id`, `event` (the cause) and `data` (an entry of the history, JSON).',
            content: { 'text/event-stream': 'text' },
          },
        },
        refusals: ['wrong-parameter', 'too-many-waiting'],
      },
      async answer(c, machine) {
        const after = AFTER.read(c);
        if (!after.ok) return problem(after);
        const until = c.get('grant')?.until;
        if (c.req.header('Upgrade')?.toLowerCase() === 'websocket') {
          const response = await openWithin(c.env, machine.name, () =>
            machine.fetch(upgrade(after.value, until)),
          );
          return response instanceof Response ? response : problem(response);
        }
        const last = LAST_EVENT_ID.read(c);
        if (!last.ok) return problem(last);
        const query = { type: 'watch', ...rangeOf(last.value ?? after.value, until) } as const;
        const answer = await openWithin(c.env, machine.name, () => machine.read(query));
        if (!answer.ok) return problem(answer);
        return document(answer.events, 'text/event-stream');
      },
    },
  },
};

function rangeOf(after: number | undefined, until: number | undefined) {
  return { ...(after === undefined ? {} : { after }), ...(until === undefined ? {} : { until }) };
}

/** Makes the upgrade for the object. No URL and no header of the client is passed on, because the object trusts the edge. */
function upgrade(after: number | undefined, until: number | undefined): Request {
  const url = new URL('https://machine/watch');
  if (after !== undefined) url.searchParams.set('after', String(after));
  if (until !== undefined) url.searchParams.set('until', String(until));
  return new Request(url, { headers: { Upgrade: 'websocket' } });
}
