/** The reports and ended visits that a machine keeps when its sequence is corrected in mid-run. */
import type { Chart, StateNumber } from '../chart/chart.ts';
import { type Receipt, readReportKey, reportKey } from '../store/receipt-table.ts';
import type { EndedVisit } from '../store/stored-machine.ts';
import type { MachineState } from './machine-state.ts';

/** A machine before its chart was replaced. */
export interface Before {
  readonly machine: MachineState;
  readonly reports: readonly Receipt[];
  readonly left: readonly EndedVisit[];
}

/**
 * Translates reports to the states of the same names in the machine's new chart. It keeps the reports of present visits,
 * and of the last visits of states that were left. Others are dropped.
 */
export function carryOver({ machine: before, reports, left }: Before, after: MachineState) {
  const translate = (state: StateNumber) => stateNamed(after.chart, before.chart.model.states[state]?.name);
  const ended = new Map(left.map(({ state, visit }) => [state, visit]));
  const kept = reports.flatMap((receipt): Receipt[] => {
    const report = readReportKey(receipt.key);
    const state = report && translate(report.state);
    if (report === undefined || state === undefined) return [];
    const key = reportKey(state, report.event, report.by);
    if (before.snapshot.active.get(report.state)?.number === receipt.visit) {
      const visit = after.snapshot.active.get(state)?.number;
      return visit === undefined ? [] : [{ ...receipt, key, visit, began: after.snapshot.visits }];
    }
    return ended.get(report.state) === receipt.visit ? [{ ...receipt, key }] : [];
  });
  const visits = left.flatMap((visit): EndedVisit[] => {
    const state = translate(visit.state);
    return state === undefined ? [] : [{ ...visit, state }];
  });
  return { reports: kept, left: visits };
}

function stateNamed({ names }: Chart, name: string | undefined): StateNumber | undefined {
  const found = name === undefined ? undefined : names.find(name);
  return found?.ok ? found.state : undefined;
}
