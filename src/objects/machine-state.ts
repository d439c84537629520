/** A machine in memory, as an object keeps it between two requests. */
import {
  type Chart,
  type Claims,
  type Cooling,
  indexClaims,
  indexCooling,
  nameOf,
  nextTimer,
  nextToExpire,
  openChart,
  restoreSnapshot,
  runningTimers,
  type Snapshot,
  type StateNumber,
  type Terms,
} from '../chart/chart.ts';
import type { MachineStore, StoredChart } from '../store/machine-store.ts';

export interface MachineState {
  /** Committed changes so far. */
  readonly revision: number;
  /** The revision at which the present run began: with the machine itself, or by a reset. */
  readonly started: number;
  /** When the present run began, ms since the epoch. */
  readonly startedAt: number;
  /** History rows written so far. */
  readonly entries: number;
  /** When the last change took effect, ms since the epoch. */
  readonly changedAt: number;
  readonly chart: Chart;
  readonly source: Pick<StoredChart, 'hash' | 'origin'>;
  readonly snapshot: Snapshot;
  readonly claims: Claims;
  readonly cooling: Cooling;
  /** Set for a run that has not begun: its chart. Nothing is stored, and the run is shown as if it began now. */
  readonly preview?: StoredChart;
}

/** The states that were entered and left. A run that has not begun has no tables. */
export function leftStatesOf({ preview }: MachineState, store: MachineStore): ReadonlySet<StateNumber> {
  return preview === undefined ? store.leftStates() : new Set();
}

/** Loads the machine from storage; undefined if there is none. */
export function wake(store: MachineStore): MachineState | undefined {
  const stored = store.load();
  if (stored === undefined) return undefined;
  const { revision, started, startedAt, entries, changedAt } = stored;
  const { hash, origin, definition } = stored.chart;
  const chart = openChart(definition);
  const snapshot = restoreSnapshot(stored.snapshot, store.run.timers(), termsOf(store));
  return {
    revision,
    started,
    startedAt,
    entries,
    changedAt,
    chart,
    source: { hash, origin },
    snapshot,
    claims: indexClaims(store.run.claims()),
    cooling: indexCooling(store.run.cooling()),
  };
}

function termsOf(store: MachineStore): Terms {
  const paused = store.pause();
  const { members } = store.members.read() ?? {};
  return { inputs: store.inputs(), members, ...(paused === undefined ? {} : { paused }) };
}

/** Returns the names of the active states, outermost first. */
export function activeNames(chart: Chart, snapshot: Snapshot): string[] {
  return [...snapshot.active.keys()].map((state) => nameOf(chart, state));
}

/** Returns when the next timer is due, the next lease ends or the pause ends, ms since the epoch. */
export function nextChange({ snapshot, claims }: MachineState): number | undefined {
  const timer = nextTimer(runningTimers(snapshot))?.at;
  return earliest(timer, earliest(nextToExpire(claims)?.until, snapshot.terms.paused?.until));
}

/** Returns the earlier of two times. */
export function earliest(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}
