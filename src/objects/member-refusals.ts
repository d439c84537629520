/** The refusals that are about members. */
import { type Members, type NoPart, nameOf, nearest, type StateNumber } from '../chart/chart.ts';
import { SUGGESTION_CANDIDATES, SUGGESTION_LENGTH } from '../chart-limits.ts';
import { MISSING_TOLD } from '../limits.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { ExpectedMembers } from './expected-members.ts';
import type { MachineState } from './machine-state.ts';
import { countMissing, type ExpectingState, missingIn } from './member-facts.ts';
import { factsOf, quote, retryAfter } from './refusal-parts.ts';

/** Refuses a caller that has no part in a state. */
export function noPart(machine: MachineState, state: StateNumber, why: NoPart, by?: string): Refusal {
  const facts = { machine: factsOf(machine) };
  if (why === 'no-members') return noMembers(machine, state, machine.changedAt);
  if (by === undefined) {
    return refuse('not-a-member', 'This machine has members: say which one it is, with by=NAME.', facts);
  }
  const name = quote(nameOf(machine.chart, state));
  if (why === 'not-for-you') {
    return refuse('not-for-you', `${name} is not for ${quote(by)}, as its \`only\` says.`, facts);
  }
  return refuse('not-a-member', sayStranger(machine.snapshot.terms.members, by), facts);
}

/** Refuses what depends on members where the machine has no list of them. */
export function noMembers(machine: MachineState, state: StateNumber, now: number): Refusal {
  const name = quote(nameOf(machine.chart, state));
  const detail = `${name} is for members, or counts a share of them, and this machine has no list of members: upload one with PUT …/members.`;
  return refuse('no-members', detail, { machine: factsOf(machine), retryAfter: retryAfter(machine, now) });
}

/** Refuses to strike off a member that is not in the list. @param machine if it has begun. */
export function noSuchMember(name: string, members: Members | undefined, machine?: MachineState): Refusal {
  const facts = machine === undefined ? {} : { machine: factsOf(machine) };
  const detail = members === undefined ? 'This machine has no list of members.' : sayStranger(members, name);
  return refuse('no-such-member', detail, facts);
}

function sayStranger(members: Members | undefined, name: string): string {
  const meant = nearestMember(members, name);
  const hint = meant === undefined ? '' : ` Did you mean ${quote(meant)}?`;
  return `${quote(name)} is not a member of this machine.${hint}`;
}

/** Finds the member whose name is nearest, among names that begin alike: a list can have 10,000. */
function nearestMember(members: Members | undefined, by: string): string | undefined {
  const near: string[] = [];
  for (const name of members?.keys() ?? []) {
    if (name.length > SUGGESTION_LENGTH || name[0]?.toLowerCase() !== by[0]?.toLowerCase()) continue;
    near.push(name);
    if (near.length >= SUGGESTION_CANDIDATES) break;
  }
  return by.length > SUGGESTION_LENGTH ? undefined : nearest(by, near);
}

/** Adds to a refusal which members have not reported to the current states: a few names, and how many others. */
export function withMissing(refusal: Refusal, machine: MachineState, expected: ExpectedMembers): Refusal {
  const { members } = machine.snapshot.terms;
  if (members === undefined) return refusal;
  let missing = said.get(machine);
  if (missing === undefined) {
    missing = expected
      .of(machine)
      .map((at) => sayMissing(at, members))
      .join('');
    said.set(machine, missing);
  }
  return { ...refusal, detail: `${refusal.detail}${missing}` };
}

/** Kept: every poll says it, and finding five names among 10,000 takes 0.3 ms. */
const said = new WeakMap<MachineState, string>();

function sayMissing(at: ExpectingState, members: Members): string {
  const count = countMissing(at);
  if (count === 0) return '';
  const names = missingIn(at, members, MISSING_TOLD);
  const others = count - names.length;
  const list = names.map(quote).join(', ') + (others === 0 ? '' : ` and ${others} more`);
  return ` Missing at ${quote(at.name)}: ${list}.`;
}
