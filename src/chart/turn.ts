/**
 * *May this caller go?* One pure function of (machine, state, caller, now). Asks, waits, claims, FleetLock, the page and
 * `simulate` call it; each condition is one line in it.
 */

import { needsMembers, partIn, slotCount } from './audience.ts';
import type { Program } from './compile.ts';
import { type Cooling, coolingOn } from './cooling.ts';
import { type Claims, claimOf, claimsOn, countOn, slotsOf } from './leases.ts';
import { type StateNumber, UPDATE, withAncestors } from './model.ts';
import { openingOf } from './opening.ts';
import { isActive, mayCome, quorums } from './queries.ts';
import type { Snapshot } from './snapshot.ts';

/** What a turn depends on. */
export interface Situation {
  readonly snapshot: Snapshot;
  readonly claims: Claims;
  readonly cooling: Cooling;
}

export interface Ask {
  readonly state: StateNumber;
  /** The caller. Absent: the original's question, whether the state is current. */
  readonly by?: string | undefined;
}

/** A repeated ask may succeed. */
type NotYet = 'not-current' | 'paused' | 'no-members' | 'closed' | 'slots-taken';

/** No repeated ask can succeed in this visit of the state. */
type Never = 'cannot-come' | 'not-a-member' | 'not-for-you' | 'already-reported';

export type Turn =
  | { readonly answer: 'go' }
  | {
      readonly answer: 'not-yet';
      readonly why: NotYet;
      /** The state that holds the caller back: the one it asks for, or one around it. */
      readonly state: StateNumber;
      /** When it is worth asking again, ms since the epoch; absent if only a change of the machine can help. */
      readonly again?: number;
    }
  | { readonly answer: 'never'; readonly why: Never; readonly state: StateNumber };

/**
 * Decides whether a caller may begin its work in a state: it is current, it is for the caller, the caller has not
 * reported yet, and nothing holds it back.
 *
 * @param hasReported whether the caller has reported an event to the state in its present visit, as far as that matters.
 * @param now ms since the epoch.
 */
export function turnOf(
  program: Program,
  { snapshot, claims, cooling }: Situation,
  { state, by }: Ask,
  hasReported: (event: string) => boolean,
  now: number,
): Turn {
  if (!isActive(snapshot, state)) {
    return mayCome(program, snapshot, state) ? notYet('not-current', state) : never('cannot-come', state);
  }
  const { terms } = snapshot;
  // A caller that holds a slot of the state has begun its work.
  const isHolder = by !== undefined && claimOf(claims, state, by) !== undefined;
  if (terms.paused !== undefined && !isHolder) return notYet('paused', state, terms.paused.until);
  if (by === undefined) return GO;
  if (terms.members === undefined && needsMembers(program, terms, state)) return notYet('no-members', state);
  const noPart = partIn(program, terms, state, by);
  if (noPart !== undefined) return noPart === 'no-members' ? notYet(noPart, state) : never(noPart, state);
  if (reportedEvents(program, snapshot, state).some(hasReported)) return never('already-reported', state);
  return (
    (isHolder ? undefined : closed(program, state, now)) ??
    slotsTaken(program, { snapshot, claims, cooling }, { state, by }, now) ??
    GO
  );
}

const GO: Turn = { answer: 'go' };

function notYet(why: NotYet, state: StateNumber, again?: number): Turn {
  return { answer: 'not-yet', why, state, ...(again === undefined ? {} : { again }) };
}

function never(why: Never, state: StateNumber): Turn {
  return { answer: 'never', why, state };
}

/** @returns the events with which a caller's part in a visit of `state` is done: `update`, and those that a quorum of it counts. */
function reportedEvents(program: Program, snapshot: Snapshot, state: StateNumber): string[] {
  const counted = quorums(program, snapshot).filter((quorum) => quorum.state === state);
  return [...new Set([UPDATE, ...counted.map(({ event }) => event)])];
}

/** Holds a caller back while the windows of a state are closed. */
function closed(program: Program, state: StateNumber, now: number): Turn | undefined {
  const opening = openingOf(program, state, now);
  if (opening === undefined || opening.open) return undefined;
  return notYet('closed', state, opening.again);
}

/** Holds a caller back that has no slot of a state, of those with slots among `state` and the states around it, if none is free. */
function slotsTaken(
  program: Program,
  situation: Situation,
  { state, by }: { readonly state: StateNumber; readonly by: string },
  now: number,
): Turn | undefined {
  const { claims, cooling } = situation;
  for (const at of withAncestors(program.model, state)) {
    const free = freeSlots(program, situation, at, now);
    if (free === undefined || free > 0 || claimOf(claims, at, by) !== undefined) continue;
    const next = [...claimsOn(claims, at).map(({ until }) => until), ...coolingOn(cooling, at, now)];
    return notYet('slots-taken', at, next.length === 0 ? undefined : Math.min(...next));
  }
  return undefined;
}

/**
 * @returns how many slots of a state are free: neither claimed nor in a cooldown. Negative where the run has fewer slots
 *   by now than are taken; undefined if the state has none.
 */
export function freeSlots(
  program: Program,
  { snapshot, claims, cooling }: Situation,
  state: StateNumber,
  now: number,
): number | undefined {
  const slots = slotsOf(program, state);
  if (slots === undefined) return undefined;
  const count = slotCount(program, snapshot.terms, state, slots) ?? 0;
  return count - countOn(claims, state) - coolingOn(cooling, state, now).length;
}
