/** Histories written by hand, call by call. */
import { NO_TERMS, readChart } from '../../src/chart/chart.ts';
import type { Update } from '../../src/commands.ts';
import { withHeard } from './heard.ts';
import type { Operation } from './history.ts';
import { linearize } from './linearizability.ts';
import { modelOf } from './model.ts';
import { exactly } from './moment.ts';
import type { Answer, Document, Request } from './requests.ts';

export type Call = Operation<Request, Answer>;

/** `work` is left after three reports of holders of its only slot, or after a second and a half. */
const SLOW = chartOf(
  JSON.stringify({
    initial: 'work',
    states: {
      work: {
        slots: 1,
        lease: '1s',
        on: { update: { target: 'rest', quorum: 3 } },
        after: { '1500ms': 'rest' },
      },
      rest: { on: { update: { target: 'work', quorum: 2 } } },
    },
  }),
);

export function isAccepted(history: readonly Call[], chart = SLOW, terms = NO_TERMS): boolean {
  const setting = { chart, terms, started: exactly(0), ahead: exactly(0) };
  return linearize(withHeard(history), modelOf(setting)).ok;
}

/** Each call takes a millisecond. */
export function answered(called: number, request: Request, answer: Answer): Call {
  return { client: '', request, called, outcome: { known: true, answer, returned: called + 1 } };
}

export function died(called: number, request: Request, until: number): Call {
  return { client: '', request, called, outcome: { known: false, until } };
}

export function ask(called: number, state: string, answer: Answer): Call {
  return answered(called, { type: 'is', state }, answer);
}

export function report(called: number, said: Partial<Update>, revision: number): Call {
  return answered(called, reportOf(said), yes(revision));
}

export function reportOf(said: Partial<Update>): Update {
  return { type: 'update', state: 'a', event: 'update', ...said };
}

export function yes(revision: number): Answer {
  return { status: 200, revision };
}

export function refused(revision: number, problem: string, states: readonly string[], status = 406): Answer {
  return { status, revision, problem, states };
}

export function claimOf(by: string) {
  return { type: 'claim', state: 'work', by } as const;
}

export function claim(
  called: number,
  by: string,
  { revision, until }: { revision: number; until: number },
): Call {
  return answered(called, claimOf(by), {
    ...yes(revision),
    moments: { leases: [{ state: 'work', by, until }] },
  });
}

/** A status query of `IDLE` in its first state. */
export function read(called: number, revision: number, have: number): Call {
  const quorums = [{ state: 'a', event: 'update', have, need: 3, by: [] }];
  const document: Document = {
    states: ['a'],
    revision,
    context: {},
    inputs: {},
    members: null,
    paused: null,
    quorums,
    claims: [],
    windows: [],
  };
  return answered(called, { type: 'status' }, { ...yes(revision), document });
}

export function chartOf(text: string) {
  const reading = readChart(text);
  if (!reading.ok) throw new Error(reading.errors.map(({ message }) => message).join('\n'));
  return reading.chart;
}
