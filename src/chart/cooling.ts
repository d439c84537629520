/** Slots in their cooldown, as pure values: a slot that a report has freed stays taken for a while, which sets a pace. */
import type { StateNumber } from './model.ts';

/** One slot in its cooldown. */
export interface CoolingSlot {
  readonly state: StateNumber;
  /** Numbers the slots of a state that have been in a cooldown, from 0. A number is used again when its cooldown is over. */
  readonly slot: number;
  /** When the slot is free, ms since the epoch. */
  readonly until: number;
}

/** By state and slot, when each slot is free, ms since the epoch. Cooldowns that are over may still be in it. */
export type Cooling = ReadonlyMap<StateNumber, readonly number[]>;

export const NOTHING_COOLS: Cooling = new Map();

/** Indexes slots by state. */
export function indexCooling(slots: Iterable<CoolingSlot>): Cooling {
  const byState = new Map<StateNumber, number[]>();
  for (const { state, slot, until } of slots) {
    const known = byState.get(state) ?? [];
    while (known.length < slot) known.push(0);
    known[slot] = until;
    byState.set(state, known);
  }
  return byState;
}

/** @returns the slot in which a cooldown of `state` begins: the first one that is free, or a new one. */
export function nextSlot(cooling: Cooling, state: StateNumber, now: number): number {
  const known = cooling.get(state) ?? [];
  const free = known.findIndex((until) => until <= now);
  return free === -1 ? known.length : free;
}

export function withCooling(cooling: Cooling, { state, slot, until }: CoolingSlot): Cooling {
  const known = [...(cooling.get(state) ?? [])];
  known[slot] = until;
  return new Map(cooling).set(state, known);
}

/** @returns the cooldowns of all states but `state`, which was left. */
export function withoutCooling(cooling: Cooling, state: StateNumber): Cooling {
  const others = new Map(cooling);
  others.delete(state);
  return others;
}

/** @returns when the slots of `state` that are in their cooldown are free, ms since the epoch. */
export function coolingOn(cooling: Cooling, state: StateNumber, now: number): number[] {
  return (cooling.get(state) ?? []).filter((until) => until > now);
}
