/** Sequences uploaded with present values: whether one continues a running machine, and how it looks at its beginning. */
import type { Program } from './compile.ts';
import { countOf, quorumKey } from './counts.ts';
import { type Model, type Quorum, ROOT, type StateNumber, UPDATE } from './model.ts';
import { storeMachine } from './persist.ts';
import { nameOf } from './queries.ts';
import type { Sequence } from './sequence-model.ts';
import type { Snapshot } from './snapshot.ts';

/** Whether the present values of `next` are those of a machine that runs `program`. */
export function isCorrection(program: Program, snapshot: Snapshot, next: Sequence): boolean {
  const [current, ...others] = snapshot.active.keys();
  if (current === undefined || others.length > 0) return false;
  if (nameOf(program, current) !== next.current_state) return false;
  const state = next.states.find(({ name }) => name === next.current_state);
  return state?.func !== 'increment' || state.current.value === presentValue(program, snapshot, current);
}

/**
 * Lets the later visits of a sequence that corrects a running one begin as that one began. Its values of the current state and of
 * states that were left are progress: they hold for the visits so far.
 *
 * @param snapshot of the machine that runs `program`.
 * @param left states that were entered and left.
 * @param beginning of the chart that it corrects.
 */
export function withLaterVisits(
  next: Sequence,
  { model }: Program,
  { active }: Snapshot,
  left: ReadonlySet<StateNumber>,
  beginning: Sequence,
): Sequence {
  let isOther = false;
  const states = next.states.map((state) => {
    const number = model.states.findIndex(({ name, parent }) => name === state.name && parent !== undefined);
    const before = beginning.states.find(({ name }) => name === state.name);
    if (state.func !== 'increment' || before?.func !== 'increment') return state;
    const { key, value } = state.current;
    const reached = left.has(number) && countedIn(model, number)?.until === value;
    if ((!reached && !active.has(number)) || before.current.value === value) return state;
    isOther = true;
    return { ...state, current: { key, value: before.current.value } };
  });
  return isOther ? { ...next, states } : next;
}

/** Writes the present value of a sequence that has just begun as a count: where it begins does not matter then. */
export function withPresentCount(program: Program, snapshot: Snapshot): Snapshot {
  const [state = ROOT] = snapshot.active.keys();
  const have = presentValue(program, snapshot, state);
  if (have === undefined) return snapshot;
  const { context, ...machine } = storeMachine(snapshot.machine);
  const counts = { ...context.counts, [quorumKey(state, UPDATE, 0)]: have };
  return { ...snapshot, machine: { ...machine, context: { ...context, counts } } };
}

function countedIn({ states }: Model, state: StateNumber): Quorum | undefined {
  return states[state]?.on?.[0]?.transitions[0]?.quorum;
}

function presentValue({ model }: Program, snapshot: Snapshot, state: StateNumber): number | undefined {
  const quorum = countedIn(model, state);
  return quorum && countOf(snapshot.machine.context, quorumKey(state, UPDATE, 0), quorum.from);
}

/**
 * @returns the sequence at the beginning of a run; `sequence` itself if it is at its beginning.
 *
 * A chart that corrects a running one begins as that one began. For another chart, only the values tell its progress:
 * values between 0 and their targets are reset to 0, and if there are any, the sequence begins with its first state.
 *
 * @param corrected the beginning of the chart that it corrects.
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

/** @returns 0 for a value that counting from 0 can reach; else the value. */
function startOf(value: number, until: number): number {
  return Number.isInteger(value) && Number.isInteger(until) && value > 0 && value <= until ? 0 : value;
}
