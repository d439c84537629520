/** The specification of each command and query: the answer, and the machine after it. */
import type { Chart } from '../../src/chart/chart.ts';
import { type Answered, no, refused, stateOf, yes } from './answers.ts';
import { documentOf, holdersOf, missingOf } from './documents.ts';
import { slotsIn } from './fleet.ts';
import { makeLink, showLink, useLink } from './links.ts';
import { changed, claimOf, counted, type Machine } from './machine.ts';
import type { Moment } from './moment.ts';
import { operate } from './operators.ts';
import { giveBack, update } from './reporting.ts';
import { type Request, reportText } from './requests.ts';
import { mayNot, notCurrent } from './turns.ts';

/**
 * Executes a command or answers a query at the moment `when`, at which nothing else is due.
 *
 * @param sent the earliest moment at which the service can have read the request.
 */
export function run(chart: Chart, machine: Machine, request: Request, when: Moment, sent: number): Answered {
  switch (request.type) {
    case 'is':
      return ask(chart, machine, request, when);
    case 'status':
      return { machine, answer: { ...yes(machine), document: documentOf(chart, machine, when) } };
    case 'missing':
      return { machine, answer: { ...yes(machine), names: missingOf(chart, machine) } };
    case 'reports': {
      const reports = (machine.reports.get(stateOf(chart, request.state)) ?? []).map(reportText).sort();
      const hasData = reports.some((text) => text.includes(': '));
      return { machine: hasData ? counted(machine, 'data') : machine, answer: { ...yes(machine), reports } };
    }
    case 'update':
      return update(chart, machine, request, when);
    case 'claim':
      return claim(chart, machine, request.state, request.by, when);
    case 'renew':
      return renew(chart, machine, request.state, request.by, when);
    case 'release': {
      const released = giveBack(machine, stateOf(chart, request.state), request.by, when);
      return { machine: released, answer: { ...yes(released), status: 204 } };
    }
    case 'makeLink':
      return { machine, answer: makeLink(chart, machine, request, when) };
    case 'showLink':
      return { machine, answer: showLink(chart, machine, request, when) };
    case 'useLink':
      return useLink(chart, machine, request, when);
    default:
      return operate(chart, machine, request, when, sent);
  }
}

function ask(
  chart: Chart,
  machine: Machine,
  { state, by }: { readonly state: string; readonly by?: string },
  when: Moment,
): Answered {
  const why = mayNot(chart, machine, { state: stateOf(chart, state), by }, when);
  if (why === undefined) return { machine, answer: yes(machine) };
  const isNever = ['already-reported', 'not-for-you', 'not-a-member'].includes(why.problem);
  return {
    machine: isNever ? counted(machine, 'turnedAway') : machine,
    answer: refused(chart, machine, why),
  };
}

function claim(chart: Chart, machine: Machine, name: string, by: string, when: Moment): Answered {
  const state = stateOf(chart, name);
  const absent = notCurrent(chart, machine, state);
  if (absent !== undefined) return { machine, answer: refused(chart, machine, absent) };
  const { slots } = chart.model.states[state] ?? {};
  if (slots === undefined) return { machine, answer: no(chart, machine, 406, 'no-slots') };
  const why = mayNot(chart, machine, { state, by, again: true }, when);
  if (why !== undefined) {
    const answer = refused(chart, machine, why);
    const isFree = (answer.holders?.length ?? 0) < (slotsIn(chart, machine, state) ?? 0);
    const isCooled = why.problem === 'slots-taken' && isFree;
    return { machine: isCooled ? counted(machine, 'cooled') : machine, answer };
  }
  const held = claimOf(machine, state, by);
  const until = { from: when.from + slots.lease, to: when.to + slots.lease };
  const rest = machine.claims.filter((other) => other !== held);
  const next = { ...machine, claims: [...rest, { state, by, until }] };
  const claimed = changed(counted(next, 'claims'), when);
  return { machine: claimed, answer: yes(claimed) };
}

/** Renews a slot that the caller holds, and takes none. */
function renew(chart: Chart, machine: Machine, name: string, by: string, when: Moment): Answered {
  const state = stateOf(chart, name);
  const absent = notCurrent(chart, machine, state);
  if (absent !== undefined) return { machine, answer: refused(chart, machine, absent) };
  if (claimOf(machine, state, by) !== undefined) return claim(chart, machine, name, by, when);
  const holders = holdersOf(machine, state);
  return { machine, answer: { ...no(chart, machine, 406, 'not-holder'), holders } };
}
