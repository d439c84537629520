/** A machine in memory, and what can be said of it without changing it. */
import {
  type Chart,
  eventsOf,
  isActive,
  isDone,
  type Json,
  type NamedValue,
  namedValue,
  nameOf,
  openChart,
  quorums,
  restoreSnapshot,
  type Snapshot,
  type StateNumber,
} from './chart/index.ts';
import { type MachineFacts, type Refusal, refuse } from './refusal.ts';
import type { Store, StoredChart } from './store.ts';

/** What an object keeps of its machine between two requests. */
export interface RunningMachine {
  readonly revision: number;
  /** History rows written so far. */
  readonly entries: number;
  /** ms since the epoch. */
  readonly changedAt: number;
  readonly chart: Chart;
  readonly source: Pick<StoredChart, 'hash' | 'origin'>;
  readonly snapshot: Snapshot;
}

/** Wakes the machine that `store` holds; undefined where it holds none. */
export function wake(store: Store): RunningMachine | undefined {
  const stored = store.load();
  if (stored === undefined) return undefined;
  const { revision, entries, changedAt } = stored;
  const { hash, origin, definition } = stored.chart;
  const chart = openChart(definition);
  const snapshot = restoreSnapshot(chart, stored.snapshot, store.timers());
  return { revision, entries, changedAt, chart, source: { hash, origin }, snapshot };
}

/** What a machine says of itself in its status document. */
interface Status {
  readonly machine: string;
  readonly dialect: 'sequence' | 'statechart';
  /** Active states, outermost first. */
  readonly states: readonly string[];
  readonly status: 'active' | 'done';
  readonly revision: number;
  /** When the innermost state was entered, ISO 8601. */
  readonly since: string;
  /** When the last change was committed, ISO 8601. */
  readonly changed: string;
  /** The active states as XState's value: a name, or a mapping of names to what is active inside. */
  readonly value: NamedValue;
  /** The chart's own data, as its assignments have left it. */
  readonly context: { readonly [key: string]: Json };
  readonly quorums: readonly QuorumStatus[];
  readonly timers: readonly TimerStatus[];
  readonly chart: ChartStatus;
}

/** How far a counting transition has come. */
interface QuorumStatus {
  readonly state: string;
  readonly event: string;
  /** The count now, and the count at which the state is left. */
  readonly have: number;
  readonly need: number;
}

interface TimerStatus {
  /** ISO 8601. */
  readonly at: string;
  /** The event that it sends, null where it is that of an `after`, an `at` or a `time`. */
  readonly event: string | null;
}

interface ChartStatus {
  readonly hash: string;
  readonly source: StoredChart['origin'];
  /** Whether another chart than this one is waiting for a reset. */
  readonly newer: boolean;
}

/** @param newest the hash of the newest chart for the address, or undefined where there is none any more. */
export function statusOf(name: string, machine: RunningMachine, newest: string | undefined): Status {
  const { chart, snapshot, source } = machine;
  const since = Math.max(...[...snapshot.active.values()].map((visit) => visit.since));
  return {
    machine: name,
    dialect: chart.definition.dialect,
    states: activeNames(chart, snapshot),
    status: isDone(snapshot) ? 'done' : 'active',
    revision: machine.revision,
    since: new Date(since).toISOString(),
    changed: new Date(machine.changedAt).toISOString(),
    value: namedValue(chart, snapshot),
    context: snapshot.machine.context.data,
    quorums: quorums(chart, snapshot).map(({ state, event, have, until }) => ({
      state: nameOf(chart, state),
      event,
      have,
      need: until,
    })),
    timers: [...snapshot.timers.values()]
      .sort((a, b) => a.at - b.at)
      .map(({ at, event }) => ({
        at: new Date(at).toISOString(),
        event: event.startsWith('xstate.') ? null : event,
      })),
    chart: {
      hash: source.hash,
      source: source.origin,
      newer: newest !== undefined && newest !== source.hash,
    },
  };
}

/** @returns the names of the active states, outermost first. */
export function activeNames(chart: Chart, snapshot: Snapshot): string[] {
  return [...snapshot.active.keys()].map((state) => nameOf(chart, state));
}

/** What every refusal of a machine carries. */
function factsOf({ chart, snapshot, revision }: RunningMachine): MachineFacts {
  return { revision, states: activeNames(chart, snapshot) };
}

/** Finds a state that is current, or says why the one named is not. */
export function findCurrent(
  machine: RunningMachine,
  name: string,
): { readonly ok: true; readonly state: StateNumber } | Refusal {
  const { chart, snapshot } = machine;
  const found = chart.names.find(name);
  if (found !== undefined && !found.ok) {
    const candidates = found.candidates.map(quote).join(', ');
    const detail = `Several states have the key ${quote(name)}; call the one you mean: ${candidates}.`;
    return refuse('ambiguous-state', detail, { machine: factsOf(machine), candidates: found.candidates });
  }
  if (found !== undefined && isActive(snapshot, found.state)) return { ok: true, state: found.state };
  const current = activeNames(chart, snapshot).map(quote).join(', ');
  const known =
    found === undefined ? `This chart has no state ${quote(name)}` : `${quote(name)} is not current`;
  return refuse('not-current', `${known}; current: ${current}.`, { machine: factsOf(machine) });
}

/** Why `state`, which is current, does not take `event`. */
export function notTaken(machine: RunningMachine, state: StateNumber, event: string): Refusal {
  const { chart, snapshot } = machine;
  const name = quote(nameOf(chart, state));
  const facts = { machine: factsOf(machine) };
  if (isDone(snapshot)) return refuse('final-state', `${name} is the end; nothing more can happen.`, facts);
  const events = eventsOf(chart, snapshot, state);
  if (events.length > 0) {
    const list = events.map(quote).join(', ');
    return refuse('not-taken', `${name} does not take ${quote(event)}; it takes: ${list}.`, {
      ...facts,
      events,
    });
  }
  const [next] = [...snapshot.timers.values()].sort((a, b) => a.at - b.at);
  const when =
    next === undefined ? 'takes no event' : `is left by itself at ${new Date(next.at).toISOString()}`;
  return refuse('not-taken', `${name} ${when}.`, { ...facts, events });
}

/** Why an event that is taken has changed nothing all the same. */
export function overBounds(machine: RunningMachine, event: string, detail: string): Refusal {
  const message = `${quote(event)} was refused, and nothing has changed: ${detail}.`;
  return refuse('over-bound', message, { machine: factsOf(machine) });
}

function quote(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 197)}...` : name);
}
