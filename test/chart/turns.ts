import type { Chart } from '../../src/chart/chart.ts';
import { Draft, NO_RECORDS } from '../../src/objects/draft.ts';
import type { MachineState } from '../../src/objects/machine-state.ts';
import { begin } from '../../src/objects/restart.ts';

/** Begins the first turn of a machine that is not stored. */
export function beginTurn(chart: Chart): Draft {
  const source = { hash: '', origin: 'bundle', text: '', definition: chart.definition } as const;
  return begin({ ok: true, chart, source, warnings: [] }, { type: 'start' }, false, 0);
}

/** A further turn of it: there is nothing to look up. */
export function nextTurn(machine: MachineState): Draft {
  return new Draft(machine, NO_RECORDS);
}
