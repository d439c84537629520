/** Queries of a machine's members. */
import type { Members } from '../chart/chart.ts';
import type { Refusal } from '../refusal.ts';
import type { MachineState } from './machine-state.ts';
import { compareNames, namesInOrder, statusOfMember } from './member-facts.ts';
import type { MachineMembers, MemberListAnswer, MemberStatus, MembersQuery, Query } from './results.ts';
import type { Runtime } from './runtime.ts';

/** Reads a page of the members, with what each is to the active states, in natural order. */
export async function membersPage(
  runtime: Runtime,
  { is, after, limit = Number.POSITIVE_INFINITY, namesOnly }: MembersQuery,
): Promise<MachineMembers | Refusal> {
  const machine = runtime.current() ?? (await runtime.read());
  const listed = 'ok' in machine ? keptBy(runtime, machine) : listOf(runtime, machine);
  if ('ok' in listed) return listed;
  const { members, statusOf, revision } = listed;
  const page = { ok: true, total: members?.size ?? null, revision } as const;
  if (members === undefined) return { ...page, members: [], hasMore: false };
  const found: string[] = [];
  const names = namesInOrder(members);
  let at = after === undefined ? 0 : firstAfter(names, after);
  for (; at < names.length && found.length < limit; at++) {
    const name = names[at] ?? '';
    if (is === undefined || statusOf(name)[is].length > 0) found.push(name);
  }
  const hasMore = names.slice(at).some((name) => is === undefined || statusOf(name)[is].length > 0);
  if (namesOnly) return { ...page, members: [], names: found.map((name) => `${name}\n`).join(''), hasMore };
  return { ...page, members: found.map(statusOf), hasMore };
}

/** A list of members, and what each is. */
interface Listed {
  readonly members: Members | undefined;
  readonly revision: number;
  statusOf(name: string): MemberStatus;
}

function listOf(runtime: Runtime, machine: MachineState): Listed {
  const { members } = machine.snapshot.terms;
  const states = runtime.expected.of(machine);
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
