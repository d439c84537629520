/** Looks up the states that callers name. */
import { type Ask, isActive, mayCome, nameOf, type StateNumber, type Turn, turnOf } from '../chart/chart.ts';
import { MISSED_LENGTH } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import type { HistoryTable } from '../store/history-table.ts';
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
  return mayCome(machine.chart, machine.snapshot, state)
    ? notCurrent(machine, name, now)
    : cannotCome(machine, name);
}

/** Decides whether a caller may begin its work in a state. @param hasReported in the present visit, by event. */
export function turnIn(
  machine: MachineState,
  ask: Ask,
  hasReported: (event: string) => boolean,
  now: number,
): Turn {
  return turnOf(machine.chart, machine, ask, hasReported, now);
}

/**
 * Returns the revision at which a state was last entered, after revision `since`; undefined if it was not. Where more was
 * written since than can be told at once, only the newest entries are looked at.
 */
export function enteredSince(
  { chart, revision, entries, preview }: MachineState,
  state: StateNumber,
  since: number,
  history: HistoryTable,
): number | undefined {
  if (revision <= since || preview !== undefined) return undefined;
  return history.lastEntered(entries, since, nameOf(chart, state), MISSED_LENGTH);
}
