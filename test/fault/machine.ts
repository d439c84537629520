/**
 * A machine of the model, between two calls. The service's own pure core runs the chart. Everything around it
 * (reports, answers under keys, slots, counts) is implemented a second time here, independently of the service.
 */
import { hash } from 'node:crypto';
import {
  type Chart,
  isWithin,
  type NoStep,
  type Snapshot,
  type StateNumber,
  type Step,
  start,
  storeSnapshot,
  type Terms,
  takes,
} from '../../src/chart/chart.ts';
import type { Heard } from './callers.ts';
import type { Moment } from './moment.ts';
import { type Answer, reportText } from './requests.ts';

export interface Machine extends Heard {
  readonly snapshot: Snapshot;
  readonly revision: number;
  /** When the last change took effect. */
  readonly changed: Moment;
  /** The next call takes effect no earlier, ms since the epoch. */
  readonly now: number;
  /** When each timer is due, by its id. The snapshot has the timers too, at moments that mean nothing here. */
  readonly timers: ReadonlyMap<number, Moment>;
  /** Set while the machine is paused: no timer is set then. The terms in the snapshot have no pause. */
  readonly paused?: Paused;
  readonly claims: readonly Claim[];
  /** Slots that a report has freed, and that stay taken until their cooldown is over. */
  readonly cooling: readonly Omit<Claim, 'by'>[];
  /** By state: the reports of its present visit, or of its last one. */
  readonly reports: ReadonlyMap<StateNumber, readonly Reported[]>;
  /** By state: the number of its present visit, or of its last one. */
  readonly visits: ReadonlyMap<StateNumber, number>;
  readonly answered: Answered;
  /** What happened so far, for the counts of the run. */
  readonly tally: Tally;
}

export interface Claim {
  readonly state: StateNumber;
  readonly by: string;
  readonly until: Moment;
}

/** A pause. A timer goes on at its end with what was left of it at its beginning, in ms. */
export interface Paused {
  readonly since: Moment;
  readonly until?: Moment;
  readonly by?: string;
  readonly reason?: string;
  /** By the timer's id. */
  readonly left: ReadonlyMap<number, Moment>;
}

interface Reported {
  readonly event: string;
  readonly by: string;
  /** JSON. */
  readonly data?: string;
}

/** Requests with an `Idempotency-Key`, and their answers. */
interface Answered {
  readonly byKey: ReadonlyMap<string, { readonly request: string; readonly answer: Answer }>;
  /** A digest of all of them: to write them out at every step would take most of a search's time. */
  readonly digest: number;
}

export interface Tally {
  readonly timers: number;
  readonly expired: number;
  readonly claims: number;
  /** Repeats that got the first answer. */
  readonly repeated: number;
  /** Reports with data that were read later. */
  readonly data: number;
  /** Asks of callers that were told that their part is done, or that they have none. */
  readonly turnedAway: number;
  /** Claims of slots that were free but for their cooldown. */
  readonly cooled: number;
  readonly pauses: number;
  readonly overrides: number;
  /** Reports of callers that have no part in the state. */
  readonly strangers: number;
  /** Transitions that a change of members or inputs has taken. */
  readonly recounted: number;
  /** Links that have counted, were used again, or were refused because their visit was over. */
  readonly links: number;
  readonly linksAgain: number;
  readonly linksOver: number;
}

const NOTHING_YET: Tally = {
  timers: 0,
  expired: 0,
  claims: 0,
  repeated: 0,
  data: 0,
  turnedAway: 0,
  cooled: 0,
  pauses: 0,
  overrides: 0,
  strangers: 0,
  recounted: 0,
  links: 0,
  linksAgain: 0,
  linksOver: 0,
};

/** A machine that has just begun. */
export function begun(chart: Chart, when: Moment, terms: Terms): Machine {
  const nothing: Machine = {
    // For the type only; the step below is the one that counts.
    snapshot: stepped(start(chart, when.from, terms)).snapshot,
    revision: 0,
    changed: when,
    now: when.from,
    timers: new Map(),
    claims: [],
    cooling: [],
    reports: new Map(),
    visits: new Map(),
    said: new Map(),
    counted: new Map(),
    answered: { byKey: new Map(), digest: 0 },
    tally: NOTHING_YET,
  };
  return moved(nothing, when, (now) => start(chart, now, terms));
}

/**
 * Takes a step of the chart, and counts it.
 *
 * @param run the step at a moment, ms since the epoch. It runs at both ends of `when`, which gives the earliest and
 *   the latest time at which the timers that it sets are due.
 */
export function moved(machine: Machine, when: Moment, run: (now: number) => Step | NoStep): Machine {
  const step = stepped(run(when.from));
  const last = step.timersSet.length === 0 ? step : stepped(run(when.to));
  const timers = new Map<number, Moment>();
  const left = new Map<number, Moment>();
  for (const [id, { at }] of step.snapshot.timers) {
    if (machine.paused === undefined) {
      timers.set(id, machine.timers.get(id) ?? { from: at, to: last.snapshot.timers.get(id)?.at ?? at });
    } else {
      const delay = at - when.from;
      left.set(id, machine.paused.left.get(id) ?? { from: delay, to: delay });
    }
  }
  const gone = new Set([...step.left.map(({ state }) => state), ...step.entered]);
  const stays = ({ state }: { readonly state: StateNumber }) => !gone.has(state);
  const reports = new Map(machine.reports);
  for (const state of step.entered) reports.delete(state);
  const next: Machine = {
    ...machine,
    snapshot: step.snapshot,
    timers,
    reports,
    visits: new Map([...machine.visits, ...numbersOf(step.snapshot)]),
    claims: machine.claims.filter(stays),
    cooling: machine.cooling.filter(stays),
    said: new Map([...machine.said].filter(([, callers]) => stays(callers))),
    counted: new Map([...machine.counted].filter(([, callers]) => stays(callers))),
  };
  return changed(
    machine.paused === undefined ? next : { ...next, paused: { ...machine.paused, left } },
    when,
  );
}

