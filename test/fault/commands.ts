/** The specification of each command and query: the answer, and the machine after it. */
import {
  type Chart,
  isActive,
  isRelated,
  nameOf,
  quorums,
  reachable,
  type Snapshot,
  type StateNumber,
  send,
} from '../../src/chart/chart.ts';
import type { Update } from '../../src/commands.ts';
import {
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
import { type Answer, type Document, type Request, reportText } from './wire.ts';

/** A machine after a request, and its answer without moments. */
export interface Answered {
  readonly machine: Machine;
  readonly answer: Answer;
}

/** Executes a command or answers a query at the moment `when`, at which nothing else is due. */
export function run(chart: Chart, machine: Machine, request: Request, when: Moment): Answered {
  switch (request.type) {
    case 'is': {
      const no = notCurrent(chart, machine, request.state);
      return { machine, answer: no ?? yes(machine) };
    }
    case 'status':
      return { machine, answer: { ...yes(machine), document: documentOf(chart, machine) } };
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
  }
}

/** A repeat under the same key gets the first answer; another request under that key is refused. */
function update(chart: Chart, machine: Machine, request: Update, when: Moment): Answered {
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

function count(chart: Chart, machine: Machine, request: Update, when: Moment): Answered {
  const { event, by, revisions, data } = request;
  const text = data === undefined ? {} : { data };
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
  const absent = notCurrent(chart, machine, request.state);
  if (absent !== undefined) return { machine, answer: absent };
  // A slot is for work that is counted: `update`, and events that a quorum waits for.
  const isCounted =
    event === 'update' ||
    quorums(chart, machine.snapshot).some(
      (quorum) => quorum.event === event && isRelated(chart.model, state, quorum.state),
    );
  for (const slot of isCounted ? touched : []) {
    if (by !== undefined && claimOf(machine, slot, by) !== undefined) continue;
    return {
      machine,
      answer: { ...no(chart, machine, 406, 'not-holder'), holders: holdersOf(machine, slot) },
    };
  }
  const parsed = data === undefined ? {} : { data: JSON.parse(data) };
  const sent = (now: number) =>
    send(chart, machine.snapshot, { type: event, address: state, ...parsed }, now);
  if (!sent(when.from).ok) return { machine, answer: no(chart, machine, 406, 'not-taken') };
  const reported = by === undefined ? machine : withReport(machine, state, { event, by, ...text });
  const mine = by === undefined ? [] : touched.flatMap((slot) => claimOf(machine, slot, by) ?? []);
  const next = moved(mine.reduce(without, reported), when, sent);
  return { machine: next, answer: yes(next) };
}

function claim(chart: Chart, machine: Machine, name: string, by: string, when: Moment): Answered {
  const absent = notCurrent(chart, machine, name);
  if (absent !== undefined) return { machine, answer: absent };
  const state = stateOf(chart, name);
  const { slots } = chart.model.states[state] ?? {};
  if (slots === undefined) return { machine, answer: no(chart, machine, 406, 'no-slots') };
  const held = claimOf(machine, state, by);
  const others = machine.claims.filter((other) => other.state === state && other !== held);
  if (others.length >= countOf(slots)) {
    const holders = holdersOf(machine, state);
    return { machine, answer: { ...no(chart, machine, 406, 'slots-taken'), holders } };
  }
  const until = { from: when.from + slots.lease, to: when.to + slots.lease };
  const rest = machine.claims.filter((other) => other !== held);
  const next = { ...machine, claims: [...rest, { state, by, until }] };
  const claimed = changed(counted(next, 'claims'), when);
  return { machine: claimed, answer: yes(claimed) };
}

/** Renews a slot that the caller holds, and takes none. */
function renew(chart: Chart, machine: Machine, name: string, by: string, when: Moment): Answered {
  const absent = notCurrent(chart, machine, name);
  if (absent !== undefined) return { machine, answer: absent };
  const state = stateOf(chart, name);
  if (claimOf(machine, state, by) !== undefined) return claim(chart, machine, name, by, when);
  const holders = holdersOf(machine, state);
  return { machine, answer: { ...no(chart, machine, 406, 'not-holder'), holders } };
}

/** The charts of crash runs have plain numbers of slots. */
function countOf({ count }: { readonly count: unknown }): number {
  if (typeof count !== 'number') throw new Error('a number of slots is expected');
  return count;
}

function giveBack(machine: Machine, state: StateNumber, by: string, when: Moment): Machine {
  const held = claimOf(machine, state, by);
  return held === undefined ? machine : changed(without(machine, held), when);
}

/** The refusal of a state that is not current. */
function notCurrent(chart: Chart, machine: Machine, name: string): Answer | undefined {
  const state = stateOf(chart, name);
  if (isActive(machine.snapshot, state)) return undefined;
  const mayCome = reachableFrom(chart, machine.snapshot).has(state);
  return no(chart, machine, 406, mayCome ? 'not-current' : 'cannot-come');
}

function yes({ revision }: Machine): Answer {
  return { status: 200, revision };
}

function no(chart: Chart, machine: Machine, status: number, problem: string): Answer {
  return { status, problem, revision: machine.revision, states: statesOf(chart, machine) };
}

function documentOf(chart: Chart, machine: Machine): Document {
  const { snapshot, revision } = machine;
  return {
    states: statesOf(chart, machine),
    revision,
    // As JSON has it: the core's object has no prototype.
    context: { ...snapshot.machine.context.data },
    quorums: quorums(chart, snapshot).map(({ state, event, have, until }) => {
      const reports = (machine.reports.get(state) ?? []).filter((report) => report.event === event);
      const by = reports.map((report) => report.by).sort();
      return { state: nameOf(chart, state), event, have, need: until ?? 0, by };
    }),
    claims: [...snapshot.active.keys()].flatMap((state) => {
      const { slots } = chart.model.states[state] ?? {};
      if (slots === undefined) return [];
      const holders = holdersOf(machine, state);
      return [{ state: nameOf(chart, state), slots: countOf(slots), holders }];
    }),
  };
}

function statesOf(chart: Chart, { snapshot }: Machine): string[] {
  return [...snapshot.active.keys()].map((state) => nameOf(chart, state));
}

function holdersOf({ claims }: Machine, state: StateNumber): string[] {
  const held = claims.filter((claim) => claim.state === state);
  return held.map(({ by }) => by).sort();
}

function reachableFrom(chart: Chart, snapshot: Snapshot): ReadonlySet<StateNumber> {
  const known = reaches.get(snapshot) ?? reachable(chart, snapshot);
  reaches.set(snapshot, known);
  return known;
}

const reaches = new WeakMap<Snapshot, ReadonlySet<StateNumber>>();

/** @returns the state of a name. The clients name states that the chart has. */
export function stateOf({ names }: Chart, name: string): StateNumber {
  const found = names.find(name);
  if (!found?.ok) throw new Error(`the chart has no state ${name}`);
  return found.state;
}
