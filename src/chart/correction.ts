/** Sequences that are uploaded with present values: whether one goes on where a machine stands, and where it begins. */
import type { Program } from './compile.ts';
import { countOf, quorumKey } from './counts.ts';
import { type StateNumber, UPDATE } from './model.ts';
import { nameOf } from './queries.ts';
import type { Sequence } from './sequence.ts';
import type { Snapshot } from './snapshot.ts';

/** Whether `next` says of the current state what a machine that runs by `program` has come to. */
export function isCorrection(program: Program, snapshot: Snapshot, next: Sequence): boolean {
  const [current, ...others] = snapshot.active.keys();
  if (current === undefined || others.length > 0) return false;
  if (nameOf(program, current) !== next.current_state) return false;
  const state = next.states.find(({ name }) => name === next.current_state);
  return state?.func !== 'increment' || state.current.value === presentValue(program, snapshot, current);
}

function presentValue({ model }: Program, snapshot: Snapshot, state: StateNumber): number | undefined {
  const quorum = model.states[state]?.on?.[0]?.transitions[0]?.quorum;
  return quorum && countOf(snapshot.machine.context, quorumKey(state, UPDATE, 0), quorum.from);
}

/**
 * The sequence as a run begins it. A chart that was corrected in mid-run begins where it began before. Of another chart
 * only the values tell how far it has come: those between 0 and their targets begin at 0, and where there are some, the
 * sequence begins with the first of its states.
 *
 * @param corrected the beginning of the chart that it corrects.
 * @returns `sequence` itself where that is its beginning.
 */
export function beginningOf(sequence: Sequence, corrected?: Sequence): Sequence {
  let hasBegun = false;
  const states = sequence.states.map((state) => {
    if (state.func !== 'increment') return state;
    const before = corrected?.states.find(({ name }) => name === state.name);
    const { key, value } = state.current;
    const from =
      before?.func === 'increment' ? before.current.value : startOf(value, state.target.when.value);
    if (from === value) return state;
    hasBegun = true;
    return { ...state, current: { key, value: from } };
  });
  const first = corrected?.current_state ?? (hasBegun ? states[0]?.name : undefined);
  const current_state = states.find(({ name }) => name === first)?.name ?? sequence.current_state;
  if (!hasBegun && current_state === sequence.current_state) return sequence;
  return { ...sequence, current_state, states };
}

/** A value that counting from 0 can have led to begins at 0. */
function startOf(value: number, until: number): number {
  return Number.isInteger(value) && Number.isInteger(until) && value > 0 && value <= until ? 0 : value;
}