function numbersOf({ active }: Snapshot): [StateNumber, number][] {
  return [...active].map(([state, { number }]) => [state, number]);
}

export function changed(machine: Machine, when: Moment): Machine {
  return { ...machine, revision: machine.revision + 1, changed: when };
}

export function counted(machine: Machine, what: keyof Tally): Machine {
  return { ...machine, tally: { ...machine.tally, [what]: machine.tally[what] + 1 } };
}

export function withReport(machine: Machine, state: StateNumber, reported: Reported): Machine {
  const reports = new Map(machine.reports);
  return { ...machine, reports: reports.set(state, [...(reports.get(state) ?? []), reported]) };
}

export function hasReported(
  { reports }: Machine,
  state: StateNumber,
  { event, by }: Pick<Reported, 'event' | 'by'>,
): boolean {
  return (reports.get(state) ?? []).some((other) => other.event === event && other.by === by);
}

export function withAnswer(machine: Machine, key: string, request: string, answer: Answer): Machine {
  const byKey = new Map(machine.answered.byKey).set(key, { request, answer });
  // A sum, because the order does not matter.
  const digest = machine.answered.digest + digestOf(`${key} ${request} ${JSON.stringify(answer)}`);
  return { ...machine, answered: { byKey, digest: digest % 2 ** 52 } };
}

export function claimOf({ claims }: Machine, state: StateNumber, by: string): Claim | undefined {
  return claims.find((claim) => claim.state === state && claim.by === by);
}

export function without(machine: Machine, claim: Claim): Machine {
  return { ...machine, claims: machine.claims.filter((other) => other !== claim) };
}

/** The active states with slots that a report of `event` to `address` concerns: its caller must hold a slot there. */
export function slotsTouched(
  chart: Chart,
  { snapshot }: Machine,
  address: StateNumber,
  event: string,
): StateNumber[] {
  const active = [...snapshot.active.keys()];
  return active.filter((state) => {
    if (chart.model.states[state]?.slots === undefined) return false;
    if (isWithin(chart.model, address, state)) return true;
    const inside = active.filter((other) => isWithin(chart.model, other, state));
    return isWithin(chart.model, state, address) && inside.some((other) => takes(chart, other, event));
  });
}

/** Equal for machines that behave the same from now on. */
export function keyOf(machine: Machine): string {
  const { snapshot, revision, changed, now, timers, paused, claims, cooling, reports, answered } = machine;
  const due = [...timers].map(([id, at]) => `${id} ${snapshot.timers.get(id)?.event} ${range(at)}`);
  const held = claims.map(({ state, by, until }) => `${state} ${by} ${range(until)}`).sort();
  const cools = cooling.map(({ state, until }) => `${state} ${range(until)}`).sort();
  const reported = [...reports].map(([state, all]) => `${state} ${all.map(reportText).sort()}`).sort();
  // What callers have said follows from the reports, but for states that were entered again meanwhile.
  const counted = [...machine.said, ...machine.counted]
    .map(([key, { by }]) => `${key} ${[...by].sort()}`)
    .sort();
  const visited = [...machine.visits].sort(([one], [other]) => one - other).join(' ');
  const head = `${revision} ${now} ${visited} ${range(changed)} ${answered.digest} ${shapeOf(snapshot)}${termsOf(snapshot)}`;
  return [head, due, held, cools, reported, counted, paused === undefined ? '' : pauseOf(paused)].join('|');
}

function range({ from, to }: Moment): string {
  return `${from} ${to}`;
}

function pauseOf({ since, until, by, reason, left }: Paused): string {
  const rest = [...left].map(([id, at]) => `${id} ${range(at)}`);
  return `${range(since)} ${until === undefined ? '' : range(until)} ${by} ${reason} ${rest}`;
}

/** A digest of the inputs and the members. */
function termsOf({ terms }: Snapshot): number {
  let digest = digests.get(terms);
  if (digest === undefined) {
    digest = digestOf(
      JSON.stringify([terms.inputs, terms.members === undefined ? null : [...terms.members]]),
    );
    digests.set(terms, digest);
  }
  return digest;
}

const digests = new WeakMap<Terms, number>();

/** A snapshot without its moments. */
function shapeOf(snapshot: Snapshot): string {
  let shape = shapes.get(snapshot);
  if (shape === undefined) {
    const stored = storeSnapshot(snapshot);
    shape = JSON.stringify({ ...stored, active: stored.active.map(([state, visit]) => [state, visit]) });
    shapes.set(snapshot, shape);
  }
  return shape;
}

const shapes = new WeakMap<Snapshot, string>();

/** Returns a step that must succeed: the charts of the runs cross no bound, and take every event that is sent. */
function stepped(step: Step | NoStep): Step {
  if (!step.ok) throw new Error(`the chart was meant to go on: ${step.detail}`);
  return step;
}

/** 48 bits of a text. */
function digestOf(text: string): number {
  return Number.parseInt(hash('sha256', text).slice(0, 12), 16);
}
