/** The specification of reports. */
import { type Chart, isRelated, quorums, type StateNumber, send } from '../../src/chart/chart.ts';
import type { Update } from '../../src/commands.ts';
import { type Answered, no, refused, stateOf, yes } from './answers.ts';
import { isCounted, withCounted, withSaid } from './callers.ts';
import { concerned, holdersOf } from './documents.ts';
import { noPart } from './fleet.ts';
import {
  type Claim,
  changed,
  claimOf,
  counted,
  hasReported,
  type Machine,
  moved,
  slotsTouched,
  withAnswer,
  without,
  withReport,
} from './machine.ts';
import type { Moment } from './moment.ts';
import { notCurrent } from './turns.ts';

/** A repeat under the same key gets the first answer; another request under that key is refused. */
export function update(chart: Chart, machine: Machine, request: Update, when: Moment): Answered {
  const { key, ...what } = request;
  if (key === undefined) return count(chart, machine, request, when);
  const asked = JSON.stringify(what);
  const first = machine.answered.byKey.get(key);
  if (first === undefined) {
    const answered = count(chart, machine, request, when);
    return { ...answered, machine: withAnswer(answered.machine, key, asked, answered.answer) };
  }
  if (first.request === asked) return { machine: counted(machine, 'repeated'), answer: first.answer };
  return { machine, answer: no(chart, machine, 422, 'key-reused') };
}

/** Counts a report without regard to its key. */
export function count(chart: Chart, machine: Machine, request: Update, when: Moment): Answered {
  const { event, by, revisions, data } = request;
  const state = stateOf(chart, request.state);
  const touched = slotsTouched(chart, machine, state, event);
  if (by !== undefined && hasReported(machine, state, { event, by })) {
    // A repeat frees the slot, too.
    const released = touched.reduce((rest, slot) => giveBack(rest, slot, by, when), machine);
    return { machine: counted(released, 'repeated'), answer: yes(released) };
  }
  if (revisions !== undefined && !revisions.includes(machine.revision)) {
    return { machine, answer: no(chart, machine, 412, 'wrong-revision') };
  }
  const absent = notCurrent(chart, machine, state);
  if (absent !== undefined) return { machine, answer: refused(chart, machine, absent) };
  const counting = quorums(chart, machine.snapshot).filter(
    (quorum) => quorum.event === event && isRelated(chart.model, state, quorum.state),
  );
  const lacksList = counting.some(({ until }) => until === null);
  const part = noPart(chart, machine, state, by) ?? (lacksList ? 'no-members' : undefined);
  if (part !== undefined)
    return { machine: counted(machine, 'strangers'), answer: no(chart, machine, 406, part) };
  // A slot is for work that is counted: `update`, and events that a quorum waits for.
  const isWork = event === 'update' || counting.length > 0;
  for (const slot of isWork ? touched : []) {
    if (by !== undefined && claimOf(machine, slot, by) !== undefined) continue;
    return {
      machine,
      answer: { ...no(chart, machine, 406, 'not-holder'), holders: holdersOf(machine, slot) },
    };
  }
  const parsed = data === undefined ? {} : { data: JSON.parse(data) };
  const caller =
    by === undefined
      ? {}
      : { by, isCountedBy: (at: StateNumber) => isCounted(chart, machine, at, event, by) };
  const sentAt = (now: number) =>
    send(chart, machine.snapshot, { type: event, address: state, ...parsed, ...caller }, now);
  const first = sentAt(when.from);
  // A step is most of what a call costs the search.
  const sent = (now: number) => (now === when.from ? first : sentAt(now));
  if (!first.ok) return { machine, answer: no(chart, machine, 406, 'not-taken') };
  if (by === undefined) {
    const next = moved(machine, when, sent);
    return { machine: next, answer: yes(next) };
  }
  const said = withSaid(machine, concerned(chart, machine, state, event), { event, by });
  const reported = withReport(said, state, { event, by, ...(data === undefined ? {} : { data }) });
  const mine = touched.flatMap((slot) => claimOf(machine, slot, by) ?? []);
  const freed = mine.reduce((rest, held) => coolDown(chart, without(rest, held), held, when), reported);
  const next = withCounted(chart, moved(freed, when, sent), machine.snapshot, by);
  return { machine: next, answer: yes(next) };
}

/** A slot that a report frees stays taken until its cooldown is over. */
function coolDown(chart: Chart, machine: Machine, { state }: Claim, { from, to }: Moment): Machine {
  const { cooldown } = chart.model.states[state]?.slots ?? {};
  if (cooldown === undefined) return machine;
  const until = { from: from + cooldown, to: to + cooldown };
  return { ...machine, cooling: [...machine.cooling, { state, until }] };
}

/** Frees the slot of a caller, if it holds one. */
export function giveBack(machine: Machine, state: StateNumber, by: string, when: Moment): Machine {
  const held = claimOf(machine, state, by);
  return held === undefined ? machine : changed(without(machine, held), when);
}
