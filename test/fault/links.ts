/** The specification of links: each is a report of one caller in one visit of a state. */
import type { Chart, StateNumber } from '../../src/chart/chart.ts';
import { type Answered, no, refused, stateOf } from './answers.ts';
import { counted, hasReported, type Machine } from './machine.ts';
import type { Moment } from './moment.ts';
import { count } from './reporting.ts';
import type { Answer, Link, MakeLink } from './requests.ts';
import { notCurrent } from './turns.ts';

/** A link is made for the present visit, and for a report that would count now. */
export function makeLink(chart: Chart, machine: Machine, request: MakeLink, when: Moment): Answer {
  const { event, by } = request;
  const state = stateOf(chart, request.state);
  const absent = notCurrent(chart, machine, state);
  if (absent !== undefined) return refused(chart, machine, absent);
  if (hasReported(machine, state, { event, by })) return no(chart, machine, 406, 'already-reported');
  const { answer } = reportOf(chart, machine, request, when);
  if (answer.status !== 200) return answer;
  return { status: 201, revision: machine.revision, visit: visitOf(machine, state) };
}

/** Says what a link would do, and does nothing. */
export function showLink(chart: Chart, machine: Machine, link: Link, when: Moment): Answer {
  const { answer } = useLink(chart, machine, link, when);
  return { ...answer, revision: machine.revision };
}

/** A link counts once, and in its visit only; a repeat is told so, also after the visit. */
export function useLink(chart: Chart, machine: Machine, link: Link, when: Moment): Answered {
  const { event, by, visit } = link;
  const state = stateOf(chart, link.state);
  const isRepeat = visit === visitOf(machine, state) && hasReported(machine, state, { event, by });
  const isPresent = visit === machine.snapshot.active.get(state)?.number;
  if (!isRepeat && !isPresent) {
    const answer = { status: 410, problem: 'visit-over', revision: machine.revision };
    return { machine: counted(machine, 'linksOver'), answer };
  }
  const { machine: next, answer } = reportOf(chart, machine, link, when);
  const { status, problem, revision } = answer;
  // A page says why, and lists nothing.
  if (problem !== undefined) return { machine: next, answer: { status, problem, revision } };
  return {
    machine: counted(next, isRepeat ? 'linksAgain' : 'links'),
    answer: { status, revision, isRepeat },
  };
}

function reportOf(chart: Chart, machine: Machine, { state, event, by }: MakeLink | Link, when: Moment) {
  return count(chart, machine, { type: 'update', state, event, by }, when);
}

/** @returns the number of the present visit of a state, or of its last one. */
function visitOf({ visits }: Machine, state: StateNumber): number {
  return visits.get(state) ?? 0;
}
