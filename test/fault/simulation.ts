/** Histories of one machine that executes one call at a time, by a clock that the test moves. */
import { type Chart, nameOf, type Terms } from '../../src/chart/chart.ts';
import { run } from './commands.ts';
import type { Operation } from './history.ts';
import { begun, type Machine } from './machine.ts';
import { exactly } from './moment.ts';
import { settled } from './passing-time.ts';
import { type Answer, type Moments, type Request, takesLease } from './requests.ts';

/**
 * A request, how long after the one before it takes effect, and how long it took to arrive and to be answered, in
 * whole ms.
 */
export interface Deed {
  readonly request: Request;
  readonly after: number;
  readonly sent: number;
  readonly back: number;
  /** The client does not get the answer. */
  readonly dies?: boolean;
}

/** Executes all requests in order, from the moment 0. */
export function simulate(chart: Chart, terms: Terms, deeds: readonly Deed[]): Operation<Request, Answer>[] {
  let machine = begun(chart, exactly(0), terms);
  let now = 0;
  return deeds.map(({ request, after, sent, back, dies }, i) => {
    now += after;
    // By an exact clock, there is only one result.
    for (const ready of settled(chart, machine, exactly(now))) machine = ready.machine;
    const done = run(chart, machine, request, exactly(now), now);
    const answer = withMoments(chart, done.machine, request, done.answer);
    machine = done.machine;
    const call = { client: `client-${i % 8}`, request, called: now - sent };
    if (dies) return { ...call, outcome: { known: false, until: now + back } };
    return { ...call, outcome: { known: true, answer, returned: now + back } };
  });
}

function withMoments(chart: Chart, machine: Machine, request: Request, answer: Answer): Answer {
  if (answer.problem !== undefined) return answer;
  const leases = machine.claims.map(({ state, by, until }) => ({
    state: nameOf(chart, state),
    by,
    until: until.from,
  }));
  const { paused } = machine;
  const since = paused?.since.from ?? 0;
  const due = [...(paused?.left ?? machine.timers).values()];
  const timers = due.map(({ from }) => since + from).sort((a, b) => a - b);
  const pause = paused && { since, ...(paused.until === undefined ? {} : { until: paused.until.from }) };
  const all: Moments = {
    changed: machine.changed.from,
    timers,
    leases,
    ...(pause === undefined ? {} : { paused: pause }),
  };
  if (request.type === 'status') return { ...answer, moments: all };
  if (!takesLease(request)) return answer;
  return { ...answer, moments: { leases: leases.filter(({ by }) => by === request.by) } };
}
