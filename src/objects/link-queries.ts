import { countsAt, nameOf } from '../chart/chart.ts';
import type { LinkedReport } from '../commands.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { Draft } from './draft.ts';
import type { LinkAnswer, LinkQuery } from './link-results.ts';
import { hasReported, presentVisit, reportByLink } from './linking.ts';
import { findCurrent, findState } from './lookup.ts';
import { activeNames } from './machine-state.ts';
import { recordsIn } from './records.ts';
import { alreadyReported, machineGone } from './refusals.ts';
import type { Runtime } from './runtime.ts';

/** Answers what a report by a link would do now: applies it to a draft that is not committed. */
export async function linkAnswer(runtime: Runtime, query: LinkQuery): Promise<LinkAnswer | Refusal> {
  const { visit: asked } = query;
  const machine = runtime.current() ?? (asked === undefined ? await runtime.read() : machineGone());
  if ('ok' in machine) return machine;
  if (machine.preview !== undefined) return NOT_BEGUN;
  const now = Date.now();
  const draft = new Draft(machine, recordsIn(runtime.store));
  const link = asked === undefined ? newLink(draft, query, now) : { ...query, visit: asked };
  if ('ok' in link) return link;
  const outcome = reportByLink(draft, link, now);
  if (!outcome.ok) return outcome;
  const { chart, snapshot, revision } = machine;
  const found = findState(machine, link.state);
  return {
    ok: true,
    revision,
    state: link.state,
    visit: link.visit,
    states: activeNames(chart, snapshot),
    next: outcome.states,
    counts: found.ok ? countsAt(chart, snapshot, found.state, link.event) : [],
    isPaused: snapshot.terms.paused !== undefined,
    isReported: outcome.isRepeat,
  };
}

/** Makes the report of a link for the present visit of a state. */
function newLink(draft: Draft, query: LinkQuery, now: number): LinkedReport | Refusal {
  const { machine } = draft;
  const { event, by } = query;
  const found = findCurrent(machine, query.state, now);
  if (!found.ok) return found;
  const { state } = found;
  if (hasReported(draft, state, event, by)) return alreadyReported(machine, state, by);
  return { ...query, state: nameOf(machine.chart, state), visit: presentVisit(machine, state) };
}

const NOT_BEGUN = refuse(
  'not-begun',
  'A link is for a visit of a state, and the run has not begun: begin it with POST …/start, a report or a claim.',
);
