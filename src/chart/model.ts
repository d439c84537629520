/**
 * What both dialects compile to, and all that the engine knows of a chart. Plain JSON: it is what a machine
 * keeps of its chart, so that waking it reads no YAML.
 *
 * States are numbered in document order and call each other by number: a name is data that people chose
 * (`__proto__`, `v1.2`, `#1`) and never a key of an object or a part of an xstate path.
 */
import type { CheckedGuard, Json } from './expression.ts';

/** The number of a state: its place in `Model.states`. The root is 0. */
export type StateNumber = number;

export const ROOT: StateNumber = 0;

/** The event that a plain `PUT` sends. */
export const UPDATE = 'update';

/** The tag of final states in which a machine has failed: they are drawn and listed so. */
export const FAILED_TAG = 'failed';

export interface Model {
  /** In document order, the root first: the descendants of a state follow it without a gap. */
  readonly states: readonly StateModel[];
  /** What a run starts with, for guards and assignments. */
  readonly context?: { readonly [key: string]: Json };
}

export interface StateModel {
  /** What people call it and what the service answers with; empty for a root that has no `id`. */
  readonly name: string;
  /** Other names that it answers to, where they differ from `name`: its path, and its key. */
  readonly path?: string;
  readonly key?: string;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly parent?: StateNumber;
  /** The last of its descendants, itself where it has none. */
  readonly last: StateNumber;
  /** Of a compound state: the child that is entered with it, and what is done then. */
  readonly initial?: { readonly target: StateNumber; readonly actions?: readonly ActionModel[] };
  /** Of a history state: how deep it remembers, and where it leads while there is nothing to remember. */
  readonly history?: { readonly depth: 'shallow' | 'deep'; readonly targets?: readonly StateNumber[] };
  /** Transitions by event, in the order in which they are tried. */
  readonly on?: readonly EventModel[];
  readonly always?: readonly TransitionModel[];
  readonly onDone?: readonly TransitionModel[];
  /** Transitions by time since the state was entered. */
  readonly after?: readonly DelayModel[];
  /** Transitions by moment. */
  readonly at?: readonly MomentModel[];
  /** Where set, only so many callers at a time may work here: each holds a slot, under a lease. */
  readonly slots?: Slots;
  readonly entry?: readonly ActionModel[];
  readonly exit?: readonly ActionModel[];
  readonly description?: string;
  readonly tags?: readonly string[];
}

export interface EventModel {
  /** An event's name, or a wildcard: `*`, `build.*`. */
  readonly event: string;
  readonly transitions: readonly TransitionModel[];
}

interface DelayModel {
  /** Milliseconds. */
  readonly delay: number;
  readonly transitions: readonly TransitionModel[];
}

export interface MomentModel {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly transitions: readonly TransitionModel[];
}

export interface TransitionModel {
  /** None: the states stay as they are, and only the actions are run. */
  readonly targets?: readonly StateNumber[];
  readonly guard?: CheckedGuard<StateNumber>;
  readonly actions?: readonly ActionModel[];
  /** Whether a transition to the state itself, or into it, leaves and enters it. */
  readonly reenter?: true;
  /** Where set, the transition waits: accepted events only count until `until` is reached. */
  readonly quorum?: Quorum;
  readonly description?: string;
}

/**
 * A count that starts anew with each visit of its state: `from` before the first accepted event, one more
 * for each, and the transition is taken by the event that makes it equal `until`. A statechart's quorum
 * counts from 0; the original's `increment` from any number, so that one may pass by and never be equal.
 */
interface Quorum {
  readonly from: number;
  readonly until: number;
}

/** How many may work in a state at once, and for how long a claim holds unless it is renewed. */
export interface Slots {
  readonly count: number;
  /** Milliseconds. */
  readonly lease: number;
}

export type ActionModel =
  | { readonly assign: readonly Assignment[] }
  | { readonly raise: string; readonly delay?: number; readonly id?: string }
  | { readonly cancel: string };

/** One key of the context, and what it becomes: an expression's value, or a scalar as it stands. */
export interface Assignment {
  readonly key: string;
  readonly to: { readonly cel: string } | { readonly value: string | number | boolean | null };
}

/** Whether `state` is `ancestor` or below it. */
export function isWithin({ states }: Model, state: StateNumber, ancestor: StateNumber): boolean {
  return state >= ancestor && state <= (states[ancestor]?.last ?? ancestor);
}

/** Whether an event that is sent to `address` goes to `state`: to itself, into it, or to what it lies in. */
export function isRelated(model: Model, address: StateNumber, state: StateNumber): boolean {
  return isWithin(model, state, address) || isWithin(model, address, state);
}

/** The state's ancestors, the nearest first, the root last. */
export function ancestorsOf({ states }: Model, state: StateNumber): StateNumber[] {
  const ancestors: StateNumber[] = [];
  for (let at = states[state]?.parent; at !== undefined; at = states[at]?.parent) ancestors.push(at);
  return ancestors;
}

/** How much can be active at once: states without children, and all states. */
export function extentOf({ states }: Model): { readonly regions: number; readonly active: number } {
  const extents = states.map(() => ({ regions: 0, active: 0 }));
  // Children come behind their parents: from the end, each state is complete when its parent takes it.
  for (let number = states.length - 1; number >= ROOT; number--) {
    const state = states[number];
    const own = extents[number];
    if (state === undefined || own === undefined || state.type === 'history') continue;
    own.regions = Math.max(1, own.regions);
    own.active += 1;
    const around = state.parent === undefined ? undefined : extents[state.parent];
    if (around === undefined || state.parent === undefined) continue;
    const join = states[state.parent]?.type === 'parallel' ? (a: number, b: number) => a + b : Math.max;
    around.regions = join(around.regions, own.regions);
    around.active = join(around.active, own.active);
  }
  return extents[ROOT] ?? { regions: 1, active: 1 };
}
