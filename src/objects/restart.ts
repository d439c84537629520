import type { Address } from '../address.ts';
import {
  type Chart,
  continueWith,
  corrects,
  type Definition,
  isDone,
  keepInputs,
  NO_CLAIMS,
  NOTHING_COOLS,
  readChart,
  type Snapshot,
  type Step,
  settleInputs,
  start,
  type Terms,
  writeBeginning,
} from '../chart/chart.ts';
import type { Command, Reset, Upload, Uploaded } from '../commands.ts';
import type { Refusal } from '../refusal.ts';
import type { Cause } from '../store/history-table.ts';
import type { ReadChart } from './chart-source.ts';
import { Draft } from './draft.ts';
import { fireDue } from './due.ts';
import { carryOver } from './kept-reports.ts';
import type { MachineState } from './machine-state.ts';
import { NO_RECORDS } from './records.ts';
import { cannotStart, checkRevision, midSequence, needsInputs, wrongInputs } from './refusals.ts';

/** The step that enters the initial state of a chart, and when it was taken, ms since the epoch. */
export interface FirstStep extends Step {
  readonly at: number;
}

/**
 * Enters the initial state. A checked chart starts with its defaults, but an expression can fail with other inputs.
 *
 * @param before the snapshot of the run before, if there was one.
 */
export function enter(chart: Chart, at: number, terms: Terms, before?: Snapshot): FirstStep | Refusal {
  const step = start(chart, at, terms, before);
  return step.ok ? { ...step, at } : cannotStart(step.detail);
}

/** Enters the initial state of a machine that begins, with the inputs of `command` and the defaults of the chart. */
export function firstStep(
  address: Address,
  { chart, members }: ReadChart,
  command: Command,
): FirstStep | Refusal {
  const given = command.type === 'start' ? command.inputs : undefined;
  const settled = settleInputs(chart.model, given ?? {});
  if (settled.ok) return enter(chart, Date.now(), { members, inputs: settled.inputs });
  return given === undefined ? needsInputs(address, settled.problems) : wrongInputs(settled.problems);
}

/**
 * Begins a machine in its chart's initial state, at the time of `first`, and fires the timers that are due since.
 *
 * @param by the command that begins it. An `upload` puts the chart at the address as well.
 * @param revision the last one of the machine that was at this address before: a revision never comes again.
 */
export function begin(
  { chart, source }: ReadChart,
  first: FirstStep,
  by: Command,
  isRun: boolean,
  now: number,
  revision = 0,
): Draft {
  const cause = by.type === 'upload' ? 'upload' : 'start';
  const caller = by.type === 'upload' || by.type === 'start' ? by : {};
  const { at, failures } = first;
  const nothing = { active: new Map(), timers: new Map(), visits: 0, timersSet: 0 };
  const numbers = { revision, started: 0, startedAt: at, entries: 0, changedAt: at };
  const snapshot = { ...first.snapshot, ...nothing };
  const before = { ...numbers, chart, source, snapshot, claims: NO_CLAIMS, cooling: NOTHING_COOLS };
  const draft = new Draft(before, NO_RECORDS);
  draft.restart(first, at, entryOf(cause, caller, failures), chart, source);
  if (snapshot.terms.members !== undefined) draft.noteMembers();
  fireDue(draft, now);
  if (cause === 'upload') draft.upload({ ...source, text: writeBeginning(chart, source.text) });
  draft.markBegun(isRun);
  return draft;
}

/** Returns a run that has not begun as if it began now: at revision 0, with nothing stored. */
export function previewOf(next: ReadChart, { machine }: Draft): MachineState {
  return { ...machine, revision: 0, started: 0, entries: 0, preview: next.source };
}

/**
 * Restarts the machine in the initial state of `next`. It keeps the values of inputs that are right for the chart.
 *
 * @param corrected the beginning of the running sequence that `next` corrects.
 * @returns a refusal if an input has no value, or if the chart cannot start with the values.
 */
