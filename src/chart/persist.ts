import type { EngineContext } from './compile.ts';
import type { Program, Snapshot, Timer, Visit } from './engine.ts';
import type { StateNumber } from './model.ts';

/**
 * A snapshot as it is stored: plain JSON, small whatever the chart's size. The timers are not in it; they
 * are rows of their own.
 */
export interface StoredSnapshot {
  readonly value: Snapshot['machine']['value'];
  readonly status: Snapshot['machine']['status'];
  readonly context: EngineContext;
  readonly visits: number;
  /** State, number of its visit, since when (ms since the epoch). */
  readonly active: readonly (readonly [StateNumber, number, number])[];
}

/** @returns what `restoreSnapshot` needs beside the timers. */
export function storeSnapshot({ machine, active, visits }: Snapshot): StoredSnapshot {
  const { value, status, context } = machine;
  return {
    value,
    status,
    context,
    visits,
    active: [...active].map(([state, { number, since }]) => [state, number, since]),
  };
}

/** The inverse of `storeSnapshot`, for the chart that the snapshot was taken of. */
export function restoreSnapshot(
  { machine }: Program,
  stored: StoredSnapshot,
  timers: Iterable<Timer>,
): Snapshot {
  const { value, status, context } = stored;
  const visits = stored.active.map(([state, number, since]): [StateNumber, Visit] => [
    state,
    { number, since },
  ]);
  return {
    machine: machine.resolveState({ value, status, context }),
    active: new Map(visits),
    visits: stored.visits,
    timers: new Map([...timers].map((timer) => [timer.id, timer])),
  };
}
