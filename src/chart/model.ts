/**
 * What both dialects compile to, and all that the engine knows of a chart.
 *
 * States are numbered in document order and call each other by number: a name is data that people chose
 * (`__proto__`, `v1.2`, `#1`) and never a key of an object or a part of an xstate path.
 */

/** The number of a state: its place in `Model.states`. The root is 0. */
export type StateNumber = number;

export const ROOT: StateNumber = 0;

export interface Model {
  /** In document order, the root first. */
  readonly states: readonly StateModel[];
}

export interface StateModel {
  /** What people call it and what the service answers with. */
  readonly name: string;
  readonly type: 'atomic' | 'compound' | 'final';
  readonly parent: StateNumber | undefined;
  /** Of a compound state: the child that is entered with it. */
  readonly initial?: StateNumber;
  /** Transitions by event, in the order in which they are tried. */
  readonly on?: readonly EventModel[];
  /** Transitions by moment. */
  readonly at?: readonly MomentModel[];
}

export interface EventModel {
  readonly event: string;
  readonly transitions: readonly TransitionModel[];
}

export interface MomentModel {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly transitions: readonly TransitionModel[];
}

export interface TransitionModel {
  readonly target: StateNumber;
  /** Where set, the transition waits: accepted events only count until `until` is reached. */
  readonly quorum?: Quorum;
}

/**
 * A count that starts anew with each visit of its state: `from` before the first accepted event, one more
 * for each, and the transition is taken by the event that makes it equal `until`. A statechart's quorum
 * counts from 0; the original's `increment` from any number, so that one may pass by and never be equal.
 */
export interface Quorum {
  readonly from: number;
  readonly until: number;
}

/** The event that a plain `PUT` sends. */
export const UPDATE = 'update';
