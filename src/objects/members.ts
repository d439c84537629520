/** The commands that change a machine's members. */
import type { Labels, Members } from '../chart/chart.ts';
import type { MembersChanged, SetMembers, StrikeMember } from '../commands.ts';
import type { Refusal } from '../refusal.ts';
import { readMembers } from '../store/members-table.ts';
import type { Draft } from './draft.ts';
import { noSuchMember } from './member-refusals.ts';
import { checkRevision } from './refusals.ts';
import { changeTerms } from './terms.ts';

/** Replaces the list of members, or takes it away. The same list again changes nothing. */
export function setMembers(
  draft: Draft,
  { list, ...command }: SetMembers,
  now: number,
): MembersChanged | Refusal {
  return change(draft, list === undefined ? undefined : readMembers(list), command, now);
}

/** Strikes one member off the list. */
export function strikeMember(
  draft: Draft,
  { member, ...command }: StrikeMember,
  now: number,
): MembersChanged | Refusal {
  const { members } = draft.machine.snapshot.terms;
  if (members?.has(member) !== true) return noSuchMember(draft.machine, member);
  const others = new Map(members);
  others.delete(member);
  return change(draft, others, command, now, [`without ${member}`]);
}

function change(
  draft: Draft,
  members: Members | undefined,
  { by, sub, revisions }: Pick<SetMembers, 'by' | 'sub' | 'revisions'>,
  now: number,
  names: readonly string[] = [],
): MembersChanged | Refusal {
  const otherRevision = checkRevision(draft.machine, revisions, draft.matchedRevision);
  if (otherRevision !== undefined) return otherRevision;
  const { terms } = draft.machine.snapshot;
  const difference = differenceOf(terms.members, members);
  if (difference !== undefined) {
    const notes = [noteOf(members, difference), ...names];
    const entry = { cause: 'members', by: by ?? null, sub: sub ?? null, notes } as const;
    changeTerms(draft, { ...terms, members }, entry, now);
  }
  return {
    ok: true,
    total: members?.size ?? null,
    ...(difference ?? NO_DIFFERENCE),
    revision: draft.machine.revision,
  };
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
