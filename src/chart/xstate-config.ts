/** The part of xstate's configuration that charts are compiled to: its states, transitions, guards and actions. */
import { and, or, stateIn } from 'xstate';
import type { Json } from './expression.ts';
import type { StateNumber } from './model.ts';
import { keyOf } from './xstate-names.ts';

/** xstate's context of a running chart. */
export interface EngineContext {
  /** Present counts of the quorums in the current visits, by `quorumKey`; absent where nothing was counted. */
  readonly counts: Readonly<Record<string, number>>;
  /** The chart's own context. */
  readonly data: { readonly [key: string]: Json };
}

export interface EngineEvent {
  readonly type: string;
  /** The state that it was sent to; absent for an event that the chart raises, which goes to all states. */
  readonly address?: StateNumber;
  /** What the report says beside its name; absent for a report without a body, and for an event that the chart raises. */
  readonly data?: Json;
  /** The caller that sent it. */
  readonly by?: string;
  /** Whether the caller's report of the event was counted by `state` already, under another address. */
  readonly isCountedBy?: (state: StateNumber) => boolean;
  /** Set for an event of the engine, which only the transition that was made for it takes: its type in expressions. */
  readonly own?: string;
}

/** What the compiled machine reports to the engine: actions without an effect of their own, which xstate hands back. */
export type Signal =
  | { readonly type: 'entered'; readonly params: { readonly state: StateNumber } }
  | { readonly type: 'left'; readonly params: { readonly state: StateNumber } }
  | { readonly type: 'taken'; readonly params: Readonly<Record<string, never>> }
  | { readonly type: 'setMoment'; readonly params: { readonly id: string; readonly at: number } }
  | {
      readonly type: 'xstate.raise';
      readonly params: { readonly event: EngineEvent; readonly id?: string; readonly delay?: number };
    }
  | { readonly type: 'xstate.cancel'; readonly params: { readonly sendId: string } };

/** What xstate passes to guards and assignments. */
export interface GuardArguments {
  readonly context: EngineContext;
  readonly event: EngineEvent;
}

export type Guard = (args: GuardArguments) => boolean;
export type Action = object;

/**
 * xstate infers its own types from literals, which a configuration made of data does not fit: `compile` casts it to
 * xstate's type, once.
 */
export interface StateConfig {
  readonly id: string;
  readonly type?: 'parallel' | 'final' | 'history';
  readonly history?: 'shallow' | 'deep';
  readonly target?: readonly string[];
  readonly initial?: { readonly target: string; readonly actions: readonly Action[] };
  readonly states?: Readonly<Record<string, StateConfig>>;
  readonly entry?: readonly Action[];
  readonly exit?: readonly Action[];
  readonly on?: Readonly<Record<string, readonly TransitionConfig[]>>;
  readonly always?: readonly TransitionConfig[];
  readonly after?: Readonly<Record<string, readonly TransitionConfig[]>>;
}

export interface TransitionConfig {
  readonly target?: readonly string[];
  readonly guard?: Guard;
  readonly actions?: readonly Action[];
  readonly reenter?: true;
}

export function signal<Type extends Signal['type']>(
  type: Type,
  params: Extract<Signal, { type: Type }>['params'],
): Action {
  return { type, params };
}

/** @returns the targets as xstate refers to states: by id. */
export function targetIds(targets: readonly StateNumber[]): string[] {
  return targets.map(idReference);
}

/** @returns a transition's guard: all of `guards`, or none where there are none. */
export function guarded(guards: readonly Guard[]): Pick<TransitionConfig, 'guard'> {
  return guards.length === 0 ? {} : { guard: all(guards) };
}

/** xstate types its guards for configurations written as literals: see `StateConfig`. */
export function all(guards: readonly Guard[]): Guard {
  const [only] = guards;
  return guards.length === 1 && only !== undefined ? only : (and(guards as never) as unknown as Guard);
}

export function either(first: Guard, second: Guard): Guard {
  return or([first, second] as never) as unknown as Guard;
}

export function inState(state: StateNumber): Guard {
  return stateIn(idReference(state)) as unknown as Guard;
}

function idReference(state: StateNumber): string {
  return `#${keyOf(state)}`;
}
