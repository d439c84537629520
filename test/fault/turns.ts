/** Whether a caller may begin its work: a second implementation of the one question of the service. */
import {
  type Chart,
  isActive,
  quorums,
  reachable,
  type Snapshot,
  type StateNumber,
} from '../../src/chart/chart.ts';
import { isOpen, needsList, noPart, slotsIn, withAround } from './fleet.ts';
import { claimOf, hasReported, type Machine } from './machine.ts';
import type { Moment } from './moment.ts';

/** A no: its code, and the state that holds the caller back. */
export interface No {
  readonly problem: string;
  readonly state: StateNumber;
}

/** @returns undefined if the state is current, or can become so. */
export function notCurrent(chart: Chart, { snapshot }: Machine, state: StateNumber): No | undefined {
  if (isActive(snapshot, state)) return undefined;
  return { problem: reachableFrom(chart, snapshot).has(state) ? 'not-current' : 'cannot-come', state };
}

/**
 * Decides whether a state is current; of a caller, whether it may begin its work there.
 *
 * @param again whether a caller that has reported may go again: a claim may.
 * @returns undefined if it may.
 */
export function mayNot(
  chart: Chart,
  machine: Machine,
  { state, by, again = false }: { state: StateNumber; by?: string | undefined; again?: boolean },
  when: Moment,
): No | undefined {
  const absent = notCurrent(chart, machine, state);
  if (absent !== undefined) return absent;
  const isHolder = by !== undefined && claimOf(machine, state, by) !== undefined;
  const no = (problem: string, at = state) => ({ problem, state: at });
  if (machine.paused !== undefined && !isHolder) return no('paused');
  if (by === undefined) return undefined;
  if (machine.snapshot.terms.members === undefined && needsList(chart, machine, state))
    return no('no-members');
  const part = noPart(chart, machine, state, by);
  if (part !== undefined) return no(part);
  if (!again && isDone(chart, machine, state, by)) return no('already-reported');
  if (!isHolder && !isOpen(chart, state, when.from)) return no('closed');
  const full = withAround(chart, state).find((at) => isFull(chart, machine, at) && !claimOf(machine, at, by));
  return full === undefined ? undefined : no('slots-taken', full);
}

/** Whether a caller's part in the present visit is done: it has reported `update`, or what a quorum counts. */
function isDone(chart: Chart, machine: Machine, state: StateNumber, by: string): boolean {
  const counted = quorums(chart, machine.snapshot).filter((quorum) => quorum.state === state);
  const events = ['update', ...counted.map(({ event }) => event)];
  return events.some((event) => hasReported(machine, state, { event, by }));
}

function isFull(chart: Chart, machine: Machine, state: StateNumber): boolean {
  if (chart.model.states[state]?.slots === undefined) return false;
  const taken = [...machine.claims, ...machine.cooling].filter((other) => other.state === state);
  return taken.length >= (slotsIn(chart, machine, state) ?? 0);
}

function reachableFrom(chart: Chart, snapshot: Snapshot): ReadonlySet<StateNumber> {
  const known = reaches.get(snapshot) ?? reachable(chart, snapshot);
  reaches.set(snapshot, known);
  return known;
}

const reaches = new WeakMap<Snapshot, ReadonlySet<StateNumber>>();
