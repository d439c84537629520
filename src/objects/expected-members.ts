import type { Snapshot } from '../chart/chart.ts';
import { type Receipt, type Report, readReportKey } from '../store/receipt-table.ts';
import type { MachineState } from './machine-state.ts';
import { Expectation, type ExpectingState } from './member-facts.ts';

/**
 * Who is expected to report, and who has. Kept from one commit to the next, because reading 10,000 reports takes long, and
 * every refused poll of a waiting fleet says who is missing.
 */
export class ExpectedMembers {
  readonly #reports: () => readonly Report[];
  #last: { machine: MachineState; readonly expectation: Expectation } | undefined;

  /** @param reports reads the reports of the machine. */
  constructor(reports: () => readonly Report[]) {
    this.#reports = reports;
  }

  /** Returns the active states that expect reports of members; none where the machine has no list of them. */
  of(machine: MachineState): readonly ExpectingState[] {
    if (machine.snapshot.terms.members === undefined) return [];
    if (this.#last?.machine === machine) return this.#last.expectation.states;
    const expectation = new Expectation(machine);
    if (machine.preview === undefined) expectation.add(this.#reports());
    this.#last = { machine, expectation };
    return expectation.states;
  }

  /** Notes the reports of a commit. */
  committed(before: MachineState | undefined, after: MachineState, receipts: readonly Receipt[]): void {
    const last = this.#last;
    if (last === undefined) return;
    if (last.machine !== before || !areAlike(before.snapshot, after.snapshot)) this.#last = undefined;
    else {
      last.machine = after;
      last.expectation.add(
        receipts.flatMap(({ key, began }) => {
          const report = readReportKey(key);
          return report === undefined ? [] : [{ ...report, began }];
        }),
      );
    }
  }
}

/** Whether the same members are expected: in the same visits, from the same list. */
function areAlike(one: Snapshot, other: Snapshot): boolean {
  if (one.terms.members !== other.terms.members || one.active.size !== other.active.size) return false;
  return [...one.active].every(([state, { number }]) => other.active.get(state)?.number === number);
}
