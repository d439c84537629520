import * as z from 'zod';
import { type Refusal, refuse } from '../../refusal.ts';
import type { Parameter } from '../contract/contract.ts';
import { wholeNumber } from '../parameters.ts';
import type { MachineResource } from '../resource.ts';
import { document, problem } from '../responses.ts';

const AFTER = wholeNumber(
  'after',
  0,
  Number.MAX_SAFE_INTEGER,
  'The id of the entry that was seen last; without it only what is new is told.',
);

/** `Last-Event-ID` (WHATWG HTML, section 9.2.4): what a stream that is made anew has seen last. */
const LAST_EVENT_ID: Parameter<number | undefined> = {
  name: 'Last-Event-ID',
  in: 'header',
  says: 'The same, as event streams say it.',
  shape: z.string().regex(/^\d{1,15}$/),
  read(c) {
    const last = c.req.header('Last-Event-ID');
    if (last === undefined) return { ok: true, value: undefined };
    if (/^\d{1,15}$/.test(last)) return { ok: true, value: Number(last) };
    return refuse('wrong-parameter', '`Last-Event-ID` must be the id of an event of this stream.');
  },
};

/** Every change as it happens: server-sent events, or a WebSocket for who asks for one. */
export const watch: MachineResource = {
  path: '/watch',
  methods: {
    GET: {
      right: 'read',
      contract: {
        id: 'watch',
        summary:
          'Every change as it happens: server-sent events, or a WebSocket for who asks for an upgrade.',
        parameters: [AFTER, LAST_EVENT_ID],
        answers: {
          200: {
            says: 'A stream without an end: `id`, `event` (the cause) and `data` (an entry of the history, JSON).',
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
          const response = await machine.fetch(upgrade(after.value, until));
          return response.status === 101 ? response : problem(await response.json<Refusal>());
        }
        const last = LAST_EVENT_ID.read(c);
        if (!last.ok) return problem(last);
        const answer = await machine.read({ type: 'watch', ...rangeOf(last.value ?? after.value, until) });
        if (!answer.ok) return problem(answer);
        return document(answer.events, 'text/event-stream');
      },
    },
  },
};

function rangeOf(after: number | undefined, until: number | undefined) {
  return { ...(after === undefined ? {} : { after }), ...(until === undefined ? {} : { until }) };
}

/** The upgrade as the object takes it: nothing that only the edge may say is taken over from the caller. */
function upgrade(after: number | undefined, until: number | undefined): Request {
  const url = new URL('https://machine/watch');
  if (after !== undefined) url.searchParams.set('after', String(after));
  if (until !== undefined) url.searchParams.set('until', String(until));
  return new Request(url, { headers: { Upgrade: 'websocket' } });
}
