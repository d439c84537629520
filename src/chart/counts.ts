/** The counts of quorums, in xstate's context. */
import { assign } from 'xstate';
import type { StateNumber } from './model.ts';
import type { Action, EngineContext, GuardArguments } from './xstate-config.ts';
import { keyOf, numberOf } from './xstate-names.ts';

/** @returns the name of a quorum's count: its state, its event, and its index among that event's transitions. */
export function quorumKey(state: StateNumber, event: string, index: number): string {
  return `${keysOf(state)}${index}/${event}`;
}

/** The inverse of `quorumKey`. @returns the state whose quorum has the count. */
export function stateOfCount(key: string): StateNumber {
  return numberOf(key.slice(0, key.indexOf('/')));
}

/** @returns the present count; `from` where nothing was counted in this visit. */
export function countOf({ counts }: EngineContext, key: string, from: number): number {
  return Object.hasOwn(counts, key) ? (counts[key] ?? from) : from;
}

/** Adds one to a count. */
export function countOne(key: string, from: number): Action {
  return assign(({ context }: GuardArguments) => ({
    counts: { ...context.counts, [key]: countOf(context, key, from) + 1 },
  }));
}

/** Forgets the counts of a state. */
export function forgetCounts(state: StateNumber): Action {
  const prefix = keysOf(state);
  return assign(({ context }: GuardArguments) => ({
    counts: Object.fromEntries(Object.entries(context.counts).filter(([key]) => !key.startsWith(prefix))),
  }));
}

/** @returns what the keys of a state's counts begin with. */
function keysOf(state: StateNumber): string {
  return `${keyOf(state)}/`;
}
