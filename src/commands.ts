/** Calls of a machine's object as data, so that many can travel as one. */

import type { UpdateOptions } from './objects/turn.ts';
import type { Refusal } from './refusal.ts';

/** A call that answers soon, the method's name before its arguments. */
export type Call =
  | readonly ['is', name: string]
  | readonly ['update', state: string, event: string, more?: UpdateOptions | undefined];

/** What comes of it: the machine's revision for yes. */
export type CallAnswer = number | Refusal;

/** The same, or what was thrown. */
export type CallOutcome = CallAnswer | { readonly error: unknown };

/** The object, or its stub. */
interface Callee {
  is(name: string): Promise<CallAnswer>;
  update(state: string, event: string, more?: UpdateOptions): Promise<CallAnswer>;
}

/** Makes a call. */
export function perform(callee: Callee, call: Call): Promise<CallAnswer> {
  return call[0] === 'is' ? callee.is(call[1]) : callee.update(call[1], call[2], call[3]);
}

/** Makes calls that have come together. One that fails does so alone. */
export async function performAll(callee: Callee, calls: readonly Call[]): Promise<CallOutcome[]> {
  const settled = await Promise.allSettled(calls.map((call) => perform(callee, call)));
  return settled.map((one) => (one.status === 'fulfilled' ? one.value : { error: one.reason }));
}
