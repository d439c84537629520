/** The public interface of the pure core. Nothing in this folder uses Cloudflare, HTTP or SQL. */
import { atOnce, type Sliced } from '../sliced.ts';
import { compile, type Program } from './compile.ts';
import { beginningOf, isCorrection, withLaterVisits, withPresentCount } from './correction.ts';
import { countOf, quorumKey } from './counts.ts';
import { type Document, readDocument } from './document.ts';
import { type Step, start } from './engine.ts';
import { type ChartIssue, IssueList } from './issue.ts';
import { type Model, ROOT, type StateNumber, UPDATE } from './model.ts';
import { Names } from './names.ts';
import { filled } from './run-inputs.ts';
import { checkSequence } from './sequence.ts';
import { type Sequence, sequenceModel } from './sequence-model.ts';
import { writeSequence } from './sequence-write.ts';
import type { Snapshot } from './snapshot.ts';
import { checkStatechart, type Statechart } from './statechart/statechart.ts';
import { NO_TERMS } from './terms.ts';

export { showAmount } from './amount.ts';
export {
  mentionsMembers,
  type NoPart,
  partIn,
  slotCount,
  statesForMembers,
} from './audience.ts';
export {
  type Cooling,
  type CoolingSlot,
  coolingOn,
  indexCooling,
  NOTHING_COOLS,
  nextSlot,
  withCooling,
  withoutCooling,
} from './cooling.ts';
export { stateOfCount } from './counts.ts';
export { type Deadline, lateAt, nextDeadline, sinceOf } from './deadline.ts';
export { dropTimer, fire, type LeftState, type NoStep, type Step, send, start } from './engine.ts';
export type { Json } from './expression.ts';
export type { ChartIssue } from './issue.ts';
export {
  type Claim,
  type Claims,
  claimOf,
  claimsOn,
  countAll,
  countOn,
  indexClaims,
  keyOf as claimKeyOf,
  NO_CLAIMS,
  needsSlot,
  nextToExpire,
  slotsOf,
  withClaim,
  withoutClaim,
  withoutState,
} from './leases.ts';
export { override } from './manual-move.ts';
export {
  ancestorsOf,
  isRelated,
  isWithin,
  type Occasion,
  ROOT,
  type StateNumber,
  UPDATE,
} from './model.ts';
export { nearest, offer, quoteShort } from './nearest.ts';
export { hooksOf, hooksToTell } from './notify.ts';
export { nextOpening, type Opening, openingOf, openingsOf, type StateOpening } from './opening.ts';
export { continueFrom, pause, resume } from './pause.ts';
export { restoreSnapshot, type StoredSnapshot, storeSnapshot } from './persist.ts';
export {
  activeTags,
  type Count,
  countersOf,
  countsAt,
  countsOf,
  descriptorOf,
  eventOfTimer,
  eventsOf,
  isActive,
  mayCome,
  meaningOf,
  type NamedValue,
  namedValue,
  nameOf,
  ownEvents,
  type QuorumProgress,
  quorums,
  reachable,
  takes,
} from './queries.ts';
export { raisedIn } from './raised.ts';
export { type CountedCallers, countedBy, recount, visitOf } from './recount.ts';
export {
  type InputField,
  type InputProblem,
  inputFields,
  keepInputs,
  settleInputs,
} from './run-inputs.ts';
export { areSelected, type MemberNames, membersIn, selecting, selectWithout } from './selections.ts';
export {
  isDone,
  nextDue,
  nextTimer,
  runningTimers,
  type Snapshot,
  type Timer,
  timersInOrder,
} from './snapshot.ts';
export { type Inputs, type Labels, type Members, NO_TERMS, type Pause, type Terms } from './terms.ts';
export { parseDuration, parseTimestamp } from './time.ts';
export { type Ask, freeSlots, type Turn, turnOf } from './turn.ts';
export { type Way, WayFinder } from './ways.ts';
export { isReservedEvent } from './xstate-names.ts';

/** A checked chart without its text: plain JSON, which is stored and compiled. */
export type Definition = Sequence | Statechart;

/** A checked chart, ready to run. */
export interface Chart extends Program {
  readonly definition: Definition;
  readonly names: Names;
}

/** The result of reading a chart's text. */
export type Reading =
  | { readonly ok: true; readonly chart: Chart; readonly warnings: readonly ChartIssue[] }
  | { readonly ok: false; readonly errors: readonly ChartIssue[]; readonly warnings: readonly ChartIssue[] };

/**
 * Reads a chart. It is accepted as a whole, or refused with every error that was found.
 *
 * @param text YAML 1.2, of which JSON is a part.
 */
export function readChart(text: string): Reading {
  return atOnce(chartReading(text));
}

/** Reads a chart as `readChart` does, in parts. */
export function* chartReading(text: string): Sliced<Reading> {
  const issues = new IssueList();
  const document = yield* readDocument(text, issues);
  const cost = text.length * CHECKING;
  const chart = document && issues.errors.length === 0 ? yield* check(document, issues, cost) : undefined;
  issues.sort();
  const { errors, warnings } = issues;
  return chart === undefined || errors.length > 0
    ? { ok: false, errors, warnings }
    : { ok: true, chart, warnings };
}

