/** The status document of a machine, and its entry in a list. */
import {
  activeTags,
  type Chart,
  type Count,
  claimsOn,
  countsOf,
  eventOfTimer,
  hooksOf,
  type Inputs,
  isDone,
  type Json,
  type Members,
  meaningOf,
  type NamedValue,
  namedValue,
  nameOf,
  nextDeadline,
  nextOpening,
  openingsOf,
  quorums,
  type Snapshot,
  type StateOpening,
  slotCount,
  slotsOf,
  type Terms,
  type Timer,
  timersInOrder,
} from '../chart/chart.ts';
import { MISSING_NAMED } from '../limits.ts';
import type { Report } from '../store/receipt-table.ts';
import type { ChartOrigin } from '../store/stored-machine.ts';
import type { ExpectedMembers } from './expected-members.ts';
import { activeNames, type MachineState } from './machine-state.ts';
import { countMissing, type ExpectingState, missingIn } from './member-facts.ts';
import type { Outbox } from './outbox.ts';
import { reportersOf } from './reporters.ts';
import type { Summary } from './results.ts';

/** The status document: `GET {machine}`. Times are ISO 8601; `edge/contract/document-shapes.ts` describes each field. */
export interface Status {
  readonly machine: string;
  readonly dialect: 'sequence' | 'statechart';
  readonly states: readonly string[];
  readonly value: NamedValue;
  readonly status: 'active' | 'done';
  readonly tags: readonly string[];
  readonly revision: number;
  readonly started: string | null;
  readonly since: string;
  readonly changed: string;
  readonly context: Readonly<Record<string, Json>>;
  /** As `paused`, absent from objects of an earlier version. */
  readonly inputs?: Inputs | undefined;
  readonly paused?:
    | {
        readonly since: string;
        readonly until: string | null;
        readonly by: string | null;
        readonly sub: string | null;
        readonly reason: string | null;
      }
    | null
    | undefined;
  /** Null without a list; absent from objects of an earlier version. */
  readonly members?: { readonly total: number } | null | undefined;
  readonly quorums: readonly (Count & {
    readonly by: readonly string[];
    /** Absent without a list of members, as `missing` is. */
    readonly expected?: number | undefined;
    readonly missing?: { readonly count: number; readonly names: readonly string[] } | undefined;
  })[];
  readonly claims: readonly {
    readonly state: string;
    readonly slots: number | null;
    readonly holders: readonly { readonly by: string; readonly since: string; readonly until: string }[];
  }[];
  /** Absent if no windows hold for an active state. */
  readonly windows?:
    | readonly {
        readonly state: string;
        readonly open: boolean;
        readonly until?: string | undefined;
        readonly opens?: string | undefined;
      }[]
    | undefined;
  readonly timers: readonly {
    readonly at: string;
    readonly event: string | null;
    readonly state: string | null;
    readonly target: string | null;
  }[];
  /** Absent if the chart names no hooks. */
  readonly hooks?: readonly { readonly hook: string; readonly problem?: string | undefined }[] | undefined;
  readonly chart: { readonly hash: string; readonly source: ChartOrigin; readonly newer: boolean };
}

/**
 * Writes status documents. The last one is cached: thousands of requests may wait for it, and it may name thousands of
 * callers. It holds until the machine changes, or a window of an active state opens or closes.
 */
export class StatusWriter {
  readonly #reports: () => readonly Report[];
  readonly #expected: ExpectedMembers;
  readonly #outbox: Pick<Outbox, 'checkHook'>;
  #last:
    | {
        readonly machine: MachineState;
        readonly newest: string | undefined;
        /** The times for which it holds, ms since the epoch. */
        readonly from: number;
        readonly to: number;
        readonly text: string;
      }
    | undefined;

  /** @param reports reads the reports that have a `by`. */
  constructor(
    reports: () => readonly Report[],
    { expected, outbox }: { readonly expected: ExpectedMembers; readonly outbox: Pick<Outbox, 'checkHook'> },
  ) {
    this.#reports = reports;
    this.#expected = expected;
    this.#outbox = outbox;
  }

