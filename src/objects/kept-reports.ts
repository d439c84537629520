/** What a machine keeps when its sequence is corrected in mid-run: reports, ended visits, claims and cooldowns. */
import { type Chart, claimsOn, coolingOn, type StateNumber, slotsOf } from '../chart/chart.ts';
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
 * and of the last visits of states that were left. Others are dropped. The visit of a state that has slots in both charts keeps
 * its claims and cooldowns: their holders are at work.
 */
export function carryOver({ machine: before, reports, left }: Before, after: MachineState, now: number) {
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
  const slots = [...before.snapshot.active.keys()].flatMap((was) => {
    const state = translate(was);
    const isKept = state !== undefined && after.snapshot.active.has(state);
    return isKept && slotsOf(after.chart, state) !== undefined ? [{ was, state }] : [];
  });
  const claims = slots.flatMap(({ was, state }) =>
    claimsOn(before.claims, was).map((claim) => ({ ...claim, state })),
  );
  const cooling = slots.flatMap(({ was, state }) =>
    coolingOn(before.cooling, was, now).map((until) => ({ state, until })),
  );
  return { reports: kept, left: visits, claims, cooling };
}

function stateNamed({ names }: Chart, name: string | undefined): StateNumber | undefined {
  const found = name === undefined ? undefined : names.find(name);
  return found?.ok ? found.state : undefined;
}
