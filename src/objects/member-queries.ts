/** Queries of a machine's members. */
import type { Members } from '../chart/chart.ts';
import { MEMBERS_PAGE_LENGTH } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import type { Sliced } from '../sliced.ts';
import { inSlices } from '../slices.ts';
import { lengthOfMember } from './answer-length.ts';
import type { MachineState } from './machine-state.ts';
import { statusOfMember } from './member-facts.ts';
import { compareNames, namesInOrder } from './prepared-members.ts';
import type { MachineMembers, MemberListAnswer, MemberStatus, MembersQuery, Query } from './results.ts';
import type { Runtime } from './runtime.ts';

/** Reads a page of the members, with what each is to the active states, in natural order. */
export async function membersPage(runtime: Runtime, query: MembersQuery): Promise<MachineMembers | Refusal> {
  const machine = runtime.current() ?? (await runtime.read());
  const listed = 'ok' in machine ? keptBy(runtime, machine) : listOf(runtime, machine);
  if ('ok' in listed) return listed;
  const { members, revision } = listed;
  if (members === undefined) return { ok: true, total: null, revision, members: [], hasMore: false };
  return inSlices(pageOf(members, listed, query));
}

/** Looks at the members, in parts, until the page is full and another one would be in it. */
function* pageOf(
  members: Members,
  { statusOf, revision }: Listed,
  { is, after, limit = Number.POSITIVE_INFINITY, namesOnly }: MembersQuery,
): Sliced<MachineMembers> {
  const names: string[] = [];
  const statuses: MemberStatus[] = [];
  let left = namesOnly ? Number.POSITIVE_INFINITY : MEMBERS_PAGE_LENGTH;
  let hasMore = false;
  const all = namesInOrder(members);
  for (let at = after === undefined ? 0 : firstAfter(all, after); at < all.length; at++) {
    const name = all[at] ?? '';
    const isListed = namesOnly && is === undefined;
    yield isListed ? LISTING : LOOKING;
    const status = isListed ? undefined : statusOf(name);
    if (is !== undefined && status?.[is].length === 0) continue;
    hasMore = names.length === limit || left < 0;
    if (hasMore) break;
    names.push(name);
    if (namesOnly || status === undefined) continue;
    statuses.push(status);
    left -= lengthOfMember(status);
  }
  const page = { ok: true, total: members.size, revision, members: statuses, hasMore } as const;
  return namesOnly ? { ...page, names: names.map((name) => `${name}\n`).join('') } : page;
}

/** The units of listing a name, and of finding what a member is: 1 to 10 µs. */
const LISTING = 1 / 100;
const LOOKING = 1 / 8;

/** A list of members, and what each is. */
interface Listed {
  readonly members: Members | undefined;
  readonly revision: number;
  statusOf(name: string): MemberStatus;
}

function listOf(runtime: Runtime, machine: MachineState): Listed {
  const { members } = machine.snapshot.terms;
  // The page is made in slices, and is of one revision: later reports are not in it.
  const states = runtime.expected
    .of(machine)
    .map((expecting) => ({ ...expecting, reported: new Set(expecting.reported) }));
  return {
    members,
    revision: machine.revision,
    statusOf: (name) => statusOfMember(machine, states, members ?? new Map(), name),
  };
}

/** Returns the members that are kept at a chart's address while its machine cannot begin. No state expects them yet. */
function keptBy({ store, isRun }: Runtime, refusal: Refusal): Listed | Refusal {
  if (refusal.code !== 'needs-inputs' || isRun) return refusal;
  const { members } = store.members.read() ?? {};
  const none = { expected: [], working: [], reported: [], missing: [] };
  return { members, revision: 0, statusOf: (name) => ({ name, labels: members?.get(name) ?? {}, ...none }) };
}

/** Returns the members of a run's chart, for its runs. */
export async function memberList(
  { store }: Runtime,
  { known }: Extract<Query, { readonly type: 'member-list' }>,
): Promise<MemberListAnswer> {
  const revision = store.members.revision();
  if (revision === 0 || revision === known) return { ok: true, listRevision: revision };
  return { ok: true, listRevision: revision, list: store.members.text() };
}

/** @returns the index of the first name after `name`, which may not be among them. */
function firstAfter(names: readonly string[], name: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (compareNames(names[middle] ?? '', name) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