  /**
   * @param newest the hash of the newest chart for the address; undefined if there is none any more.
   * @param now ms since the epoch.
   * @returns JSON.
   */
  write(name: string, machine: MachineState, newest: string | undefined, now: number): string {
    const last = this.#last;
    const holds = last?.machine === machine && last.newest === newest && last.from <= now && now < last.to;
    if (!holds) {
      const openings = openingsOf(machine.chart, machine.snapshot, now);
      const reports = machine.preview === undefined ? this.#reports() : [];
      const status = statusOf(name, machine, reports, this.#expected.of(machine), openings, newest);
      const hooks = hooksOf(machine.chart.model).map((hook) => {
        return { hook, problem: this.#outbox.checkHook(hook)?.problem };
      });
      const text = JSON.stringify({ ...status, ...(hooks.length === 0 ? {} : { hooks }) }, null, 2);
      this.#last = { machine, newest, from: now, to: nextOpening(openings), text };
      return text;
    }
    return last.text;
  }
}

/** Returns a machine's entry in a list. */
export function summaryOf({ chart, snapshot, revision, changedAt }: MachineState): Summary {
  const deadline = nextDeadline(chart, snapshot);
  return {
    ok: true,
    dialect: chart.definition.dialect,
    states: activeNames(chart, snapshot),
    status: isDone(snapshot) ? 'done' : 'active',
    tags: activeTags(chart, snapshot),
    waiting: countsOf(chart, snapshot),
    revision,
    changedAt,
    isPaused: snapshot.terms.paused !== undefined,
    ...(deadline === undefined ? {} : { deadline }),
    since: sinceOf(snapshot),
  };
}

/** @returns when the newest of the active states was entered, ms since the epoch. */
function sinceOf({ active }: Snapshot): number {
  return Math.max(...[...active.values()].map((visit) => visit.since));
}

function statusOf(
  name: string,
  machine: MachineState,
  reports: readonly Report[],
  expecting: readonly ExpectingState[],
  openings: readonly StateOpening[],
  newest: string | undefined,
): Status {
  const { chart, snapshot, source } = machine;
  return {
    machine: name,
    dialect: chart.definition.dialect,
    states: activeNames(chart, snapshot),
    value: namedValue(chart, snapshot),
    status: isDone(snapshot) ? 'done' : 'active',
    tags: activeTags(chart, snapshot),
    revision: machine.revision,
    started: machine.preview === undefined ? time(machine.startedAt) : null,
    since: time(sinceOf(snapshot)),
    changed: time(machine.changedAt),
    context: snapshot.machine.context.data,
    inputs: snapshot.terms.inputs,
    paused: pauseStatus(snapshot.terms),
    members: membersStatus(machine),
    quorums: quorumStatus(machine, reports, expecting),
    claims: claimStatus(machine),
    ...(openings.length === 0 ? {} : { windows: openings.map((at) => windowStatus(chart, at)) }),
    timers: timersInOrder(snapshot).map((timer) => timerStatus(chart, timer)),
    chart: {
      hash: source.hash,
      source: source.origin,
      newer: newest !== undefined && newest !== source.hash,
    },
  };
}

function membersStatus({ snapshot }: MachineState): Status['members'] {
  const { members } = snapshot.terms;
  return members === undefined ? null : { total: members.size };
}

function quorumStatus(
  { chart, snapshot }: MachineState,
  reports: readonly Report[],
  expecting: readonly ExpectingState[],
): Status['quorums'] {
  const counts = quorums(chart, snapshot);
  const reporters = reportersOf(chart, snapshot, counts, reports);
  const missing = new Map(expecting.map((at) => [at.state, missingStatus(at, snapshot.terms.members)]));
  return counts.map(({ state, event, have, until }, i) => ({
    state: nameOf(chart, state),
    event,
    have,
    need: until,
    by: [...(reporters[i] ?? [])],
    ...missing.get(state),
  }));
}

function missingStatus(at: ExpectingState, members: Members | undefined) {
  const names = missingIn(at, members ?? new Map(), MISSING_NAMED);
  return { expected: at.members.size, missing: { count: countMissing(at), names } };
}

function claimStatus({ chart, snapshot, claims }: MachineState): Status['claims'] {
  return [...snapshot.active.keys()].flatMap((state) => {
    const slots = slotsOf(chart, state);
    if (slots === undefined) return [];
    const holders = claimsOn(claims, state).map(({ by, since, until }) => ({
      by,
      since: time(since),
      until: time(until),
    }));
    const count = slotCount(chart, snapshot.terms, state, slots) ?? null;
    return [{ state: nameOf(chart, state), slots: count, holders }];
  });
}

function windowStatus(chart: Chart, { state, opening }: StateOpening) {
  const of = { state: nameOf(chart, state), open: opening.open };
  if (opening.open) return { ...of, until: time(opening.until) };
  return opening.again === undefined ? of : { ...of, opens: time(opening.again) };
}

function pauseStatus({ paused }: Terms): Status['paused'] {
  if (paused === undefined) return null;
  const { since, until, by = null, sub = null, reason = null } = paused;
  return { since: time(since), until: until === undefined ? null : time(until), by, sub, reason };
}

function timerStatus(chart: Chart, timer: Timer): Status['timers'][number] {
  const meaning = meaningOf(chart, timer);
  const [target, ...others] = meaning?.targets ?? [];
  return {
    at: time(timer.at),
    event: eventOfTimer(timer),
    state: meaning === undefined ? null : nameOf(chart, meaning.state),
    target: target === undefined || others.length > 0 ? null : nameOf(chart, target),
  };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
