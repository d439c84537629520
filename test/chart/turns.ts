import type { Chart } from '../../src/chart/chart.ts';
import { Draft, NO_RECORDS } from '../../src/objects/draft.ts';
import type { MachineState } from '../../src/objects/machine-state.ts';
import { begin } from '../../src/objects/restart.ts';

/** The first turn of a machine that is in no store. */
export function beginTurn(chart: Chart): Draft {
  const source = { hash: '', origin: 'bundle', text: '', definition: chart.definition } as const;
  return begin({ ok: true, chart, source, warnings: [] }, { type: 'start' }, false, 0);
}

/** A further turn of it: there is nothing to look up. */
export function nextTurn(machine: MachineState): Draft {
  return new Draft(machine, NO_RECORDS);
}
