/** Reads and writes lists of members, as text and as JSON: who is expected to take part, each with labels. */
import type { ChartIssue, Labels, Members } from './chart/chart.ts';
import { CHART_ISSUES } from './chart-limits.ts';
import { LABEL_LENGTH, LABEL_VALUE_LENGTH, MEMBER_LABELS, MEMBERS, MEMBERS_BYTES } from './limits.ts';
import { fitsIn, type Refusal, refuse } from './refusal.ts';
import { CALLER_LENGTH } from './request-limits.ts';
import { atOnce, type Sliced } from './sliced.ts';

/** What a member is to the present states: a page of members shows those of which it is true. */
export const MEMBER_FACTS = ['expected', 'working', 'reported', 'missing'] as const;
export type MemberFact = (typeof MEMBER_FACTS)[number];

/** A list that was read: no name is in it twice. */
export type ReadMembers = { readonly ok: true; readonly members: Members } | Refusal;

/**
 * Reads a list of members. Text has a member a line, `NAME key=value …`; blank lines, and lines that begin with `#`, are
 * skipped. JSON is a list of names, or of `{"name": …, "labels": {…}}`, alone or as `members` of an object.
 *
 * @param isJson whether the sender says so; a text that begins with `[` or `{` is JSON as well.
 * @returns the members in their order, or a refusal with every error: `invalid-members`, or `too-large`.
 */
export function readMemberList(text: string, isJson = false): ReadMembers {
  return atOnce(memberListReading(text, isJson));
}

/** Reads a list as `readMemberList` does, in parts. */
export function* memberListReading(text: string, isJson: boolean): Sliced<ReadMembers> {
  const errors = new Errors();
  const isInJson = isJson || IS_JSON.test(text);
  yield text.length * (isInJson ? PARSING : SPLITTING);
  const written = isInJson ? fromJson(text, errors) : fromText(text);
  const members = new Map<string, Labels>();
  const lines = new Map<string, Place>();
  for (const { place, name, labels } of written) {
    yield CHECKING * (1 + labels.length);
    if (errors.isFull) break;
    const wrong = [...wrongName(name), ...wrongLabels(labels)];
    const earlier = lines.get(name);
    if (earlier !== undefined) wrong.push(`${quote(name)} is in the list already, ${showPlace(earlier)}.`);
    for (const message of wrong) errors.add(place, message);
    lines.set(name, place);
    members.set(name, Object.fromEntries(labels));
    if (members.size > MEMBERS)
      return refuse('too-large', `The list has more than ${MEMBERS} members, as many as a machine may have.`);
  }
  if (errors.list.length > 0) {
    const count = errors.list.length === 1 ? 'an error' : `${errors.list.length} errors`;
    return refuse('invalid-members', `The list of members has ${count}; nothing has changed.`, {
      errors: errors.list,
    });
  }
  yield text.length * PARSING;
  // As it is stored.
  if (!fitsIn(MEMBERS_BYTES, JSON.stringify([...members])))
    return refuse('too-large', `The list has more than ${MEMBERS_BYTES} bytes as JSON.`);
  return { ok: true, members };
}

/**
 * Writes members as `readMemberList` reads them: text, or JSON with a member a line where the value of a label has white space.
 */
export function writeMemberList(
  members: readonly { readonly name: string; readonly labels: Labels }[],
): string {
  const lines = members.map(({ name, labels }) =>
    [name, ...Object.entries(labels).map(([label, value]) => `${label}=${value}`)].join(' '),
  );
  const isText =
    !IS_JSON.test(lines[0] ?? '') &&
    members.every(({ labels }) => Object.values(labels).every((value) => !/\s/.test(value)));
  if (isText) return lines.map((line) => `${line}\n`).join('');
  return `[\n${members.map(({ name, labels }) => JSON.stringify({ name, labels })).join(',\n')}\n]\n`;
}