export function restart(
  draft: Draft,
  next: ReadChart,
  cause: Cause,
  caller: Caller,
  now: number,
  corrected?: Definition,
): Refusal | undefined {
  const { source } = next;
  const { chart: present, snapshot } = draft.machine;
  const kept = keepInputs(next.chart.model, snapshot.terms.inputs);
  if (!kept.ok) return wrongInputs(kept.problems);
  const first = enter(next.chart, now, { ...snapshot.terms, inputs: kept.inputs }, snapshot);
  if (!first.ok) return first;
  const leftStates = () => new Set(draft.endedVisits().map(({ state }) => state));
  const { chart, step } =
    corrected === undefined
      ? { chart: next.chart, step: first }
      : continueWith(next.chart, first, present, snapshot, leftStates(), corrected);
  const { definition } = chart;
  draft.restart(step, now, entryOf(cause, caller, step.failures), chart, { ...source, definition });
  fireDue(draft, now);
  return undefined;
}

/** Puts a chart at the address of a machine that has begun. If it is another chart, the machine restarts with it. */
export function upload(draft: Draft, command: Upload, next: ReadChart, now: number): Uploaded | Refusal {
  const { revisions, reset } = command;
  const { machine } = draft;
  const otherRevision = checkRevision(machine, revisions);
  if (otherRevision !== undefined) return otherRevision;
  const isOther = machine.source.hash !== next.source.hash || machine.source.origin !== 'upload';
  const isUnderWay = machine.revision > machine.started && !isDone(machine.snapshot);
  if (isOther && isUnderWay && !reset) return midSequence(machine);
  const refusal = isOther || reset ? exchange(draft, command, next, now) : undefined;
  return refusal ?? uploaded(draft, next, false);
}

/** Makes the outcome of an upload. @param created whether the machine began with it. */
export function uploaded(
  { machine }: Draft,
  { chart, source, warnings }: ReadChart,
  created: boolean,
): Uploaded {
  const { dialect } = chart.definition;
  return { ok: true, created, dialect, hash: source.hash, warnings, revision: machine.revision };
}

/** Replaces the chart of a machine. A corrected sequence keeps the reports and claims of the visits that it continues. */
function exchange(draft: Draft, command: Upload, next: ReadChart, now: number): Refusal | undefined {
  const { machine } = draft;
  const { chart, source } = next;
  const isCorrected = corrects(chart, machine.chart, machine.snapshot);
  const beginning = isCorrected ? beginningOf(draft) : undefined;
  const before = isCorrected ? { machine, reports: draft.reports(), left: draft.endedVisits() } : undefined;
  const text = writeBeginning(chart, source.text, beginning);
  const refusal = restart(draft, next, 'upload', command, now, beginning);
  if (refusal !== undefined) return refusal;
  draft.upload({ ...source, text });
  if (before === undefined) return undefined;
  const { reports, left, claims, cooling } = carryOver(before, draft.machine, now);
  for (const receipt of reports) draft.keep(receipt);
  for (const visit of left) draft.noteLeft(visit);
  for (const claim of claims) draft.setClaim(claim);
  for (const { state, until } of cooling) draft.coolDown(state, until, now);
  return undefined;
}

/** Returns the definition with which runs of this machine's chart begin. */
function beginningOf(draft: Draft): Definition {
  const { chart, source } = draft.machine;
  const text = source.origin === 'upload' ? draft.uploadedText() : undefined;
  const reading = text === undefined ? undefined : readChart(text);
  return reading?.ok ? reading.chart.definition : chart.definition;
}

function entryOf(cause: Cause, { by, sub }: Caller, notes: readonly string[]) {
  return { cause, event: null, state: null, by: by ?? null, sub: sub ?? null, notes };
}

/** The caller that begins or restarts a machine, and its token's subject, if known. */
type Caller = Pick<Reset, 'by' | 'sub'>;
