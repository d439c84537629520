/** What each member is to the present states of a machine: expected, working, reported, missing. */
import {
  claimOf,
  descriptorOf,
  isRelated,
  type MemberNames,
  type Members,
  membersIn,
  nameOf,
  quorums,
  ROOT,
  type StateNumber,
  takes,
  UPDATE,
} from '../chart/chart.ts';
import type { Report } from '../store/receipt-table.ts';
import type { MachineState } from './machine-state.ts';
import type { MemberStatus } from './results.ts';

/** An active state that takes reports of members. */
export interface ExpectingState {
  readonly state: StateNumber;
  readonly name: string;
  /** The members that the state is for. */
  readonly members: MemberNames;
  /** The callers that have reported to it in its present visit. */
  readonly reported: ReadonlySet<string>;
}

/**
 * Finds the active states that expect reports: `update`, or an event that a quorum counts.
 *
 * @param reports of the machine.
 * @returns outermost first; none where the machine has no list of members.
 */
export function expectingStates(
  { chart, snapshot }: MachineState,
  reports: readonly Report[],
): ExpectingState[] {
  const { members } = snapshot.terms;
  if (members === undefined) return [];
  const counted = new Map<StateNumber, Set<string>>();
  for (const { state, event } of quorums(chart, snapshot)) {
    const events = counted.get(state);
    if (events === undefined) counted.set(state, new Set([event]));
    else events.add(event);
  }
  const expecting = [ROOT, ...snapshot.active.keys()]
    .filter((state) => counted.has(state) || takes(chart, state, UPDATE))
    .map((state) => ({
      state,
      name: nameOf(chart, state),
      members: membersIn(chart, members, state),
      reported: new Set<string>(),
      visit: snapshot.active.get(state)?.number ?? 0,
    }));
  const concerned = new Map<string, typeof expecting>();
  for (const { state: address, event, by, began } of reports) {
    const key = `${address}/${event}`;
    const of =
      concerned.get(key) ??
      expecting.filter(({ state }) => {
        if (state === address && event === UPDATE) return true;
        const isCounted = counted.get(state)?.has(descriptorOf(chart, state, event) ?? '') ?? false;
        return isCounted && isRelated(chart.model, address, state);
      });
    concerned.set(key, of);
    for (const { visit, reported } of of) if (began >= visit) reported.add(by);
  }
  return expecting;
}

/** Returns what a member is to the active states. */
export function statusOfMember(
  { chart, claims, snapshot }: MachineState,
  expecting: readonly ExpectingState[],
  members: Members,
  name: string,
): MemberStatus {
  const expected = expecting.filter((state) => state.members.has(name));
  const [reported, missing] = [true, false].map((has) =>
    expected.filter((state) => state.reported.has(name) === has).map((state) => state.name),
  );
  const working = [...snapshot.active.keys()].filter((state) => claimOf(claims, state, name) !== undefined);
  return {
    name,
    labels: members.get(name) ?? {},
    expected: expected.map((state) => state.name),
    working: working.map((state) => nameOf(chart, state)),
    reported: reported ?? [],
    missing: missing ?? [],
  };
}

/** Compares names in natural order: `web-2` is before `web-10`. Names that are equal in it are in the order of their code units. */
export function compareNames(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : Number(a > b));
}

const collator = new Intl.Collator('en', { numeric: true });

/** @returns the names of a list in natural order. Kept: sorting 10,000 names takes long. */
export function namesInOrder(members: Members): readonly string[] {
  let names = sorted.get(members);
  if (names === undefined) {
    names = [...members.keys()].sort(compareNames);
    sorted.set(members, names);
  }
  return names;
}

const sorted = new WeakMap<Members, readonly string[]>();
