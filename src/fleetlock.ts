/**
 * FleetLock, the reboot protocol of Zincati (https://coreos.github.io/zincati/development/fleetlock/protocol/), as
 * claims: to lock is to take a slot, to be steady again is to report and give it back.
 */
import { type StateNumber, UPDATE } from './chart/index.ts';
import { claimOf, slotsOf } from './claims.ts';
import { noLock } from './reasons.ts';
import type { Refusal } from './refusal.ts';
import type { RunningMachine } from './running.ts';
import type { Turn, Yes } from './turn.ts';

/** `pre-reboot`: may this node reboot now? Asked again by the holder, it is still yes. */
export function lock(turn: Turn, group: string, id: string, now: number): Yes | Refusal {
  const state = stateOf(turn.machine, group, id);
  return state === undefined ? noLock(turn.machine, group) : turn.claim(state, id, now);
}

/**
 * `steady-state`: the node is up and well. A holder has reported by it, and its slot is free. One that holds none
 * has nothing to give back and is told so with a yes: nodes send this whenever they start, also when they have
 * not rebooted for us, and that is no report.
 */
export function unlock(turn: Turn, group: string, id: string, now: number): Yes | Refusal {
  const { machine } = turn;
  const name = stateOf(machine, group, id);
  const found = name === undefined ? undefined : machine.chart.names.find(name);
  if (name === undefined || !found?.ok || claimOf(machine.claims, found.state, id) === undefined) {
    return { ok: true, state: group, revision: machine.revision };
  }
  const answer = turn.update({ state: name, event: UPDATE, by: id }, now);
  // A state that takes no report is a lock and nothing else. So is one that has this node's report already.
  const isHeld = claimOf(turn.machine.claims, found.state, id) !== undefined;
  return isHeld || !answer.ok ? turn.release(name, id, now) : answer;
}

/** The state that a group locks: the one of its name, else (`default`) the one that the node holds, or the only one. */
function stateOf({ chart, snapshot, claims }: RunningMachine, group: string, id: string): string | undefined {
  if (chart.names.find(group)?.ok) return group;
  const locks = [...snapshot.active.keys()].filter(
    (state: StateNumber) => slotsOf(chart, state) !== undefined,
  );
  const [first, ...others] = locks;
  const only = others.length === 0 ? first : undefined;
  const state = locks.find((lock) => claimOf(claims, lock, id) !== undefined) ?? only;
  return state === undefined ? undefined : chart.model.states[state]?.name;
}
