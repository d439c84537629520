/** A running chart between two events, as immutable data, and the timers that are set in it. */
import type { MachineSnapshot } from './compile.ts';
import type { StateNumber } from './model.ts';
import type { Terms } from './terms.ts';
import type { EngineContext } from './xstate-config.ts';
import { isMoment } from './xstate-names.ts';

export interface Snapshot {
  /** xstate's snapshot, or what was stored of it. */
  readonly machine: MachineSnapshot | StoredMachineSnapshot;
  /** The active states and their visits, in document order: outermost first. */
  readonly active: ReadonlyMap<StateNumber, Visit>;
  /** Visits begun so far, over all states; numbers the next one. */
  readonly visits: number;
  /** Timers that are set, by id, in the order in which they were set. */
  readonly timers: ReadonlyMap<number, Timer>;
  /** Timers set so far; numbers the next one. */
  readonly timersSet: number;
  readonly terms: Terms;
}

/** The stored part of xstate's snapshot: its value with the regions in document order, and its history. */
export interface StoredMachineSnapshot {
  readonly value: MachineSnapshot['value'];
  readonly status: MachineSnapshot['status'];
  readonly context: EngineContext;
  /** By history state, the states that it leads to. */
  readonly history?: { readonly [key: string]: readonly string[] };
}

/** The time from entering a state to leaving it. */
export interface Visit {
  /** Counts all visits of a machine, from 1. */
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** An event that the chart sends itself at a set time. */
export interface Timer {
  /** Never used twice: a timer that was cleared cannot be mistaken for another. */
  readonly id: number;
  /** By which it is cancelled. */
  readonly label: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The event it sends. */
  readonly event: string;
}

/** Whether the chart has ended: no event will ever change it again. */
export function isDone({ machine }: Snapshot): boolean {
  return machine.status === 'done';
}

/** @returns the timers that run: all but the relative ones of a run that is paused. */
export function* runningTimers({ timers, terms }: Snapshot): Iterable<Timer> {
  for (const timer of timers.values()) if (terms.paused === undefined || isMoment(timer.event)) yield timer;
}

/** @returns the timer to fire first among those due at `now`. */
export function nextDue(snapshot: Snapshot, now: number): Timer | undefined {
  const earliest = nextTimer(runningTimers(snapshot));
  return earliest !== undefined && earliest.at <= now ? earliest : undefined;
}

/** @returns the earliest timer; among equals, the one that was set first. */
export function nextTimer(timers: Iterable<Timer>): Timer | undefined {
  let earliest: Timer | undefined;
  for (const timer of timers) if (earliest === undefined || timer.at < earliest.at) earliest = timer;
  return earliest;
}

/** @returns the timers in the order in which they will fire. */
export function timersInOrder({ timers }: Snapshot): Timer[] {
  return [...timers.values()].sort((a, b) => a.at - b.at);
}
