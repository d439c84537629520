/** Queries of a running chart, which change nothing. */

import { isShare } from './amount.ts';
import { needOf } from './audience.ts';
import type { MachineSnapshot, Program } from './compile.ts';
import { countOf, quorumKey } from './counts.ts';
import {
  ancestorsOf,
  type EventModel,
  isRelated,
  isWithin,
  type Model,
  ROOT,
  type StateNumber,
  type TransitionModel,
} from './model.ts';
import { type IsOpen, reachableFrom } from './reach.ts';
import { isDone, type Snapshot, type Timer } from './snapshot.ts';
import { delayName, isInternalEvent, numberOf, timedBy } from './xstate-names.ts';

/** @returns the name of a state. */
export function nameOf({ model }: Program, state: StateNumber): string {
  return model.states[state]?.name ?? '';
}

/** A transition that waits for several events, and its count. */
export interface QuorumProgress {
  readonly state: StateNumber;
  readonly event: string;
  /** Its index among the transitions of the event. */
  readonly index: number;
  readonly from: number;
  /** The present count, in this visit. */
  readonly have: number;
  /** Null if it is a share of the members, and the machine has no list of them. */
  readonly until: number | null;
  /** Whether it counts only members that its state is for. */
  readonly isShare: boolean;
}

/** @returns the quorums of the active states. */
export function quorums(program: Program, { machine, active, terms }: Snapshot): QuorumProgress[] {
  return [ROOT, ...active.keys()].flatMap((state) =>
    (program.model.states[state]?.on ?? []).flatMap(({ event, transitions }) =>
      transitions.flatMap(({ quorum }, index) => {
        if (quorum === undefined) return [];
        const { from } = quorum;
        const have = countOf(machine.context, quorumKey(state, event, index), from);
        const until = needOf(program, terms, state, quorum) ?? null;
        return [{ state, event, index, from, have, until, isShare: isShare(quorum.until, terms.inputs) }];
      }),
    ),
  );
}

/** @returns the quorums that may count an event that is sent to `address`. */
export function countersOf(
  program: Program,
  snapshot: Snapshot,
  address: StateNumber,
  event: string,
): QuorumProgress[] {
  return quorums(program, snapshot).filter(
    (quorum) =>
      isRelated(program.model, address, quorum.state) &&
      descriptorOf(program, quorum.state, event) === quorum.event,
  );
}

/** The count of a transition, with names instead of numbers. */
export interface Count {
  readonly state: string;
  readonly event: string;
  /** The count now, and the count at which the transition is taken. */
  readonly have: number;
  /** Null if it is a share of the members, and the machine has no list of them. */
  readonly need: number | null;
}

/** @returns the counts of the active states, each by the name of its state. */
export function countsOf(program: Program, snapshot: Snapshot): Count[] {
  return quorums(program, snapshot).map((quorum) => named(program, quorum));
}

/** @returns the counts of the active states that may count an event that is sent to `address`. */
export function countsAt(program: Program, snapshot: Snapshot, address: StateNumber, event: string): Count[] {
  return countersOf(program, snapshot, address, event).map((quorum) => named(program, quorum));
}

function named(program: Program, { state, event, have, until }: QuorumProgress): Count {
  return { state: nameOf(program, state), event, have, need: until };
}

/** The purpose of a timer: the state whose `after`, `at` or `time` set it, and its possible targets. */
export interface TimerMeaning {
  readonly state: StateNumber;
  /** Each once, in the order in which their transitions are tried. */
  readonly targets: readonly StateNumber[];
}

/** @returns undefined for a timer of a delayed `raise`, whose event can have any target. */
export function meaningOf({ model }: Program, { event }: Pick<Timer, 'event'>): TimerMeaning | undefined {
  const timed = timedBy(event);
  if (timed === undefined) return undefined;
  const { after = [], at = [] } = model.states[timed.state] ?? {};
  const set =
    timed.kind === 'after'
      ? after.filter(({ delay }) => delayName(delay) === timed.delay)
      : [at[timed.index]];
  const targets = set.flatMap((item) => item?.transitions.flatMap((way) => way.targets ?? []) ?? []);
  return { state: timed.state, targets: [...new Set(targets)] };
}

/** @returns the event of a timer as the chart names it; null for those of `after` and `at`, which have no name. */
export function eventOfTimer({ event }: Pick<Timer, 'event'>): string | null {
  return isInternalEvent(event) ? null : event;
}

/** XState's `value`, with the keys of the chart instead of the compiled ones. */
export type NamedValue = string | { readonly [key: string]: NamedValue };

/** @returns the active states as XState shows them: a key, or a mapping of keys to what is active inside. */
export function namedValue({ model }: Program, { machine }: Snapshot): NamedValue {
  const name = (key: string) => {
    const state = model.states[numberOf(key)];
    return state?.key ?? state?.path ?? state?.name ?? '';
  };
  const walk = (value: MachineSnapshot['value']): NamedValue => {
    if (typeof value === 'string') return name(value);
    const named: Record<string, NamedValue> = Object.create(null);
    for (const [key, inner] of Object.entries(value)) named[name(key)] = inner ? walk(inner) : {};
    return named;
  };
  return walk(machine.value);
}

/** Whether `state` is active; the root always is. */
export function isActive({ active }: Snapshot, state: StateNumber): boolean {
  return state === ROOT || active.has(state);
}

