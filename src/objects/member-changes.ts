/** The commands that change a machine's members. */
import type { Chart, Labels, Members } from '../chart/chart.ts';
import type { MembersChanged, SetMembers, StrikeMember } from '../commands.ts';
import type { Refusal } from '../refusal.ts';
import { readMembers } from '../store/members-table.ts';
import type { Draft } from './draft.ts';
import { noSuchMember } from './member-refusals.ts';
import { withoutMember } from './prepared-members.ts';
import { checkRevision } from './refusals.ts';
import { changeTerms } from './term-changes.ts';

/** Changes the list of members of a machine. The same list again changes nothing. */
export function changeMembers(
  draft: Draft,
  command: SetMembers | StrikeMember,
  now: number,
): MembersChanged | Refusal {
  const { machine } = draft;
  const { terms } = machine.snapshot;
  const change = listAfter(terms.members, command, machine.chart);
  if (!change.ok) return noSuchMember(change.stranger, terms.members, machine);
  const otherRevision = checkRevision(machine, command.revisions, draft.matchedRevision);
  if (otherRevision !== undefined) return otherRevision;
  const { members, difference } = change;
  if (difference !== undefined) {
    const names = command.type === 'strike' ? [`without ${command.member}`] : [];
    const { by = null, sub = null } = command;
    const entry = { cause: 'members', by, sub, notes: [noteOf(members, difference), ...names] } as const;
    changeTerms(draft, { ...terms, members }, entry, now);
  }
  return membersChanged(change, draft.machine.revision);
}

/** A list after a command, and how it differs from the one before: undefined if it is the same. */
interface ChangedList {
  readonly ok: true;
  readonly members: Members | undefined;
  readonly difference: Difference | undefined;
}

/** Computes the list after a command. One that strikes off a stranger has none. @param chart that the machine runs, if it runs. */
export function listAfter(
  before: Members | undefined,
  command: SetMembers | StrikeMember,
  chart?: Chart,
): ChangedList | { readonly ok: false; readonly stranger: string } {
  if (command.type === 'members') {
    const { list } = command;
    const members = list === undefined ? undefined : readMembers(list);
    return { ok: true, members, difference: differenceOf(before, members) };
  }
  const { member } = command;
  if (before?.has(member) !== true) return { ok: false, stranger: member };
  return {
    ok: true,
    members: withoutMember(before, member, chart),
    difference: { ...NO_DIFFERENCE, removed: 1 },
  };
}

/** The outcome of a change. @param revision after it. */
export function membersChanged({ members, difference }: ChangedList, revision: number): MembersChanged {
  return { ok: true, total: members?.size ?? null, ...(difference ?? NO_DIFFERENCE), revision };
}

type Difference = Pick<MembersChanged, 'added' | 'removed' | 'relabelled'>;

const NO_DIFFERENCE: Difference = { added: 0, removed: 0, relabelled: 0 };

/** Compares two lists. @returns undefined if they are the same. */
function differenceOf(before: Members | undefined, after: Members | undefined): Difference | undefined {
  let added = 0;
  let relabelled = 0;
  for (const [name, labels] of after ?? []) {
    const known = before?.get(name);
    if (known === undefined) added += 1;
    else if (!areSame(known, labels)) relabelled += 1;
  }
  const removed = (before?.size ?? 0) + added - (after?.size ?? 0);
  const isSame = added === 0 && relabelled === 0 && removed === 0;
  return isSame && (before === undefined) === (after === undefined)
    ? undefined
    : { added, removed, relabelled };
}

function areSame(one: Labels, other: Labels): boolean {
  if (one === other) return true;
  const labels = Object.entries(one);
  return (
    labels.length === Object.keys(other).length && labels.every(([label, value]) => other[label] === value)
  );
}

/** What the history says of a change: `+3 −1: 40 members`. */
function noteOf(members: Members | undefined, { added, removed, relabelled }: Difference): string {
  if (members === undefined) return 'the list was taken away';
  const labels = relabelled === 0 ? '' : `, ${relabelled} with other labels`;
  return `+${added} −${removed}: ${members.size} ${members.size === 1 ? 'member' : 'members'}${labels}`;
}
