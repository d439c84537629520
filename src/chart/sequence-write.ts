/** Writes a running sequence as its chart's text with the present values, as the original does. */
import type { Sliced } from '../sliced.ts';
import type { StateNumber } from './model.ts';
import type { Sequence } from './sequence-model.ts';
import { copiedScalar, numberScalar, textScalar } from './yaml-scalar.ts';
import type { ScalarNode } from './yaml-tree.ts';
import { type Change, changeScalars, nodeAt, type Replacement } from './yaml-write.ts';

/** The progress of a running sequence. */
export interface SequenceProgress {
  /** `ROOT` if it has not begun. */
  readonly current: StateNumber;
  /** The current state's count; undefined if it has none. */
  readonly count: number | undefined;
  /** States that were entered and left. */
  readonly left: ReadonlySet<StateNumber>;
}

/**
 * Writes the present values into a sequence's text. `current_state` names the current state. `current.value` of the
 * current state is its count; of a state that was left, its last count. The original can load the text and go on.
 *
 * @param text from which the states were read. Everything but the present values stays as written.
 * @param progress without a current state, the sequence's own `current_state` is written.
 */
export function* writeSequence(
  text: string,
  { current_state, states }: Sequence,
  progress: SequenceProgress,
): Sliced<string> {
  const values = states.flatMap((state, i) => {
    if (state.func !== 'increment') return [];
    const value = presentValue(i + 1, state.current.value, state.target.when.value, progress);
    const change: Change = new Map([['current', new Map([['value', numberAt(value)]])]]);
    return [[i, change] as const];
  });
  const changes = new Map<string, Change>([['states', new Map(values)]]);
  const current = states[progress.current - 1]?.name ?? current_state;
  const index = states.findIndex(({ name }) => name === current);
  changes.set('current_state', nameAt(index, current));
  return yield* changeScalars(text, changes);
}

function presentValue(
  state: StateNumber,
  from: number,
  until: number,
  { current, count, left }: SequenceProgress,
): number {
  if (state === current) return count ?? from;
  // A state is left by the update that makes its value equal the target's.
  return left.has(state) ? until : from;
}

function numberAt(value: number): Replacement {
  return (present) => (present.value === value ? undefined : numberScalar(value));
}

/** @returns the name of state `index` as YAML: text, or the number or boolean as which it is written there. */
function nameAt(index: number, name: string): Replacement {
  return (present, root) => {
    if (present.text === name) return undefined;
    const written = nodeAt(root, ['states', index, 'name']);
    return written?.kind === 'scalar' && isNoText(written)
      ? copiedScalar(written)
      : textScalar(name, present.style);
  };
}

function isNoText({ value }: ScalarNode): boolean {
  return typeof value !== 'string';
}
