import { REPORTS_PAGE, REPORTS_PAGE_MAX } from '../../limits.ts';
import type { KeptReport } from '../../store/receipt-table.ts';
import { ReportsShape } from '../contract/document-shapes.ts';
import { STATE, wholeNumber } from '../parameters.ts';
import type { MachineResource } from '../resource.ts';
import { etag, json, problem } from '../responses.ts';

const AFTER = wholeNumber('after', 0, Number.MAX_SAFE_INTEGER, '`after` of the page before.');
const LIMIT = wholeNumber(
  'limit',
  1,
  REPORTS_PAGE_MAX,
  `The most reports of a page; ${REPORTS_PAGE} by default.`,
);

/** The reports of the present visit of a state, or of its last one: the oldest first, in pages by `after` and `limit`. */
export const reports: MachineResource = {
  path: '/reports',
  methods: {
    GET: {
      right: 'read',
      contract: {
        id: 'reports',
        summary:
          'The reports of the present visit of a state, or of its last one if it was left, the oldest first.',
        parameters: [STATE, AFTER, LIMIT],
        answers: {
          200: {
            says: 'A page of the reports that were sent to the state with a `by`. A page of long reports ends before `limit`.',
            content: { 'application/json': ReportsShape },
            headers: ['ETag'],
          },
        },
        refusals: ['wrong-parameter', 'ambiguous-state', 'not-current'],
      },
      async answer(c, machine) {
        const state = STATE.read(c);
        if (!state.ok) return problem(state);
        const after = AFTER.read(c);
        if (!after.ok) return problem(after);
        const limit = LIMIT.read(c);
        if (!limit.ok) return problem(limit);
        const answer = await machine.read({
          type: 'reports',
          state: state.value,
          ...(after.value === undefined ? {} : { after: after.value }),
          limit: limit.value ?? REPORTS_PAGE,
        });
        if (!answer.ok) return problem(answer);
        const { revision } = answer;
        const last = answer.hasMore ? answer.reports.at(-1)?.number : undefined;
        const body = {
          machine: machine.name,
          state: answer.state,
          reports: answer.reports.map(showReport),
          ...(last === undefined ? {} : { after: last }),
        };
        return json(body, { ETag: etag(revision) });
      },
    },
  },
};

function showReport({ by, event, at, data }: KeptReport) {
  return {
    by,
    event,
    at: at === null ? null : new Date(at).toISOString(),
    ...(data === undefined ? {} : { data: JSON.parse(data) }),
  };
}
