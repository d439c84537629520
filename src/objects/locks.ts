/**
 * FleetLock, the reboot protocol of Zincati (https://coreos.github.io/zincati/development/fleetlock/protocol/), as
 * claims: `lock` takes a slot, `unlock` reports and frees it.
 */
import { claimOf, nameOf, type StateNumber, slotsOf, UPDATE } from '../chart/chart.ts';
import type { Accepted, Lock } from '../commands.ts';
import type { Refusal } from '../refusal.ts';
import { claim, release } from './claiming.ts';
import type { Draft } from './draft.ts';
import { findState } from './lookup.ts';
import type { MachineState } from './machine-state.ts';
import { noGroup, noLock, noSlots, severalLocks } from './refusals.ts';
import { report } from './update.ts';

/** `pre-reboot`: takes a slot for the node before it reboots, or renews the slot that it holds. */
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
 * `steady-state`: the node is up again. If it holds a slot, this reports for it and frees the slot. If it holds none, this
 * succeeds and changes nothing: nodes send it at every start, also if the service did not let them reboot.
 */
export function unlock(draft: Draft, { group, id, sub }: Lock, now: number): Accepted | Refusal {
  const { machine } = draft;
  const found = findLocks(machine, group);
  if (!found.ok) return found;
  const held = found.locks.find((state) => claimOf(machine.claims, state, id) !== undefined);
  if (held === undefined) return { ok: true, revision: machine.revision };
  const slot = { state: nameOf(machine.chart, held), by: id, ...withSub(sub) };
  const reported = report(draft, { ...slot, event: UPDATE }, now);
  // The slot is still held if the state takes no report, or has this node's report already: free it.
  const isHeld = claimOf(draft.machine.claims, held, id) !== undefined;
  return isHeld || !reported.ok ? release(draft, slot, now) : reported;
}

function withSub(sub: string | undefined) {
  return sub === undefined ? {} : { sub };
}

/** The group of a node without a configured group: https://coreos.github.io/zincati/usage/updates-strategy/ */
const DEFAULT_GROUP = 'default';

/** Finds the states that a group may lock: the state of its name, which must have slots; for `default`, all current ones with slots. */
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
