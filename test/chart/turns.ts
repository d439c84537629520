import { type Chart, NO_TERMS } from '../../src/chart/chart.ts';
import { Draft } from '../../src/objects/draft.ts';
import type { MachineState } from '../../src/objects/machine-state.ts';
import { NO_RECORDS } from '../../src/objects/records.ts';
import { begin, enter } from '../../src/objects/restart.ts';

/** Begins the first turn of a machine that is not stored. */
export function beginTurn(chart: Chart): Draft {
  const source = { hash: '', origin: 'bundle', text: '', definition: chart.definition } as const;
  const read = { ok: true, chart, source, warnings: [] } as const;
  const first = enter(chart, 0, NO_TERMS);
  if (!first.ok) throw new Error('the chart cannot start');
  return begin(read, first, { type: 'start' }, false, 0);
}

/** A further turn of it: there are no records. */
export function nextTurn(machine: MachineState): Draft {
  return new Draft(machine, NO_RECORDS);
}
