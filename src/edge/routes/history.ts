import { HISTORY_PAGE, HISTORY_PAGE_MAX } from '../../limits.ts';
import { showEntry } from '../../objects/shown-entry.ts';
import { EntryShape, HistoryShape } from '../contract/documents.ts';
import { wholeNumber } from '../parameters.ts';
import type { MachineResource } from '../resource.ts';
import { document, etag, json, problem } from '../responses.ts';

const BEFORE = wholeNumber('before', 1, Number.MAX_SAFE_INTEGER, 'Only entries with smaller ids.');
const LIMIT = wholeNumber(
  'limit',
  1,
  HISTORY_PAGE_MAX,
  `The most entries of a page; ${HISTORY_PAGE} by default.`,
);

/** The history, newest first, in pages by `before` and `limit`; as NDJSON if the request accepts that. */
export const history: MachineResource = {
  path: '/history',
  methods: {
    GET: {
      right: 'read',
      contract: {
        id: 'history',
        summary: 'The history, newest first.',
        parameters: [BEFORE, LIMIT],
        answers: {
          200: {
            says: 'A page of the history; with `Accept: application/x-ndjson`, a line for each entry. A page of long entries ends before `limit`.',
            content: { 'application/json': HistoryShape, 'application/x-ndjson': EntryShape },
            headers: ['ETag'],
          },
        },
        refusals: ['wrong-parameter'],
      },
      async answer(c, machine) {
        const before = BEFORE.read(c);
        if (!before.ok) return problem(before);
        const limit = LIMIT.read(c);
        if (!limit.ok) return problem(limit);
        const answer = await machine.read({
          type: 'history',
          before: before.value ?? Number.MAX_SAFE_INTEGER,
          limit: limit.value ?? HISTORY_PAGE,
        });
        if (!answer.ok) return problem(answer);
        const entries = answer.entries.map(showEntry);
        if (c.req.header('Accept')?.includes('application/x-ndjson')) {
          const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
          return document(lines, 'application/x-ndjson', { ETag: etag(answer.revision) });
        }
        const next = answer.hasMore ? entries.at(-1)?.id : undefined;
        const body = {
          machine: machine.name,
          history: entries,
          ...(next === undefined ? {} : { before: next }),
        };
        return json(body, { ETag: etag(answer.revision) });
      },
    },
  },
};
