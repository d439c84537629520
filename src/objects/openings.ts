import { type Opening, openingOf, type StateNumber } from '../chart/chart.ts';
import type { MachineState } from './machine-state.ts';

/** Whether work may be begun in a state. */
export interface StateOpening {
  readonly state: StateNumber;
  readonly opening: Opening;
}

/** Returns the active states for which windows hold: windows of their own, or of the states around them. */
export function openingsOf({ chart, snapshot }: MachineState, now: number): StateOpening[] {
  return [...snapshot.active.keys()].flatMap((state) => {
    const opening = openingOf(chart, state, now);
    return opening === undefined ? [] : [{ state, opening }];
  });
}

/** Returns when the first of them opens or closes, ms since the epoch; infinity if none does. */
export function nextOpening(openings: readonly StateOpening[]): number {
  return Math.min(
    ...openings.map(({ opening }) =>
      opening.open ? opening.until : (opening.again ?? Number.POSITIVE_INFINITY),
    ),
  );
}
