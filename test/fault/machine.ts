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
  takes,
} from '../../src/chart/chart.ts';
import type { Moment } from './moment.ts';
import { type Answer, reportText } from './wire.ts';

export interface Machine {
  readonly snapshot: Snapshot;
  readonly revision: number;
  /** When the last change took effect. */
  readonly changed: Moment;
  /** The next call takes effect no earlier, ms since the epoch. */
  readonly now: number;
  /** When each timer is due, by its id. The snapshot has the timers too, at moments that mean nothing here. */
  readonly timers: ReadonlyMap<number, Moment>;
  readonly claims: readonly Claim[];
  /** By state: the reports of its present visit, or of its last one. */
  readonly reports: ReadonlyMap<StateNumber, readonly Reported[]>;
  readonly answered: Answered;
  /** What happened so far, for the counts of the run. */
  readonly tally: Tally;
}

export interface Claim {
  readonly state: StateNumber;
  readonly by: string;
  readonly until: Moment;
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
}

/** A machine that has just begun. */
export function begun(chart: Chart, when: Moment): Machine {
  const nothing: Machine = {
    // For the type only; the step below is the one that counts.
    snapshot: stepped(start(chart, when.from)).snapshot,
    revision: 0,
    changed: when,
    now: when.from,
    timers: new Map(),
    claims: [],
    reports: new Map(),
    answered: { byKey: new Map(), digest: 0 },
    tally: { timers: 0, expired: 0, claims: 0, repeated: 0, data: 0 },
  };
  return moved(nothing, when, (now) => start(chart, now));
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
  for (const [id, { at }] of step.snapshot.timers) {
    timers.set(id, machine.timers.get(id) ?? { from: at, to: last.snapshot.timers.get(id)?.at ?? at });
  }
  const reports = new Map(machine.reports);
  for (const state of step.entered) reports.delete(state);
  const left = step.left.map(({ state }) => state);
  const claims = machine.claims.filter(({ state }) => !left.includes(state));
  return changed({ ...machine, snapshot: step.snapshot, timers, reports, claims }, when);
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

export function hasReported({ reports }: Machine, state: StateNumber, { event, by }: Reported): boolean {
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
export function keyOf({
  snapshot,
  revision,
  changed,
  now,
  timers,
  claims,
  reports,
  answered,
}: Machine): string {
  const due = [...timers].map(
    ([id, { from, to }]) => `${id} ${snapshot.timers.get(id)?.event} ${from} ${to}`,
  );
  const held = claims.map(({ state, by, until }) => `${state} ${by} ${until.from} ${until.to}`).sort();
  const reported = [...reports].map(([state, all]) => `${state} ${all.map(reportText).sort()}`);
  return `${revision} ${now} ${changed.from} ${changed.to} ${answered.digest} ${shapeOf(snapshot)}|${due}|${held}|${reported.sort()}`;
}

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
