import type { Context } from 'hono';
import { formatAddress } from '../address.ts';
import { json, problem } from '../answers.ts';
import { HISTORY_PAGE, HISTORY_PAGE_MAX } from '../limits.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { HistoryEntry } from '../store.ts';
import type { MachineResource } from './resource.ts';

/** What happened, newest first; `before` and `limit` turn the pages. */
export const history: MachineResource = {
  path: '/history',
  methods: {
    async GET(c, machine, address) {
      const before = wholeNumber(c, 'before', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
      if (typeof before !== 'number') return problem(c, before);
      const limit = wholeNumber(c, 'limit', HISTORY_PAGE, HISTORY_PAGE_MAX);
      if (typeof limit !== 'number') return problem(c, limit);
      const answer = await machine.history(before, limit);
      if (!answer.ok) return problem(c, answer);
      const entries = answer.entries.map(showEntry);
      const next = entries.length === limit ? entries.at(-1)?.id : undefined;
      const body = {
        machine: formatAddress(address),
        history: entries,
        ...(next === undefined ? {} : { before: next }),
      };
      return json(c, JSON.stringify(body, null, 2), answer.revision);
    },
  },
};

function showEntry({ at, ...entry }: HistoryEntry) {
  return { ...entry, at: new Date(at).toISOString() };
}

/** Reads a parameter that is a whole number from 1 to `most`. */
function wholeNumber(c: Context, name: string, otherwise: number, most: number): number | Refusal {
  const text = c.req.query(name);
  if (text === undefined) return otherwise;
  const number = /^\d{1,16}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= most) return number;
  return refuse('wrong-parameter', `\`${name}\` must be a whole number from 1 to ${most}.`);
}