/**
 * @returns the events that `state`, its active descendants or its ancestors may take. An event that a state forbids
 *   (`stop: {}`) is not taken by the states around it either.
 */
export function eventsOf({ model }: Program, { active }: Snapshot, state: StateNumber): string[] {
  const inside = [...active.keys()]
    .filter((other) => other !== state && isWithin(model, other, state))
    .reverse();
  const events = new Set<string>();
  const forbidden = new Set<string>();
  for (const at of [...inside, state, ...ancestorsOf(model, state)]) {
    for (const { event, transitions } of model.states[at]?.on ?? []) {
      if (isInternalEvent(event) || forbidden.has(event)) continue;
      const [first] = transitions;
      if (first !== undefined && isForbidding(first)) forbidden.add(event);
      else events.add(event);
    }
  }
  return [...events];
}

/** @returns the tags of the active states, as XState's `snapshot.tags` has them: each once, outermost first. */
export function activeTags({ model }: Program, { active }: Snapshot): string[] {
  return [...new Set([ROOT, ...active.keys()].flatMap((state) => model.states[state]?.tags ?? []))];
}

/** An event of a state, with what a caller must know before it sends the event. */
export interface OwnEvent {
  readonly event: string;
  /** Whether a quorum counts it. */
  readonly isCounted: boolean;
  /** Whether it has a transition into a final state, which cannot be undone. */
  readonly mayEnd: boolean;
}

/** @returns the events that `state` itself names, without wildcards and forbidden events. */
export function ownEvents({ model }: Program, state: StateNumber): OwnEvent[] {
  return (model.states[state]?.on ?? []).flatMap(({ event, transitions }) => {
    const [first] = transitions;
    if (isInternalEvent(event) || event.includes('*')) return [];
    if (first === undefined || isForbidding(first)) return [];
    const targets = transitions.flatMap((transition) => transition.targets ?? []);
    return [
      {
        event,
        isCounted: transitions.some(({ quorum }) => quorum !== undefined),
        mayEnd: targets.some((target) => entersFinal(model, target)),
      },
    ];
  });
}

/** Whether a state is final, or its initial states lead to a final state. */
function entersFinal({ states }: Model, state: StateNumber): boolean {
  let at = states[state];
  while (at?.initial !== undefined) at = states[at.initial.target];
  return at?.type === 'final';
}

function isForbidding({ targets, actions, guard, quorum }: TransitionModel): boolean {
  return [targets, actions, guard, quorum].every((part) => part === undefined);
}

/**
 * @returns the states that can still become active, with the active ones. Guards count as true, since the context can
 *   change; a count that has passed its target never takes its transition. All other states are out of reach for ever.
 */
export function reachable(program: Program, snapshot: Snapshot): ReadonlySet<StateNumber> {
  const { model } = program;
  if (isDone(snapshot)) return new Set([ROOT, ...snapshot.active.keys()]);
  const isOpen: IsOpen = (state, event, { quorum }, index) => {
    // A share and an input can change.
    if (typeof quorum?.until !== 'number') return true;
    const key = quorumKey(state, event, index);
    // A state counts from the beginning when it is entered again.
    const have = snapshot.active.has(state)
      ? countOf(snapshot.machine.context, key, quorum.from)
      : quorum.from;
    return quorum.until > have && Number.isInteger(quorum.until - have);
  };
  return reachableFrom(model, [ROOT, ...snapshot.active.keys()], isOpen);
}

/** Whether `state` may still become active, as far as the chart's shape and its counts say. */
export function mayCome(program: Program, snapshot: Snapshot, state: StateNumber): boolean {
  let known = reaches.get(snapshot);
  if (known === undefined) {
    known = reachable(program, snapshot);
    reaches.set(snapshot, known);
  }
  return known.has(state);
}

/** The reachable states of a snapshot. Kept: every poll needs them, and they change only with the snapshot. */
const reaches = new WeakMap<Snapshot, ReadonlySet<StateNumber>>();

/** Whether `state` itself has a transition for `event`, by its name or by a wildcard. */
export function takes(program: Program, state: StateNumber, event: string): boolean {
  return descriptorOf(program, state, event) !== undefined;
}

/** @returns the event name or wildcard of `state` that matches an event: the longest one, as in XState. */
export function descriptorOf({ model }: Program, state: StateNumber, event: string): string | undefined {
  const on = model.states[state]?.on;
  if (on === undefined) return undefined;
  const { all, hasWildcard } = descriptorsOf(on);
  if (all.has(event)) return event;
  if (!hasWildcard) return undefined;
  // `a.b` matches `a.b.*`, `a.*` and `*`.
  for (let end = event.length; end >= 0; end = end === 0 ? -1 : event.lastIndexOf('.', end - 1)) {
    const wildcard = `${event.slice(0, end)}.*`;
    if (all.has(wildcard)) return wildcard;
  }
  return all.has('*') ? '*' : undefined;
}

/** The names and wildcards of a state's events. Cached: a status document looks them up for every kind of report. */
function descriptorsOf(on: readonly EventModel[]) {
  let known = descriptors.get(on);
  if (known === undefined) {
    const all = new Set(on.map(({ event }) => event));
    known = { all, hasWildcard: on.some(({ event }) => event.endsWith('*')) };
    descriptors.set(on, known);
  }
  return known;
}

const descriptors = new WeakMap<
  readonly EventModel[],
  { readonly all: ReadonlySet<string>; readonly hasWildcard: boolean }
>();
