/**
 * The model of a chart: both dialects compile to it, and the engine runs it. It is plain JSON; a machine stores it, so
 * that waking the machine reads no YAML.
 *
 * States are numbered in document order and refer to each other by number. A name is the author's data
 * (`__proto__`, `v1.2`, `#1`): never a key of an object or a part of an xstate path.
 */
import type { Amount } from './amount.ts';
import type { CheckedGuard, Json } from './expression.ts';
import type { Inputs } from './terms.ts';
import type { Delay } from './time.ts';

/** The number of a state: its index in `Model.states`. The root is 0. */
export type StateNumber = number;

export const ROOT: StateNumber = 0;

/** The event that a plain `PUT` sends. */
export const UPDATE = 'update';

/** The tag of final states that mean failure. Pages and pictures show them as failed. */
export const FAILED_TAG = 'failed';

export interface Model {
  /** In document order, the root first: the descendants of a state follow it without a gap. */
  readonly states: readonly StateModel[];
  /** The initial context, for guards and assignments. */
  readonly context?: { readonly [key: string]: Json };
  /** The defaults of the inputs; null: it must be given. */
  readonly inputs?: Inputs;
  /** Which hooks are told of what. */
  readonly notify?: readonly Notify[];
}

/** What can be told beside the states that are entered. */
export const OCCASIONS = ['paused', 'overridden', 'refused'] as const;
export type Occasion = (typeof OCCASIONS)[number];

/** A hook, and what it is told: the states that are entered, and occasions. */
export interface Notify {
  readonly to: string;
  readonly states: readonly StateNumber[];
  readonly occasions: readonly Occasion[];
}

export interface StateModel {
  /** The name that callers use and responses have; empty for a root without an `id`. */
  readonly name: string;
  /** Other names under which it is found, where they differ from `name`: its path, and its key. */
  readonly path?: string;
  readonly key?: string;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly parent?: StateNumber;
  /** The last of its descendants; the state itself if it has none. */
  readonly last: StateNumber;
  /** On a compound state: the child that is entered with it, and the actions that run then. */
  readonly initial?: { readonly target: StateNumber; readonly actions?: readonly ActionModel[] };
  /** On a history state: how deep it remembers, and its targets while there is nothing to remember. */
  readonly history?: { readonly depth: 'shallow' | 'deep'; readonly targets?: readonly StateNumber[] };
  /** Transitions by event, in the order in which they are tried. */
  readonly on?: readonly EventModel[];
  readonly always?: readonly TransitionModel[];
  readonly onDone?: readonly TransitionModel[];
  /** Transitions by time since the state was entered. */
  readonly after?: readonly DelayModel[];
  /** Transitions by moment. */
  readonly at?: readonly MomentModel[];
  /** If set, only a caller that holds one of the slots may report to the state. */
  readonly slots?: Slots;
  /** CEL over `member`: the members for whom the state and all states inside it are. */
  readonly only?: string;
  /** If set, work is begun here, and in the states inside, only while one of them is open. */
  readonly windows?: readonly Window[];
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
  /** ms, or an input whose value is a duration. */
  readonly delay: Delay;
  readonly transitions: readonly TransitionModel[];
}

export interface MomentModel {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly transitions: readonly TransitionModel[];
}

export interface TransitionModel {
  /** Absent: the active states stay, and only the actions run. */
  readonly targets?: readonly StateNumber[];
  readonly guard?: CheckedGuard<StateNumber>;
  readonly actions?: readonly ActionModel[];
  /** Whether a transition to the state itself, or into it, leaves and reenters the state. */
  readonly reenter?: true;
  /** If set, accepted events are only counted until `until` is reached. */
  readonly quorum?: Quorum;
  readonly description?: string;
}

/**
 * A count that restarts with each visit of its state. It is `from` before the first accepted event; each event adds
 * one, and the event that makes it equal to `until` takes the transition. A statechart's quorum counts from 0. The
 * original's `increment` counts from any number, so that it can pass `until` and never be equal. A share or an input can
 * fall below the count while the state is active: then it is met as well.
 */
export interface Quorum {
  readonly from: number;
  readonly until: Amount;
}

/**
 * Returns how many steps of 1 a count takes from `from` to `until`; undefined if it is never equal to `until`, or if that is
 * no number. The difference of two binary fractions would not tell: 2.3 - 0.3 is no whole number, and two steps meet it.
 */
export function stepsOf({ from, until }: Quorum): number | undefined {
  if (typeof until !== 'number') return undefined;
  const steps = Math.round(until - from);
  return steps > 0 && from + steps === until ? steps : undefined;
}

/** The slots of a state. */
export interface Slots {
  readonly count: Amount;
  /** How long a claim lasts unless it is renewed, ms. */
  readonly lease: number;
  /** For how long a slot that a report frees stays taken, ms. Absent: not at all. */
  readonly cooldown?: number;
}

/** A recurring time in which work may be begun. */
export interface Window {
  /** When it opens: the five fields of cron, in the time of `zone`. */
  readonly cron: string;
  /** A name of the IANA time zone database. */
  readonly zone: string;
  /** How long it is open, in ms. */
  readonly length: number;
  /** How long before its end no more work is begun, in ms. */
  readonly cutoff: number;
}

export type ActionModel =
  | { readonly assign: readonly Assignment[] }
  | { readonly raise: string; readonly delay?: number; readonly id?: string }
  | { readonly cancel: string };

/** Assigns one key of the context: to an expression's value, or to a scalar. */
export interface Assignment {
  readonly key: string;
  readonly to: { readonly cel: string } | { readonly value: string | number | boolean | null };
}

/** Whether `state` is `ancestor` or a descendant of it. */
export function isWithin({ states }: Model, state: StateNumber, ancestor: StateNumber): boolean {
  return state >= ancestor && state <= (states[ancestor]?.last ?? ancestor);
}

/** Whether `state` receives events sent to `address`: `address` itself, its ancestors and its descendants do. */
export function isRelated(model: Model, address: StateNumber, state: StateNumber): boolean {
  return isWithin(model, state, address) || isWithin(model, address, state);
}

/** @returns the ancestors of a state, the nearest first, the root last. */
export function ancestorsOf({ states }: Model, state: StateNumber): StateNumber[] {
  const ancestors: StateNumber[] = [];
  for (let at = states[state]?.parent; at !== undefined; at = states[at]?.parent) ancestors.push(at);
  return ancestors;
}

/** @returns the children of a state, in document order. */
export function childrenOf({ states }: Model, parent: StateNumber): StateNumber[] {
  const children: StateNumber[] = [];
  const last = states[parent]?.last ?? parent;
  for (let child = parent + 1; child <= last; child = (states[child]?.last ?? child) + 1)
    children.push(child);
  return children;
}

/** @returns a state and its ancestors, the state first. */
export function withAncestors(model: Model, state: StateNumber): StateNumber[] {
  return [state, ...ancestorsOf(model, state)];
}

/** @returns how many states can be active at once: those without children (`regions`), and all of them. */
export function extentOf({ states }: Model): { readonly regions: number; readonly active: number } {
  const extents = states.map(() => ({ regions: 0, active: 0 }));
  // Children follow their parents: from the end, each state is complete when it is added to its parent.
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
