/** Converts snapshots to plain JSON and back. */
import type { MachineSnapshot, XstateMachine } from './compile.ts';
import type { StateNumber } from './model.ts';
import type { Snapshot, StoredMachineSnapshot, Timer, Visit } from './snapshot.ts';
import type { Terms } from './terms.ts';
import { numberOf } from './xstate-names.ts';

type StateValue = MachineSnapshot['value'];

/**
 * The stored form of a snapshot: plain JSON, whose size does not grow with the chart. Timers and terms are stored apart, as
 * rows.
 */
export interface StoredSnapshot extends StoredMachineSnapshot {
  readonly visits: number;
  readonly timersSet: number;
  /** State, number of its visit, since when (ms since the epoch). */
  readonly active: readonly (readonly [StateNumber, number, number])[];
}

/** @returns the stored form, without the timers and the terms. */
export function storeSnapshot({ machine, active, visits, timersSet }: Snapshot): StoredSnapshot {
  return {
    ...storeMachine(machine),
    visits,
    timersSet,
    active: [...active].map(([state, { number, since }]) => [state, number, since]),
  };
}

/** The inverse of `storeSnapshot`. xstate's own snapshot is created on the first event. */
export function restoreSnapshot(stored: StoredSnapshot, timers: Iterable<Timer>, terms: Terms): Snapshot {
  const visits = stored.active.map(([state, number, since]): [StateNumber, Visit] => [
    state,
    { number, since },
  ]);
  return {
    machine: { value: stored.value, status: stored.status, context: stored.context, ...historyOf(stored) },
    active: new Map(visits),
    visits: stored.visits,
    timers: new Map([...timers].map((timer) => [timer.id, timer])),
    timersSet: stored.timersSet,
    terms,
  };
}

/** Extracts the stored part of xstate's snapshot. */
export function storeMachine(machine: MachineSnapshot | StoredMachineSnapshot): StoredMachineSnapshot {
  if (!isLive(machine)) return machine;
  const { value, status, context, historyValue } = machine;
  const history = Object.entries(historyValue).map(
    ([key, nodes]) => [key, nodes.map(({ id }) => id)] as const,
  );
  return {
    value: inDocumentOrder(value),
    status,
    context,
    ...(history.length === 0 ? {} : { history: Object.fromEntries(history) }),
  };
}

/** @returns xstate's snapshot, created if only its stored part is at hand. */
export function awake(
  machine: () => XstateMachine,
  snapshot: MachineSnapshot | StoredMachineSnapshot,
): MachineSnapshot {
  return isLive(snapshot) ? snapshot : reviveMachine(machine(), snapshot);
}

function isLive(machine: MachineSnapshot | StoredMachineSnapshot): machine is MachineSnapshot {
  return '_nodes' in machine;
}

function historyOf({ history }: StoredMachineSnapshot): Pick<StoredMachineSnapshot, 'history'> {
  return history === undefined ? {} : { history };
}

/** Creates xstate's snapshot from its stored part. */
export function reviveMachine(machine: XstateMachine, stored: StoredMachineSnapshot): MachineSnapshot {
  const { value, status, context, history = {} } = stored;
  const historyValue = Object.fromEntries(
    Object.entries(history).map(([key, ids]) => [key, ids.map((id) => machine.getStateNodeById(id))]),
  );
  const snapshot = machine.resolveState({ value, status, context, historyValue });
  sortActive(snapshot);
  return snapshot;
}

/** Sorts the active states of a new snapshot: SCXML selects transitions in document order; xstate, in the order of this list. */
export function sortActive({ _nodes }: Pick<MachineSnapshot, '_nodes'>): void {
  _nodes.sort((a, b) => a.order - b.order);
}

/** @returns the active states of an xstate value without the root, in document order. */
export function activeStates(value: StateValue): StateNumber[] {
  const states: StateNumber[] = [];
  const walk = (part: StateValue) => {
    if (typeof part === 'string') states.push(numberOf(part));
    else {
      for (const [key, inner] of Object.entries(part)) {
        states.push(numberOf(key));
        if (inner) walk(inner);
      }
    }
  };
  walk(value);
  return states.sort((a, b) => a - b);
}

function inDocumentOrder(value: StateValue): StateValue {
  if (typeof value === 'string') return value;
  const entries = Object.entries(value).map(
    ([key, inner]) => [key, inner ? inDocumentOrder(inner) : inner] as const,
  );
  return Object.fromEntries(entries.sort(([a], [b]) => numberOf(a) - numberOf(b)));
}
