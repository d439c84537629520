import type { Chart } from '../../src/chart/chart.ts';
import type { RunningMachine } from '../../src/objects/machine-state.ts';
import { Turn } from '../../src/objects/turn.ts';

/** The first turn of a machine that is in no store. */
export function beginTurn(chart: Chart): Turn | undefined {
  const source = { hash: '', origin: 'bundle', text: '', definition: chart.definition } as const;
  return Turn.begin(chart, source, 'start', null, 0);
}

/** A further turn of it: there is nothing that it could look up. */
export function nextTurn(machine: RunningMachine): Turn {
  return new Turn(machine, {
    receipt: () => undefined,
    lastVisit: () => undefined,
    reports: () => [],
    endedVisits: () => [],
  });
}
