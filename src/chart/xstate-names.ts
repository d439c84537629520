/** The names of a chart's states, events and timers in xstate. No other file knows how they are written. */
import type { StateNumber } from './model.ts';
import type { Delay } from './time.ts';

/** @returns the key and id of a state. */
export function keyOf(state: StateNumber): string {
  return `s${state}`;
}

/** The inverse of `keyOf`. */
export function numberOf(key: string): StateNumber {
  return Number(key.slice(1));
}

/** @returns the event that xstate raises when a state is done. */
export function doneEvent(state: StateNumber): string {
  return `${DONE}${keyOf(state)}`;
}

/** @returns the state that a done event of xstate is about; undefined for other events. */
export function doneState(event: string): StateNumber | undefined {
  const key = doneName(event);
  return key !== undefined && /^s\d+$/.test(key) ? numberOf(key) : undefined;
}

/** @returns the done event of a state as a chart writes it: by the state's name. */
export function writtenDoneEvent(name: string): string {
  return `${DONE}${name}`;
}

/** The inverse of `writtenDoneEvent`; undefined for other events. */
export function doneName(event: string): string | undefined {
  return event.startsWith(DONE) && event.length > DONE.length ? event.slice(DONE.length) : undefined;
}

const DONE = 'xstate.done.state.';

/** @returns a delay as xstate's configuration names it: ms, or an input. */
export function delayName(delay: Delay): string {
  return typeof delay === 'number' ? String(delay) : `inputs.${delay.input}`;
}

/** @returns the event that xstate raises for the `after` of a state. */
export function delayEvent(state: StateNumber, delay: Delay): string {
  return `xstate.after.${delayName(delay)}.${keyOf(state)}`;
}

/** @returns the event of one `at` of a state, and the label of its timer. xstate has no `at`. */
export function momentEvent(state: StateNumber, index: number): string {
  return `xstate.at.${index}.${keyOf(state)}`;
}

/**
 * @returns the event that takes the transition of one quorum of a state, after a change of the terms has met it.
 *
 * @param event the index of the quorum's event among the state's events; `index`, of the transition among the event's.
 */
export function metEvent(state: StateNumber, event: number, index: number): string {
  return `xstate.met.${event}.${index}.${keyOf(state)}`;
}

/** The event that moves a machine by hand. */
export const OVERRIDE_EVENT = 'xstate.override';

/** Whether an event is of an `at`, whose time does not depend on when its state was entered. */
export function isMoment(event: string): boolean {
  return event.startsWith('xstate.at.');
}

/** The `after` or `at` that an event belongs to. */
export type Timed =
  /** `delay` is a `delayName`. */
  | { readonly state: StateNumber; readonly kind: 'after'; readonly delay: string }
  | { readonly state: StateNumber; readonly kind: 'at'; readonly index: number };

/** The inverse of `delayEvent` and `momentEvent`; undefined for other events. */
export function timedBy(event: string): Timed | undefined {
  const [, kind, which = '', key = ''] = /^xstate\.(after|at)\.(\d+|inputs\.\w+)\.(s\d+)$/.exec(event) ?? [];
  if (kind === undefined) return undefined;
  const state = numberOf(key);
  return kind === 'after' ? { state, kind, delay: which } : { state, kind: 'at', index: Number(which) };
}

/** @returns the label of a timer to which a chart gives an id. The prefix keeps it apart from those of `after` and `at`. */
export function labelOf(id: string): string {
  return `user.${id}`;
}

/** Whether xstate or the compiler has named an event, and not the chart. */
export function isInternalEvent(event: string): boolean {
  return event.startsWith('xstate.');
}

/** Whether an event has a name that XState reserves: no caller may send it, and no chart raise it. */
export function isReservedEvent(event: string): boolean {
  return /^(?:xstate|done|error)\./.test(event);
}

/** Whether a chart may not wait for an event: XState's own, apart from wildcards and the end of a state. */
export function isForbiddenEvent(event: string): boolean {
  return /^xstate\.(?!\*|done\.)/.test(event);
}
