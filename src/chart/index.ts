/** The pure core's front door. Nothing in this folder knows of Cloudflare, HTTP or SQL. */
import { compileMachine, countOf, quorumKey } from './compile.ts';
import { readDocument } from './document.ts';
import type { Program, Snapshot } from './engine.ts';
import { type ChartIssue, IssueList } from './issue.ts';
import { ROOT, type StateNumber, UPDATE } from './model.ts';
import { checkSequence, type Sequence, sequenceModel, writeSequence } from './sequence.ts';

export {
  eventsOf,
  fire,
  isActive,
  isDone,
  nextDue,
  nextTimer,
  type QuorumProgress,
  quorums,
  type Snapshot,
  type Step,
  send,
  start,
  type Timer,
  type Visit,
} from './engine.ts';
export type { ChartIssue } from './issue.ts';
export { type StateNumber, UPDATE } from './model.ts';
export { restoreSnapshot, type StoredSnapshot, storeSnapshot } from './persist.ts';

/** A checked chart without its text: plain JSON, from which the rest is compiled. */
export type Definition = Sequence;

/** A checked chart, ready to run. */
export interface Chart extends Program {
  readonly definition: Definition;
  /** State numbers by the names that people use. */
  readonly numbers: ReadonlyMap<string, StateNumber>;
}

/** What came of reading a chart's text. */
export type Reading =
  | { readonly ok: true; readonly chart: Chart; readonly warnings: readonly ChartIssue[] }
  | { readonly ok: false; readonly errors: readonly ChartIssue[]; readonly warnings: readonly ChartIssue[] };

/**
 * Reads a chart: all of it is accepted, or refused with every error that was found.
 *
 * @param text YAML 1.2, of which JSON is a part.
 */
export function readChart(text: string): Reading {
  const issues = new IssueList();
  const document = readDocument(text, issues);
  const definition = document && issues.errors.length === 0 ? checkSequence(document, issues) : undefined;
  issues.sort();
  const { errors, warnings } = issues;
  return definition === undefined
    ? { ok: false, errors, warnings }
    : { ok: true, chart: openChart(definition), warnings };
}

/** Compiles what was checked before, without its text: takes a fraction of reading it again. */
export function openChart(definition: Definition): Chart {
  const model = sequenceModel(definition);
  const numbers = new Map(model.states.flatMap(({ name }, i) => (i === ROOT ? [] : [[name, i] as const])));
  return { definition, model, machine: compileMachine(model), numbers };
}

/**
 * Writes a running chart as its dialect does: a sequence with its present values.
 *
 * @param left the states that were entered and left.
 */
export function writeChart(
  { definition, model }: Chart,
  snapshot: Snapshot,
  left: ReadonlySet<StateNumber>,
): string {
  const [current = ROOT] = snapshot.active.keys();
  const quorum = model.states[current]?.on?.[0]?.transitions[0]?.quorum;
  const key = quorumKey(current, UPDATE, 0);
  const count = quorum && countOf(snapshot.machine.context, key, quorum.from);
  return writeSequence(definition, { current, count, left });
}

/** @returns the name that people use of a state. */
export function nameOf({ model }: Program, state: StateNumber): string {
  return model.states[state]?.name ?? '';
}
