/**
 * FleetLock, the reboot protocol of Zincati (https://coreos.github.io/zincati/development/fleetlock/protocol/), as
 * claims: to lock is to take a slot, to be steady again is to report and give it back.
 */
import { nameOf, type StateNumber, UPDATE } from '../chart/chart.ts';
import type { Refusal } from '../refusal.ts';
import type { RunningMachine } from './machine-state.ts';
import { findState, noGroup, noLock, noSlots, severalLocks } from './refusals.ts';
import { claimOf, slotsOf } from './slot-claims.ts';
import type { Turn, Yes } from './turn.ts';

/** `pre-reboot`: may this node reboot now? Asked again by the holder, it is still yes. */
export function lock(turn: Turn, group: string, id: string, now: number): Yes | Refusal {
  const { machine } = turn;
  const found = findLocks(machine, group);
  if (!found.ok) return found;
  const held = found.locks.find((state) => claimOf(machine.claims, state, id) !== undefined);
  const [only, ...others] = held === undefined ? found.locks : [held];
  if (only === undefined) return noLock(machine);
  if (others.length > 0) return severalLocks(machine, found.locks);
  return turn.claim(nameOf(machine.chart, only), id, now);
}

/**
 * `steady-state`: the node is up and well. A holder has reported by it, and its slot is free. One that holds none
 * has nothing to give back and is told so with a yes: nodes send this whenever they start, also when they have
 * not rebooted for us, and that is no report.
 */
export function unlock(turn: Turn, group: string, id: string, now: number): Yes | Refusal {
  const { machine } = turn;
  const found = findLocks(machine, group);
  if (!found.ok) return found;
  const held = found.locks.find((state) => claimOf(machine.claims, state, id) !== undefined);
  if (held === undefined) return { ok: true, state: group, revision: machine.revision };
  const name = nameOf(machine.chart, held);
  const answer = turn.update({ state: name, event: UPDATE, by: id }, now);
  // A state that takes no report is a lock and nothing else. So is one that has this node's report already.
  const isHeld = claimOf(turn.machine.claims, held, id) !== undefined;
  return isHeld || !answer.ok ? turn.release(name, id, now) : answer;
}

/** The group of a node whose owner has named none: https://coreos.github.io/zincati/usage/updates-strategy/ */
const DEFAULT_GROUP = 'default';

/** Finds the states that a group may lock: the one of its name, which must have slots, or all current ones that have. */
function findLocks(
  machine: RunningMachine,
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
