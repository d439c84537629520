/**
 * Outlines of what is stored as JSON. They tell a damaged column from a whole one, at a fraction of the cost of reading
 * it; a chart was checked as a whole before it was stored.
 */
import type { Definition, Inputs, Json, Labels, Pause, StoredSnapshot } from '../chart/chart.ts';
import type { Accepted } from '../commands.ts';
import { isRefusalCode, type Refusal } from '../refusal.ts';

/** What a machine has counted since it began. */
export interface StoredCounts {
  /** How reports were answered: `accepted`, or the code of the refusal. */
  readonly updates: readonly (readonly [answer: string, count: number])[];
  /** Changes of the active states. */
  readonly transitions: number;
}

export const NO_COUNTS: StoredCounts = { updates: [], transitions: 0 };

export function isCounts(value: unknown): value is StoredCounts {
  if (!isRecord(value)) return false;
  const { updates, transitions } = value;
  return (
    typeof transitions === 'number' &&
    Array.isArray(updates) &&
    updates.every(
      (update) => Array.isArray(update) && typeof update[0] === 'string' && typeof update[1] === 'number',
    )
  );
}

export function isSnapshot(value: unknown): value is StoredSnapshot {
  if (!isRecord(value)) return false;
  const { value: states, status, context, history = {}, visits, timersSet, active } = value;
  return (
    (typeof states === 'string' || isRecord(states)) &&
    typeof status === 'string' &&
    isRecord(context) &&
    isRecord(context.counts) &&
    isRecord(context.data) &&
    isRecord(history) &&
    typeof visits === 'number' &&
    typeof timersSet === 'number' &&
    Array.isArray(active) &&
    active.every((visit) => Array.isArray(visit) && visit.length === 3 && visit.every(isNumber))
  );
}

/** Members as they are stored, in the order of the list. */
export type MemberList = readonly (readonly [name: string, labels: Labels])[];

export function isMemberList(value: unknown): value is MemberList {
  return (
    Array.isArray(value) &&
    value.every(
      (member) =>
        Array.isArray(member) &&
        member.length === 2 &&
        typeof member[0] === 'string' &&
        isRecord(member[1]) &&
        Object.values(member[1]).every((label) => typeof label === 'string'),
    )
  );
}

export function isDefinition(value: unknown): value is Definition {
  if (!isRecord(value)) return false;
  const { dialect, current_state, states, model } = value;
  if (dialect === 'sequence') return typeof current_state === 'string' && isListOfStates(states);
  return dialect === 'statechart' && isRecord(model) && isListOfStates(model.states);
}

/** Whether a value is the answer to a report. */
export function isAnswer(value: unknown): value is Accepted | Refusal {
  if (!isRecord(value)) return false;
  if (value.ok === true) return typeof value.revision === 'number';
  return value.ok === false && isRefusalCode(value.code) && typeof value.detail === 'string';
}

/** Whether a value is what the receipt of a report keeps: when it was accepted, and its data. */
export function isReportAnswer(value: unknown): value is { readonly at: number; readonly data?: Json } {
  return isRecord(value) && typeof value.at === 'number';
}

export function isPause(value: unknown): value is Pause {
  return isRecord(value) && typeof value.since === 'number';
}

export function isInputs(value: unknown): value is Inputs {
  return (
    isRecord(value) && Object.values(value).every((input) => input === null || typeof input !== 'object')
  );
}

/** Whether a value is a list of names, such as the active states of a history entry. */
export function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function isListOfStates(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((state) => isRecord(state) && typeof state.name === 'string')
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number';
}
