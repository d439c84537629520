/** Queries of a running chart, which change nothing. */
import type { MachineSnapshot, Program } from './compile.ts';
import { countOf, quorumKey } from './counts.ts';
import {
  ancestorsOf,
  type EventModel,
  isWithin,
  type Model,
  ROOT,
  type StateNumber,
  type TransitionModel,
} from './model.ts';
import { type IsOpen, reachableFrom } from './reach.ts';
import { isDone, type Snapshot, type Timer } from './snapshot.ts';
import { isInternalEvent, numberOf, timedBy } from './xstate-names.ts';

/** @returns the name that people use of a state. */
export function nameOf({ model }: Program, state: StateNumber): string {
  return model.states[state]?.name ?? '';
}

/** A transition that waits for more events than one. */
export interface QuorumProgress {
  readonly state: StateNumber;
  readonly event: string;
  readonly from: number;
  /** Where the count stands in this visit. */
  readonly have: number;
  readonly until: number;
}

/** @returns the quorums of the active states. */
export function quorums({ model }: Program, { machine, active }: Snapshot): QuorumProgress[] {
  return [ROOT, ...active.keys()].flatMap((state) =>
    (model.states[state]?.on ?? []).flatMap(({ event, transitions }) =>
      transitions.flatMap(({ quorum }, i) => {
        if (quorum === undefined) return [];
        const have = countOf(machine.context, quorumKey(state, event, i), quorum.from);
        return [{ state, event, ...quorum, have }];
      }),
    ),
  );
}

/** How far a counting transition has come, as people read it. */
export interface Count {
  readonly state: string;
  readonly event: string;
  /** The count now, and the count at which the transition is taken. */
  readonly have: number;
  readonly need: number;
}

/** @returns the counts of the active states, each by the name of its state. */
export function countsOf(program: Program, snapshot: Snapshot): Count[] {
  return quorums(program, snapshot).map(({ state, event, have, until }) => ({
    state: nameOf(program, state),
    event,
    have,
    need: until,
  }));
}

/** What a timer does: the state whose `after`, `at` or `time` has set it, and where it may lead. */
export interface TimerMeaning {
  readonly state: StateNumber;
  /** Each once, in the order in which their transitions are tried. */
  readonly targets: readonly StateNumber[];
}

/** @returns undefined for a timer of a delayed `raise`, whose event may lead anywhere. */
export function meaningOf({ model }: Program, { event }: Pick<Timer, 'event'>): TimerMeaning | undefined {
  const timed = timedBy(event);
  if (timed === undefined) return undefined;
  const { after = [], at = [] } = model.states[timed.state] ?? {};
  const set = timed.kind === 'after' ? after.filter(({ delay }) => delay === timed.delay) : [at[timed.index]];
  const targets = set.flatMap((item) => item?.transitions.flatMap((way) => way.targets ?? []) ?? []);
  return { state: timed.state, targets: [...new Set(targets)] };
}

/** @returns the event of a timer as the chart names it; null for those of `after` and `at`, which have no name. */
export function eventOfTimer({ event }: Pick<Timer, 'event'>): string | null {
  return isInternalEvent(event) ? null : event;
}

/** XState's `value`, by the keys of the chart and not by those that xstate was given. */
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
 * @returns the events that `state`, its active descendants and its ancestors name: those that it may take. One that a
 *   state forbids (`stop: {}`) is not taken by those around it either.
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

/** An event that a state names, as far as a caller has to know it before it is sent. */
export interface OwnEvent {
  readonly event: string;
  /** Whether a quorum counts it. */
  readonly isCounted: boolean;
  /** Whether it has a transition into a final state: what it does cannot be taken back. */
  readonly mayEnd: boolean;
}

/** @returns the events that `state` itself names, wildcards and those that it forbids apart. */
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

/** Whether a state is final, or is entered by its initial states into one that is. */
function entersFinal({ states }: Model, state: StateNumber): boolean {
  let at = states[state];
  while (at?.initial !== undefined) at = states[at.initial.target];
  return at?.type === 'final';
}

function isForbidding({ targets, actions, guard, quorum }: TransitionModel): boolean {
  return [targets, actions, guard, quorum].every((part) => part === undefined);
}

/**
 * The states that may still become active, the present ones among them. Guards are taken for open, for who knows
 * what the context will be; a count that has passed its target is not. What is not in it can never come any more.
 */
export function reachable(program: Program, snapshot: Snapshot): ReadonlySet<StateNumber> {
  const { model } = program;
  if (isDone(snapshot)) return new Set([ROOT, ...snapshot.active.keys()]);
  const isOpen: IsOpen = (state, event, { quorum }, index) => {
    if (quorum === undefined) return true;
    const key = quorumKey(state, event, index);
    // A state that is entered anew counts from the beginning.
    const have = snapshot.active.has(state)
      ? countOf(snapshot.machine.context, key, quorum.from)
      : quorum.from;
    return quorum.until > have && Number.isInteger(quorum.until - have);
  };
  return reachableFrom(model, [ROOT, ...snapshot.active.keys()], isOpen);
}

/** Whether `state` itself has a transition for `event`, by its name or by a wildcard. */
export function takes(program: Program, state: StateNumber, event: string): boolean {
  return descriptorOf(program, state, event) !== undefined;
}

/** @returns under which of the names and wildcards of `state` an event goes: the longest, as XState has it. */
export function descriptorOf({ model }: Program, state: StateNumber, event: string): string | undefined {
  const on = model.states[state]?.on;
  if (on === undefined) return undefined;
  const { all, hasWildcard } = descriptorsOf(on);
  if (all.has(event)) return event;
  if (!hasWildcard) return undefined;
  // `a.b` goes under `a.b.*`, `a.*` and `*`.
  for (let end = event.length; end >= 0; end = end === 0 ? -1 : event.lastIndexOf('.', end - 1)) {
    const wildcard = `${event.slice(0, end)}.*`;
    if (all.has(wildcard)) return wildcard;
  }
  return all.has('*') ? '*' : undefined;
}

/** The names and wildcards of a state's events. Kept: a status looks them up for every kind of report. */
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
