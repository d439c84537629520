/** Looks up the states that callers name. */
import { isActive, reachable, type StateNumber } from '../chart/chart.ts';
import type { Refusal } from '../refusal.ts';
import type { MachineState } from './machine-state.ts';
import { cannotCome, noState, notCurrent, severalStates } from './refusals.ts';

type Found = { readonly ok: true; readonly state: StateNumber } | Refusal;

/** Finds a state by its name, or by its key where only one state has the key. */
export function findState(machine: MachineState, name: string): Found {
  const found = machine.chart.names.find(name);
  if (found === undefined) return noState(machine, name);
  return found.ok ? found : severalStates(machine, name, found.candidates);
}

/** Finds a state that must be current. */
export function findCurrent(machine: MachineState, name: string, now: number): Found {
  const found = findState(machine, name);
  return found.ok ? (checkCurrent(machine, found.state, name, now) ?? found) : found;
}

/** Refuses a state that is not current, by the name that the caller used. The refusal says whether it can become current. */
export function checkCurrent(
  machine: MachineState,
  state: StateNumber,
  name: string,
  now: number,
): Refusal | undefined {
  if (isActive(machine.snapshot, state)) return undefined;
  return mayCome(machine, state) ? notCurrent(machine, name, now) : cannotCome(machine, name);
}

/** Whether `state` may still become current, as far as the chart's shape and its counts say. */
export function mayCome({ chart, snapshot }: MachineState, state: StateNumber): boolean {
  let known = reaches.get(snapshot);
  if (known === undefined) {
    known = reachable(chart, snapshot);
    reaches.set(snapshot, known);
  }
  return known.has(state);
}

/** The reachable states of a snapshot. Kept: every poll needs them, and they change only with the snapshot. */
const reaches = new WeakMap<object, ReadonlySet<StateNumber>>();