/** A text that is read as JSON. */
const IS_JSON = /^\s*[[{]/;

/** The units of a character that is parsed or written as JSON, of one that is split, and of checking a name or a label. */
const PARSING = 1 / 1_000;
const SPLITTING = 1 / 10_000;
const CHECKING = 1 / 10;

/** Where a member is in a list: a line of text, or a path in JSON. */
type Place = { readonly line: number } | { readonly path: string };

/** A member as it was written. */
interface Written {
  readonly place: Place;
  readonly name: string;
  readonly labels: readonly (readonly [label: string, value: string])[];
}

function* fromText(text: string): Iterable<Written> {
  let next = 0;
  for (let i = 0; next <= text.length; i++) {
    const end = text.indexOf('\n', next);
    const line = text.slice(next, end === -1 ? text.length : end).trim();
    next = end === -1 ? Number.POSITIVE_INFINITY : end + 1;
    if (line === '' || line.startsWith('#')) continue;
    const [name = '', ...pairs] = line.split(/\s+/, LABELS_READ + 1);
    const labels = pairs.map((pair): [string, string] => {
      const end = pair.indexOf('=');
      return end === -1 ? [pair, NO_VALUE] : [pair.slice(0, end), pair.slice(end + 1)];
    });
    yield { place: { line: i + 1 }, name, labels };
  }
}

/** Labels of a member that are looked at: one more than it may have. */
const LABELS_READ = MEMBER_LABELS + 1;

/** Stands for the value of a label without `=`: no text of a request has a lone surrogate. */
const NO_VALUE = '\ud800';

function* fromJson(text: string, errors: Errors): Iterable<Written> {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : '';
    errors.add({ line: Number(/\(line (\d+) /.exec(why)?.[1] ?? 1) }, `This is not JSON: ${why}.`);
    return;
  }
  const isWrapped = isRecord(data) && Array.isArray(data.members);
  const list = isWrapped && isRecord(data) ? data.members : data;
  const base = isWrapped ? 'members' : '';
  if (!Array.isArray(list)) {
    errors.add({ path: '' }, `The list must be a list: ${EXAMPLE}.`);
    return;
  }
  for (const [i, item] of list.entries()) {
    const path = `${base}[${i}]`;
    if (typeof item === 'string') yield { place: { path }, name: item, labels: [] };
    else if (isRecord(item) && typeof item.name === 'string') yield fromItem(path, item.name, item, errors);
    else errors.add({ path }, `A member must be a name, or have one: ${EXAMPLE}.`);
  }
}

const EXAMPLE = '["web-01", {"name": "web-02", "labels": {"zone": "eu"}}]';

/** What `GET …/members` says of a member. */
const FACTS: ReadonlySet<string> = new Set(['name', 'labels', ...MEMBER_FACTS]);

function fromItem(path: string, name: string, item: Record<string, unknown>, errors: Errors): Written {
  for (const key of Object.keys(item)) {
    if (!FACTS.has(key))
      errors.add({ path }, `A member has no ${quote(key)}; it has \`name\` and \`labels\`.`);
  }
  const { labels = {} } = item;
  if (!isRecord(labels))
    errors.add({ path: `${path}.labels` }, 'Labels must be a mapping of names to texts.');
  const written = isRecord(labels) ? labels : {};
  const pairs = Object.keys(written)
    .slice(0, LABELS_READ)
    .flatMap((label): [string, string][] => {
      const value = written[label];
      if (typeof value === 'string') return [[label, value]];
      errors.add({ path: `${path}.labels` }, `The value of the label ${quote(label)} must be a text.`);
      return [];
    });
  return { place: { path }, name, labels: pairs };
}

function wrongName(name: string): string[] {
  if (name.length > CALLER_LENGTH) return [`A name has at most ${CALLER_LENGTH} characters.`];
  if (!name.isWellFormed() || !/^[^\s\p{Cc}'"\\#][^\s\p{Cc}'"\\]*$/u.test(name)) {
    return [
      `${quote(name)} is no name of a member: it has at least one character, no white space, no quotes and no backslash, and does not begin with \`#\`.`,
    ];
  }
  return [];
}

function wrongLabels(labels: Written['labels']): string[] {
  if (labels.length > MEMBER_LABELS) return [`A member has at most ${MEMBER_LABELS} labels.`];
  const seen = new Set<string>();
  return labels.flatMap(([label, value]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(label) || label.length > LABEL_LENGTH) {
      return [
        `${quote(label)} is no name of a label: it has at most ${LABEL_LENGTH} letters, digits and \`_\`, and does not begin with a digit.`,
      ];
    }
    if (label === 'name') return ['The label `name` is reserved: `member.name` is the name of the member.'];
    if (value === NO_VALUE) return [`The label ${quote(label)} has no value: write ${label}=VALUE.`];
    if (seen.has(label)) return [`The label ${quote(label)} is there twice.`];
    seen.add(label);
    if (value.length > LABEL_VALUE_LENGTH || !value.isWellFormed())
      return [`The value of the label ${quote(label)} has at most ${LABEL_VALUE_LENGTH} characters.`];
    return [];
  });
}

/** The errors of one list, at most `CHART_ISSUES`. */
class Errors {
  readonly list: ChartIssue[] = [];

  get isFull(): boolean {
    return this.list.length >= CHART_ISSUES;
  }

  add(place: Place, message: string): void {
    if (this.isFull) return;
    const [line, path] = 'line' in place ? [place.line, ''] : [1, place.path];
    this.list.push({ severity: 'error', line, column: 1, path, message });
  }
}

function showPlace(place: Place): string {
  return 'line' in place ? `in line ${place.line}` : `at ${place.path}`;
}

function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}...` : name);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
