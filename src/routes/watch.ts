import { problem } from '../answers.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { wholeNumber } from './parameters.ts';
import type { MachineResource } from './resource.ts';

/** Every change as it happens: server-sent events, or a WebSocket for who asks for one. */
export const watch: MachineResource = {
  path: '/watch',
  methods: {
    async GET(c, machine) {
      const after = wholeNumber(c, 'after', 0, Number.MAX_SAFE_INTEGER);
      if (!after.ok) return problem(c, after);
      if (c.req.header('Upgrade')?.toLowerCase() === 'websocket') {
        const response = await machine.fetch(c.req.raw);
        return response.status === 101 ? response : problem(c, await response.json<Refusal>());
      }
      const last = c.req.header('Last-Event-ID');
      if (last !== undefined && !/^\d{1,15}$/.test(last)) {
        return problem(
          c,
          refuse('wrong-parameter', '`Last-Event-ID` must be the id of an event of this stream.'),
        );
      }
      const answer = await machine.watch(last === undefined ? after.value : Number(last));
      if (!answer.ok) return problem(c, answer);
      return c.body(answer.events, 200, {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-store',
      });
    },
  },
};
