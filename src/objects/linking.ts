import { countsAt, isActive, nameOf, type StateNumber } from '../chart/chart.ts';
import type { Linked, LinkedReport, VisitId } from '../commands.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { reportKey } from '../store/receipt-table.ts';
import type { Draft } from './draft.ts';
import { activeNames, type MachineState } from './machine-state.ts';
import { currentOf, factsOf, quote } from './refusal-parts.ts';
import { report } from './update.ts';

/** Applies a report by a link. A repeat changes nothing, also after the visit. */
export function reportByLink(draft: Draft, link: LinkedReport, now: number): Linked | Refusal {
  const { type: _, visit, ...said } = link;
  const { machine } = draft;
  const found = machine.chart.names.find(said.state);
  if (visit.started !== machine.started || found?.ok !== true) return startedOver(machine);
  const { state } = found;
  const isRepeat = visit.number === draft.visitOf(state) && hasReported(draft, state, said.event, said.by);
  if (!isRepeat && !isPresent(machine, state, visit)) return wasLeft(machine, state);
  const outcome = report(draft, said, now, BY_LINK);
  if (!outcome.ok) return outcome;
  const { chart, snapshot } = draft.machine;
  const counts = countsAt(chart, snapshot, state, said.event);
  return { ...outcome, isRepeat, states: activeNames(chart, snapshot), counts };
}

const BY_LINK = ['by a link'];

/** Whether the caller has reported in the present visit of the state, or in its last one if it was left. */
export function hasReported(draft: Draft, state: StateNumber, event: string, by: string): boolean {
  return draft.receipt(reportKey(state, event, by))?.visit === draft.visitOf(state);
}

/** Returns the present visit of an active state. The visit of the root is the run of the machine. */
export function presentVisit({ snapshot, started, startedAt }: MachineState, state: StateNumber): VisitId {
  const { number, since } = snapshot.active.get(state) ?? { number: 0, since: startedAt };
  return { started, number, since };
}

/** Whether a visit of this run is the present one. A restore takes numbers back: a visit after it begins at another time. */
function isPresent(machine: MachineState, state: StateNumber, { number, since }: VisitId): boolean {
  if (!isActive(machine.snapshot, state)) return false;
  const present = presentVisit(machine, state);
  return present.number === number && present.since === since;
}

/** Refuses a link of a run before, or of the machine that was at the address before. */
function startedOver(machine: MachineState): Refusal {
  const detail = `The machine has started over since the link was made; ${currentOf(machine)}.`;
  return refuse('visit-over', detail, { machine: factsOf(machine) });
}

/** Refuses a link of an earlier visit. */
function wasLeft(machine: MachineState, state: StateNumber): Refusal {
  const again = isActive(machine.snapshot, state) ? ' and entered again' : '';
  const detail = `${quote(nameOf(machine.chart, state))} was left${again} since the link was made; ${currentOf(machine)}.`;
  return refuse('visit-over', detail, { machine: factsOf(machine) });
}
