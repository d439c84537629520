import { claimOf, countAll, isDone, type StateNumber, slotsOf, UPDATE } from '../chart/chart.ts';
import type { Accepted, Claim as ClaimCommand, Claimed } from '../commands.ts';
import { CLAIMS } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import type { Draft } from './draft.ts';
import { findCurrent, findState, turnIn } from './lookup.ts';
import { claimsFull, noSlots, notHolder, notTaken, refuseTurn } from './refusals.ts';

/** Takes a slot of a state, or renews the slot that the caller holds. */
export function claim(
  draft: Draft,
  { state: name, by, sub }: Omit<ClaimCommand, 'type'>,
  now: number,
): Claimed | Refusal {
  const { machine } = draft;
  const found = findCurrent(machine, name, now);
  if (!found.ok) return found;
  const { state } = found;
  const slots = slotsOf(machine.chart, state);
  if (slots === undefined) return noSlots(machine, state);
  // The regions of a parallel root stay current at the end.
  if (isDone(machine.snapshot)) return notTaken(machine, state, UPDATE);
  // A caller that has reported may claim again: a node may have to reboot twice. Its work counts once.
  const turn = turnIn(machine, { state, by }, () => false, now);
  if (turn.answer !== 'go') return refuseTurn(machine, turn, { name, by }, now);
  const held = claimOf(machine.claims, state, by);
  if (held === undefined && countAll(machine.claims) >= CLAIMS) return claimsFull(machine, now);
  const until = now + slots.lease;
  draft.setClaim({ state, by, since: held?.since ?? now, until });
  const notes = held === undefined ? [] : ['renewed'];
  draft.change(now, { cause: 'claim', event: null, state: draft.nameOf(state), by, sub: sub ?? null, notes });
  const { lease } = slots;
  return { ok: true, state: draft.nameOf(state), by, until, lease, revision: draft.machine.revision };
}

/**
 * Renews the slot of a state that the caller holds. A claim would take a slot again after the first one was lost, and so hide
 * from the caller that others may have worked in between.
 */
export function renew(draft: Draft, command: Omit<ClaimCommand, 'type'>, now: number): Claimed | Refusal {
  const { machine } = draft;
  const found = findCurrent(machine, command.state, now);
  if (!found.ok) return found;
  const isHolder = claimOf(machine.claims, found.state, command.by) !== undefined;
  return isHolder ? claim(draft, command, now) : notHolder(machine, found.state, command.by);
}

/** Frees a slot without a report. Succeeds if the caller does not hold one. */
export function release(
  draft: Draft,
  { state: name, ...caller }: Omit<ClaimCommand, 'type'>,
  now: number,
): Accepted | Refusal {
  const found = findState(draft.machine, name);
  if (!found.ok) return found;
  freeSlot(draft, found.state, caller, now);
  return { ok: true, revision: draft.machine.revision };
}

/** Frees the slot of `state` that the caller holds, if it holds one. */
export function freeSlot(draft: Draft, state: StateNumber, { by, sub }: Caller, now: number): void {
  const held = claimOf(draft.machine.claims, state, by);
  if (held === undefined) return;
  draft.clearClaim(held);
  const name = draft.nameOf(state);
  draft.change(now, { cause: 'release', event: null, state: name, by, sub: sub ?? null, notes: [] });
}

/** The caller of a claim, and its token's subject. */
type Caller = Pick<ClaimCommand, 'by' | 'sub'>;