/** The units of checking a character, and of the start of its chart. */
const CHECKING = 1 / 40;

/** Compiles a chart that was checked before: a fraction of the cost of reading its text. */
export function openChart(definition: Definition): Chart {
  const model = modelOf(definition);
  return { definition, ...compile(model), names: new Names(model) };
}

/**
 * Writes the present values of a running sequence into its chart's text.
 *
 * @param left states that were entered and left.
 * @param text from which the chart was read.
 * @returns the text unchanged for a statechart, which has no keys for present values.
 */
export function writeChart(
  chart: Chart,
  snapshot: Snapshot,
  left: ReadonlySet<StateNumber>,
  text: string,
): string {
  return atOnce(chartWriting(chart, snapshot, left, text));
}

/** Writes a chart as `writeChart` does, in parts. */
export function* chartWriting(
  { definition, model }: Chart,
  snapshot: Snapshot,
  left: ReadonlySet<StateNumber>,
  text: string,
): Sliced<string> {
  if (definition.dialect !== 'sequence') return text;
  const [current = ROOT] = snapshot.active.keys();
  const quorum = model.states[current]?.on?.[0]?.transitions[0]?.quorum;
  const key = quorumKey(current, UPDATE, 0);
  const count = quorum && countOf(snapshot.machine.context, key, quorum.from);
  return yield* writeSequence(text, definition, { current, count, left });
}

/** Whether an uploaded chart is a correction of the machine's sequence, with the machine's present values. */
export function corrects(next: Chart, present: Chart, snapshot: Snapshot): boolean {
  const { definition } = next;
  const areSequences = definition.dialect === 'sequence' && present.definition.dialect === 'sequence';
  return areSequences && isCorrection(present, snapshot, definition);
}

/**
 * Continues a running sequence with a chart that corrects it. Later visits of its states begin as in the chart's beginning.
 *
 * @param first the start of `next` from its present values.
 * @param snapshot of the machine that runs `present`.
 * @param left states of `present` that were entered and left.
 * @param beginning of `present`.
 */
export function continueWith(
  next: Chart,
  first: Step,
  present: Chart,
  snapshot: Snapshot,
  left: ReadonlySet<StateNumber>,
  beginning: Definition,
): { readonly chart: Chart; readonly step: Step } {
  const { definition } = next;
  if (definition.dialect !== 'sequence' || beginning.dialect !== 'sequence')
    return { chart: next, step: first };
  const later = withLaterVisits(definition, present, snapshot, left, beginning);
  if (later === definition) return { chart: next, step: first };
  return {
    chart: openChart(later),
    step: { ...first, snapshot: withPresentCount(next, first.snapshot) },
  };
}

/**
 * Writes an uploaded chart as at the beginning of a run: without the present values of a sequence.
 *
 * @param text as uploaded; returned unchanged if the chart is at its beginning.
 * @param corrected the beginning of the chart that it corrects.
 */
export function writeBeginning({ definition }: Chart, text: string, corrected?: Definition): string {
  if (definition.dialect !== 'sequence') return text;
  const before = corrected?.dialect === 'sequence' ? corrected : undefined;
  const beginning = beginningOf(definition, before);
  if (beginning === definition) return text;
  return atOnce(writeSequence(text, beginning, { current: ROOT, count: undefined, left: new Set() }));
}

function* check(document: Document, issues: IssueList, cost: number): Sliced<Chart | undefined> {
  const dialect = dialectOf(document);
  if (dialect === undefined) {
    const message =
      'A chart has `current_state` and `states` (a sequence), or `initial` and `states` (a statechart).';
    issues.error(document.locate([]), [], message);
    return undefined;
  }
  yield cost;
  const definition =
    dialect === 'sequence' ? checkSequence(document, issues) : checkStatechart(document, issues);
  if (definition === undefined) return undefined;
  yield cost;
  const chart = openChart(definition);
  const first = start(chart, 0, { ...NO_TERMS, inputs: filled(chart.model) });
  if (!first.ok)
    issues.error(document.locate(['initial'], 'key'), ['initial'], `It cannot start: ${first.detail}.`);
  return chart;
}

/**
 * `current_state` means a sequence, `initial` or `type: parallel` a statechart. Without these, `states` decides: a
 * sequence has a list, a statechart a mapping.
 */
function dialectOf(document: Document): Definition['dialect'] | undefined {
  if (document.has(['current_state'])) return 'sequence';
  if (document.has(['initial']) || document.textAt(['type']) === 'parallel') return 'statechart';
  if (!document.has(['states']) || document.textAt(['states']) !== undefined) return undefined;
  return document.has(['states', 0]) ? 'sequence' : 'statechart';
}

/** @returns the model of a chart that was checked before. */
export function modelOf(definition: Definition): Model {
  return definition.dialect === 'sequence' ? sequenceModel(definition) : definition.model;
}
