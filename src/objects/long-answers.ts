import { countAll, quorums } from '../chart/chart.ts';
import { inSlice } from '../slices.ts';
import { LONG_ANSWER, lengthOf, UNITS_OF_CHARACTER } from './answer-length.ts';
import { activeNames, type MachineState } from './machine-state.ts';
import type { Answer } from './results.ts';

/**
 * Writes the long answers of one object: one after the other, each in a slice of the isolate. So a machine with many readers
 * has one place in the line for slices, and short answers wait for none.
 */
export class LongAnswers {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param expected the characters of the answer, about.
   * @param search what it costs to find what is written, as characters of an answer that cost as much.
   */
  async write<A extends Answer>(expected: number, write: () => A, search = 0): Promise<A> {
    if (expected + search < LONG_ANSWER) return write();
    const unitsOf = (answer: A) => (lengthOf(answer) + search) * UNITS_OF_CHARACTER;
    const turn = this.#last.then(() => inSlice(write, unitsOf));
    this.#last = turn.catch(() => {});
    return turn;
  }
}

/** Returns the characters of a machine's status document, about: holders of slots and callers make it long. */
export function lengthOfStatus({ chart, snapshot, claims }: MachineState): number {
  const callers = quorums(chart, snapshot).reduce((sum, { have }) => sum + Math.max(0, have), 0);
  return HOLDER * countAll(claims) + CALLER * callers + STATE * snapshot.active.size;
}

/** Returns the characters of entries of the history, about: each has the names of the active states, up to three times. */
export function lengthOfEntries(machine: MachineState, entries: number): number {
  return entries * (ENTRY + 3 * lengthOfNames(machine));
}

/**
 * Returns what it costs to look at entries of the history, as characters of an answer that cost as much: 10,000 entries took
 * 2 ms with one short name of a state, and 7 ms with ten of 20 characters.
 */
export function lengthOfSearch(machine: MachineState, entries: number): number {
  return entries * (LOOKED_AT + lengthOfNames(machine) / 10);
}

function lengthOfNames({ chart, snapshot }: MachineState): number {
  return activeNames(chart, snapshot).reduce((sum, name) => sum + name.length, 0);
}

/** Characters of a holder of a slot, of a caller of a count, of an active state, and of an entry without its states. */
const HOLDER = 130;
const CALLER = 30;
const STATE = 300;
const ENTRY = 150;
/** Of an entry that a filter looks at. */
const LOOKED_AT = 10;
