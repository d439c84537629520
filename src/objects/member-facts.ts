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
import { namesInOrder } from './prepared-members.ts';
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
 * The active states that expect reports of members (`update`, or an event that a quorum counts), outermost first, and who
 * has reported to each. None where the machine has no list of members.
 */
export class Expectation {
  readonly states: readonly (ExpectingState & { readonly visit: number; readonly reported: Set<string> })[];
  readonly #machine: MachineState;
  readonly #counted = new Map<StateNumber, Set<string>>();
  /** The states that a report is one to, by the state that it was sent to and its event. */
  readonly #concerned = new Map<string, Expectation['states']>();

  constructor(machine: MachineState) {
    this.#machine = machine;
    const { chart, snapshot } = machine;
    const { members } = snapshot.terms;
    for (const { state, event } of quorums(chart, snapshot)) {
      const events = this.#counted.get(state);
      if (events === undefined) this.#counted.set(state, new Set([event]));
      else events.add(event);
    }
    const active = members === undefined ? [] : [ROOT, ...snapshot.active.keys()];
    this.states = active
      .filter((state) => this.#counted.has(state) || takes(chart, state, UPDATE))
      .map((state) => ({
        state,
        name: nameOf(chart, state),
        members: membersIn(chart, members ?? new Map(), state),
        reported: new Set<string>(),
        visit: snapshot.active.get(state)?.number ?? 0,
      }));
  }

  /** Notes reports. */
  add(reports: readonly Report[]): void {
    if (this.states.length === 0) return;
    for (const { state, event, by, began } of reports) {
      for (const { visit, reported } of this.#concernedBy(state, event)) if (began >= visit) reported.add(by);
    }
  }

  #concernedBy(address: StateNumber, event: string): Expectation['states'] {
    const key = `${address}/${event}`;
    const known = this.#concerned.get(key);
    if (known !== undefined) return known;
    const { chart } = this.#machine;
    const concerned = this.states.filter(({ state }) => {
      if (state === address && event === UPDATE) return true;
      const isCounted = this.#counted.get(state)?.has(descriptorOf(chart, state, event) ?? '') ?? false;
      return isCounted && isRelated(chart.model, address, state);
    });
    this.#concerned.set(key, concerned);
    return concerned;
  }
}

/** @returns the members that a state expects and that have not reported to it, in natural order: the first `most`. */
export function missingIn({ members, reported }: ExpectingState, all: Members, most: number): string[] {
  const missing: string[] = [];
  for (const name of namesInOrder(all)) {
    if (missing.length >= most) break;
    if (members.has(name) && !reported.has(name)) missing.push(name);
  }
  return missing;
}

/** @returns how many they are. */
export function countMissing({ members, reported }: ExpectingState): number {
  let missing = members.size;
  for (const by of reported) if (members.has(by)) missing -= 1;
  return missing;
}

/** Returns the numbers of a state for monitoring. */
export function memberMetrics(at: ExpectingState) {
  return { state: at.name, expected: at.members.size, missing: countMissing(at) };
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
