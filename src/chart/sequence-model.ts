/** A checked sequence, and its model. */
import { type Model, type Notify, ROOT, type StateModel, type StateNumber, UPDATE } from './model.ts';
import { readSlots } from './slots.ts';
import type { Inputs } from './terms.ts';
import { parseTimestamp } from './time.ts';
import { readWindows, type WrittenWindows } from './window.ts';

/** A checked sequence, in plain JSON. */
export interface Sequence {
  readonly dialect: 'sequence';
  readonly current_state: string;
  readonly states: readonly SequenceState[];
  readonly inputs?: Inputs;
  readonly notify?: readonly Notify[];
}

export type SequenceState = IncrementState | TimeState | FinalState;

interface IncrementState extends FleetKeys {
  readonly name: string;
  readonly func: 'increment';
  readonly current: Measure<number>;
  readonly target: Target<number>;
}

interface TimeState extends FleetKeys {
  readonly name: string;
  readonly func: 'time';
  /** `when.value` is a timestamp, as written. */
  readonly target: Target<string>;
}

/** Keys that the original does not have, and ignores. As written. */
export interface FleetKeys {
  readonly slots?: number | string | undefined;
  readonly lease?: string | number | undefined;
  readonly cooldown?: string | number | undefined;
  readonly only?: string | undefined;
  readonly window?: WrittenWindows | undefined;
}

export const FLEET_KEYS = [
  'slots',
  'lease',
  'cooldown',
  'only',
  'window',
] as const satisfies readonly (keyof FleetKeys)[];

/** A state without `func`: the original's final state. */
interface FinalState {
  readonly name: string;
  readonly func?: never;
}

/** A labelled value. The original never compares the label. */
interface Measure<Value> {
  readonly key: string | number | boolean;
  readonly value: Value;
}

interface Target<Value> {
  readonly name: string;
  readonly when: Measure<Value>;
}

/** Compiles a checked sequence. State `i` of the document is state `i + 1` of the model. */
export function sequenceModel({ current_state, states, inputs, notify }: Sequence): Model {
  const numbers = new Map(states.map((state, i) => [state.name, i + 1]));
  const numberOf = (name: string): StateNumber => numbers.get(name) ?? ROOT;
  const root: StateModel = {
    name: '',
    type: 'compound',
    last: states.length,
    initial: { target: numberOf(current_state) },
  };
  return {
    states: [root, ...states.map((state, i) => stateModel(state, i + 1, numberOf))],
    ...(inputs === undefined ? {} : { inputs }),
    ...(notify === undefined ? {} : { notify }),
  };
}

function stateModel(
  state: SequenceState,
  number: StateNumber,
  numberOf: (name: string) => StateNumber,
): StateModel {
  const base = { name: state.name, parent: ROOT, last: number };
  if (state.func === undefined) return { ...base, type: 'final' };
  // In the original, a state that leads to itself is entered again.
  const targets = [numberOf(state.target.name)];
  const slots = readSlots(state);
  const windows = readWindows(state.window);
  const atomic = {
    ...base,
    type: 'atomic',
    ...(slots === undefined ? {} : { slots }),
    ...(state.only === undefined ? {} : { only: state.only }),
    ...(windows === undefined ? {} : { windows }),
  } as const;
  if (state.func === 'time') {
    const at = parseTimestamp(state.target.when.value) ?? 0;
    return { ...atomic, at: [{ at, transitions: [{ targets, reenter: true }] }] };
  }
  const quorum = { from: state.current.value, until: state.target.when.value };
  return { ...atomic, on: [{ event: UPDATE, transitions: [{ targets, quorum, reenter: true }] }] };
}
