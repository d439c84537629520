import { formatAddress } from '../address.ts';
import { etag, json, problem } from '../answers.ts';
import { HISTORY_PAGE, HISTORY_PAGE_MAX } from '../limits.ts';
import { showEntry } from '../watchers.ts';
import { wholeNumber } from './parameters.ts';
import type { MachineResource } from './resource.ts';

/** What happened, newest first; `before` and `limit` turn the pages. NDJSON for who accepts that. */
export const history: MachineResource = {
  path: '/history',
  methods: {
    async GET(c, machine, address) {
      const before = wholeNumber(c, 'before', 1, Number.MAX_SAFE_INTEGER);
      if (!before.ok) return problem(c, before);
      const limit = wholeNumber(c, 'limit', 1, HISTORY_PAGE_MAX);
      if (!limit.ok) return problem(c, limit);
      const most = limit.value ?? HISTORY_PAGE;
      const answer = await machine.history(before.value ?? Number.MAX_SAFE_INTEGER, most);
      if (!answer.ok) return problem(c, answer);
      const entries = answer.entries.map(showEntry);
      if (c.req.header('Accept')?.includes('application/x-ndjson')) {
        const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
        const headers = { 'Content-Type': 'application/x-ndjson', ETag: etag(answer.revision) };
        return c.body(lines, 200, headers);
      }
      const next = entries.length === most ? entries.at(-1)?.id : undefined;
      const body = {
        machine: formatAddress(address),
        history: entries,
        ...(next === undefined ? {} : { before: next }),
      };
      return json(c, JSON.stringify(body, null, 2), answer.revision);
    },
  },
};
