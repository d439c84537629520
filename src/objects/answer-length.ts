import type { HistoryEntry } from '../store/history-table.ts';
import type { KeptReport } from '../store/receipt-table.ts';
import type { Sources } from './chart-results.ts';
import type { Answer, MemberStatus } from './results.ts';

/** The units (`slices.ts`) of a character of an answer, for the object and for the edge: 1 MB takes each some 20 ms. */
export const UNITS_OF_CHARACTER = 1 / 1_000;

/** Characters of an answer that is written, sent and rendered in less than 1 ms. */
export const LONG_ANSWER = 16 * 1024;

/**
 * Returns the characters of the long parts of an answer, about. They tell what it costs to write, to send and to render it.
 */
export function lengthOf(answer: Answer): number {
  if (!answer.ok) return 0;
  let length = 0;
  if ('status' in answer) length += answer.status.length;
  if ('definition' in answer) length += answer.definition?.length ?? 0;
  if ('text' in answer) length += answer.text.length;
  if ('isUnderWay' in answer) length += lengthOfSources(answer);
  if ('list' in answer) length += answer.list?.length ?? 0;
  if ('names' in answer) length += answer.names?.length ?? 0;
  if ('entries' in answer) length += sum(answer.entries, lengthOfEntry);
  if ('reports' in answer) length += sum(answer.reports, lengthOfReport);
  if ('total' in answer) length += sum(answer.members, lengthOfMember);
  return length;
}

function lengthOfSources({ own, newest }: Sources): number {
  const texts = [own?.text, own?.beginning, newest?.text, newest?.definition];
  return sum(texts, (text) => text?.length ?? 0);
}

/** The characters of what each part has beside its texts: keys, signs and numbers. */
const AROUND = 150;

function lengthOfEntry({ from, to, entered, notes, data }: HistoryEntry): number {
  return AROUND + lengthOfNames(from, to, entered, notes) + (data?.length ?? 0);
}

/** A report of a page of them, or of a machine's page. */
type ShownReport = Pick<KeptReport, 'by' | 'event' | 'data'>;

function lengthOfReport({ by, event, data }: ShownReport): number {
  return AROUND + by.length + event.length + (data?.length ?? 0);
}

/** Returns the characters of a member in a page, about. */
export function lengthOfMember({ name, labels, expected, working, reported, missing }: MemberStatus): number {
  const texts = lengthOfNames([name], Object.keys(labels), Object.values(labels));
  return AROUND + texts + lengthOfNames(expected, working, reported, missing);
}

function lengthOfNames(...lists: readonly (readonly string[])[]): number {
  return sum(lists, (names) => sum(names, (name) => name.length));
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
