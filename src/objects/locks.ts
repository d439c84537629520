/**
 * FleetLock, the reboot protocol of Zincati (https://coreos.github.io/zincati/development/fleetlock/protocol/), as
 * claims: to lock is to take a slot, to be steady again is to report and give it back.
 */
import { nameOf, type StateNumber, UPDATE } from '../chart/chart.ts';
import type { Accepted, Lock } from '../commands.ts';
import type { Refusal } from '../refusal.ts';
import { claim, release } from './claiming.ts';
import type { Draft } from './draft.ts';
import { findState } from './lookup.ts';
import type { MachineState } from './machine-state.ts';
import { noGroup, noLock, noSlots, severalLocks } from './refusals.ts';
import { claimOf, slotsOf } from './slot-claims.ts';
import { report } from './update.ts';

/** `pre-reboot`: may this node reboot now? Asked again by the holder, it is still yes. */
export function lock(draft: Draft, { group, id, sub }: Lock, now: number): Accepted | Refusal {
  const { machine } = draft;
  const found = findLocks(machine, group);
  if (!found.ok) return found;
  const held = found.locks.find((state) => claimOf(machine.claims, state, id) !== undefined);
  const [only, ...others] = held === undefined ? found.locks : [held];
  if (only === undefined) return noLock(machine);
  if (others.length > 0) return severalLocks(machine, found.locks);
  return claim(draft, { state: nameOf(machine.chart, only), by: id, ...withSub(sub) }, now);
}

/**
 * `steady-state`: the node is up and well. A holder has reported by it, and its slot is free. One that holds none
 * has nothing to give back and is told so with a yes: nodes send this whenever they start, also when they have
 * not rebooted for us, and that is no report.
 */
export function unlock(draft: Draft, { group, id, sub }: Lock, now: number): Accepted | Refusal {
  const { machine } = draft;
  const found = findLocks(machine, group);
  if (!found.ok) return found;
  const held = found.locks.find((state) => claimOf(machine.claims, state, id) !== undefined);
  if (held === undefined) return { ok: true, revision: machine.revision };
  const slot = { state: nameOf(machine.chart, held), by: id, ...withSub(sub) };
  const reported = report(draft, { ...slot, event: UPDATE }, now);
  // A state that takes no report is a lock and nothing else. So is a state that has this node's report already.
  const isHeld = claimOf(draft.machine.claims, held, id) !== undefined;
  return isHeld || !reported.ok ? release(draft, slot, now) : reported;
}

function withSub(sub: string | undefined) {
  return sub === undefined ? {} : { sub };
}

/** The group of a node whose owner has named none: https://coreos.github.io/zincati/usage/updates-strategy/ */
const DEFAULT_GROUP = 'default';

/** Finds the states that a group may lock: the one of its name, which must have slots, or all current ones that have. */
function findLocks(
  machine: MachineState,
  group: string,
): { readonly ok: true; readonly locks: readonly StateNumber[] } | Refusal {
  const { chart, snapshot } = machine;
  const hasSlots = (state: StateNumber) => slotsOf(chart, state) !== undefined;
  if (chart.names.find(group) !== undefined) {
    const found = findState(machine, group);
    if (!found.ok) return found;
    return hasSlots(found.state) ? { ok: true, locks: [found.state] } : noSlots(machine, found.state);
  }
  if (group !== DEFAULT_GROUP) return noGroup(machine, group);
  return { ok: true, locks: [...snapshot.active.keys()].filter(hasSlots) };
}
