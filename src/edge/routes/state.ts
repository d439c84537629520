import type { Context } from 'hono';
import type { Accepted } from '../../commands.ts';
import { checkState, type Parsed } from '../../inputs.ts';
import { type Refusal, refuse } from '../../refusal.ts';
import { type ReportBody, readData, readWebhook } from '../body.ts';
import { ANY_TYPE, type Contract } from '../contract/contract.ts';
import { JsonShape } from '../contract/document-parts.ts';
import { REPORT_REFUSALS } from '../contract/report-refusals.ts';
import type { AppEnv } from '../env.ts';
import { BY, EVENT, MAX_STALE, STATE, UPDATE_OPTIONS, updateOptions, WAIT } from '../parameters.ts';
import { queryOf } from '../query.ts';
import type { RemoteMachine } from '../remote-machine.ts';
import type { MachineResource } from '../resource.ts';
import { problem, text } from '../responses.ts';
import { waitWithin } from '../wait-budget.ts';

const CURRENT = { content: { 'text/plain': 'text' }, headers: ['ETag'] } as const;

/** Not required here: a request without it gets the original's status, not `wrong-parameter`. */
const OPTIONAL_STATE = { ...STATE, isRequired: false };

/** The caller that asks. */
const ASKED_BY = {
  ...BY,
  says: 'The caller: 200 only if there is something for it to do. The state is current and for it, it has not reported in this visit, its windows are open, and a slot is free or its own.',
};

/** What a request that asks takes, and its answers. */
const ASKING = {
  summary: 'Whether the state is current.',
  parameters: [OPTIONAL_STATE, ASKED_BY, WAIT, MAX_STALE],
  answers: { 200: { ...CURRENT, headers: ['ETag', 'Age'], says: 'It is current.' } },
  refusals: [
    'wrong-parameter',
    'ambiguous-state',
    'no-state-named',
    'not-current',
    'cannot-come',
    'paused',
    'no-members',
    'not-a-member',
    'not-for-you',
    'already-reported',
    'closed',
    'slots-taken',
    'too-many-waiting',
  ],
} as const satisfies Omit<Contract, 'id'>;

/** What a report takes, and its answers. */
const REPORTING = {
  summary:
    'Reports: sends an event to the state. The body, if there is one, is its data: JSON, whatever its type.',
  parameters: [OPTIONAL_STATE, EVENT, ...UPDATE_OPTIONS],
  body: { 'application/json': JsonShape, ...ANY_TYPE },
  isBodyOptional: true,
  answers: {
    200: {
      ...CURRENT,
      says: 'The state was current and took the event, now or in an earlier request with the same `by` or key.',
    },
  },
  refusals: [
    'wrong-parameter',
    'ambiguous-state',
    'reserved-event',
    'not-current',
    'cannot-come',
    ...REPORT_REFUSALS,
    'wrong-revision',
    'key-reused',
    'too-large',
    'too-slow',
    'no-state-to-update',
  ],
} as const satisfies Omit<Contract, 'id'>;

/** The original's two requests, with its status codes: whether a state is current, and a report to it. */
export const state: MachineResource = {
  path: '/state',
  methods: {
    GET: { right: 'read', contract: { id: 'isCurrent', ...ASKING }, answer: ask },
    PUT: {
      right: 'update',
      contract: { id: 'update', ...REPORTING },
      answer: (c, machine) => report(c, machine, readData),
    },
  },
};

/** The same question for callers that can only `POST`. The body is ignored. */
export const askByPost: MachineResource = {
  path: '/ask',
  methods: {
    POST: {
      right: 'read',
      contract: {
        id: 'ask',
        ...ASKING,
        summary: 'Whether the state is current, for callers that can only POST. The body is ignored.',
        body: ANY_TYPE,
        isBodyOptional: true,
      },
      answer: ask,
    },
  },
};

/** The same report for callers that can only `POST`. A body that is no data does not keep the report from counting. */
export const reportByPost: MachineResource = {
  path: '/report',
  methods: {
    POST: {
      right: 'update',
      contract: {
        id: 'report',
        ...REPORTING,
        summary:
          'Reports, for callers that can only POST. A body that is too large for data, or no JSON and not said to be, is left out.',
      },
      answer: (c, machine) => report(c, machine, readWebhook),
    },
  },
};

async function ask(c: Context<AppEnv>, machine: RemoteMachine): Promise<Response> {
  const { state: name } = queryOf(c);
  if (name === undefined) return problem(refuse('no-state-named', MISSING));
  const wrong = checkState(name);
  if (wrong !== undefined) return problem(wrong);
  const ms = WAIT.read(c);
  if (!ms.ok) return problem(ms);
  const by = ASKED_BY.read(c);
  if (!by.ok) return problem(by);
  const stale = MAX_STALE.read(c);
  if (!stale.ok) return problem(stale);
  const asked = {
    type: 'is',
    state: name,
    ...(by.value === undefined ? {} : { by: by.value }),
  } as const;
  const query = ms.value === 0 ? asked : { ...asked, wait: ms.value };
  if (stale.value === 0 || by.value !== undefined)
    return show(name, await waitWithin(c.env, machine.name, ms.value, () => machine.read(query)));
  const told = await waitWithin(c.env, machine.name, ms.value, () => machine.readStale(query, stale.value));
  return 'age' in told ? aged(show(name, told.answer), told.age) : problem(told);
}

/** @param read reads the body. */
async function report(
  c: Context<AppEnv>,
  machine: RemoteMachine,
  read: (c: Context) => Promise<Parsed<ReportBody>>,
): Promise<Response> {
  const { state } = queryOf(c);
  if (state === undefined) return problem(refuse('no-state-to-update', MISSING));
  const wrong = checkState(state);
  if (wrong !== undefined) return problem(wrong);
  const event = EVENT.read(c);
  if (!event.ok) return problem(event);
  const options = updateOptions(c);
  if (!options.ok) return problem(options);
  const data = await read(c);
  if (!data.ok) return problem(data);
  const command = {
    type: 'update',
    state,
    event: event.value,
    ...options.value,
    ...data.value,
  } as const;
  return show(state, await machine.execute(command));
}

const MISSING = 'The query names no state; ask for one as ?state=NAME.';

/** Says how old the answer may be: RFC 9111, section 5.1. */
function aged(response: Response, age: number): Response {
  response.headers.set('Age', String(Math.ceil(age / 1_000)));
  return response;
}

/** Renders success as the name in the request. */
function show(name: string, result: Accepted | Refusal): Response {
  return result.ok ? text(name, result.revision) : problem(result);
}
