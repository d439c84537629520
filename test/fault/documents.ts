/** The specification of the queries: what a machine says of itself. */
import { type Chart, isRelated, nameOf, quorums, type StateNumber, takes } from '../../src/chart/chart.ts';
import { whoSaid } from './callers.ts';
import { type Amount, hasWindows, isOpen, membersFor, needIn, slotsIn, thatCount } from './fleet.ts';
import type { Machine } from './machine.ts';
import type { Moment } from './moment.ts';
import type { Document } from './requests.ts';

export function documentOf(chart: Chart, machine: Machine, when: Moment): Document {
  const { snapshot, revision, paused } = machine;
  const { members, inputs } = snapshot.terms;
  return {
    states: statesOf(chart, machine),
    revision,
    // As JSON has it: the core's object has no prototype.
    context: { ...snapshot.machine.context.data },
    inputs,
    members: members === undefined ? null : { total: members.size },
    paused: paused === undefined ? null : { by: paused.by ?? null, reason: paused.reason ?? null },
    quorums: quorums(chart, snapshot).map(({ state, event, index, have }) => {
      const until = untilOf(chart, state, event, index);
      return {
        state: nameOf(chart, state),
        event,
        have,
        need: needIn(chart, machine, state, until),
        by: thatCount(chart, machine, state, until, whoSaid(machine, state, event)).sort(),
        ...missingStatus(chart, machine, state),
      };
    }),
    claims: [...snapshot.active.keys()].flatMap((state) => {
      if (chart.model.states[state]?.slots === undefined) return [];
      const slots = slotsIn(chart, machine, state);
      return [{ state: nameOf(chart, state), slots, holders: holdersOf(machine, state) }];
    }),
    windows: [...snapshot.active.keys()].flatMap((state) =>
      hasWindows(chart, state)
        ? [{ state: nameOf(chart, state), open: isOpen(chart, state, when.from) }]
        : [],
    ),
  };
}

function untilOf(chart: Chart, state: StateNumber, event: string, index: number): Amount {
  const transitions = chart.model.states[state]?.on?.find((other) => other.event === event)?.transitions;
  return transitions?.[index]?.quorum?.until ?? 0;
}

function missingStatus(chart: Chart, machine: Machine, state: StateNumber) {
  const { members } = machine.snapshot.terms;
  if (members === undefined) return {};
  const expected = membersFor(chart, members, state);
  const missing = expected.filter((name) => !hasSaid(chart, machine, state, name)).sort();
  return { expected: expected.length, missing: { count: missing.length, names: missing } };
}

/** @returns the names of the members that an active state expects, and that have not reported to it. */
export function missingOf(chart: Chart, machine: Machine): string[] {
  const { active, terms } = machine.snapshot;
  const missing = [...active.keys()]
    .filter((state) => takes(chart, state, 'update') || countedIn(chart, machine, state).length > 0)
    .flatMap((state) =>
      membersFor(chart, terms.members ?? new Map(), state).filter(
        (name) => !hasSaid(chart, machine, state, name),
      ),
    );
  return [...new Set(missing)].sort();
}

function hasSaid(chart: Chart, machine: Machine, state: StateNumber, by: string): boolean {
  const events = [...countedIn(chart, machine, state), 'update'];
  return events.some((event) => whoSaid(machine, state, event).includes(by));
}

function countedIn(chart: Chart, { snapshot }: Machine, state: StateNumber): string[] {
  return quorums(chart, snapshot).flatMap((quorum) => (quorum.state === state ? [quorum.event] : []));
}

/** @returns the active states that a report is one to, each with the event under which it counts the report. */
export function concerned(chart: Chart, { snapshot }: Machine, address: StateNumber, event: string) {
  const counting = quorums(chart, snapshot)
    .filter((quorum) => quorum.event === event && isRelated(chart.model, address, quorum.state))
    .map(({ state }) => state);
  return new Set(event === 'update' ? [...counting, address] : counting);
}

export function statesOf(chart: Chart, { snapshot }: Machine): string[] {
  return [...snapshot.active.keys()].map((state) => nameOf(chart, state));
}

export function holdersOf({ claims }: Machine, state: StateNumber): string[] {
  const held = claims.filter((claim) => claim.state === state);
  return held.map(({ by }) => by).sort();
}
