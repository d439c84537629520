/** The graph of a chart: nested states, and the arrows between them. It has no positions. */

import { type Amount, settle, showAmount } from '../chart/amount.ts';
import {
  ancestorsOf,
  FAILED_TAG,
  isWithin,
  type Model,
  ROOT,
  type Slots,
  type StateModel,
  type StateNumber,
  stepsOf,
  type TransitionModel,
  type Window,
} from '../chart/model.ts';
import type { Inputs } from '../chart/terms.ts';
import { inputOf, parseDelay } from '../chart/time.ts';
import { delayEvent, delayName, momentEvent } from '../chart/xstate-names.ts';
import type { Sliced } from '../sliced.ts';
import { durationText, momentText } from './format.ts';

/** A state and its children, in document order. */
export interface Node {
  readonly state: StateNumber;
  /** Its key in the enclosing state. */
  readonly label: string;
  /** Its full name. */
  readonly name: string;
  readonly type: StateModel['type'];
  readonly description?: string;
  /** On a final state: whether reaching it means that the machine has failed. */
  readonly isFailed?: boolean;
  /** On a history state. */
  readonly depth?: 'shallow' | 'deep';
  /** The initial child. */
  readonly initial?: StateNumber;
  readonly children: readonly Node[];
  /** The last of its descendants; the state itself if it has none. */
  readonly last: StateNumber;
  /** The number of states inside it, if they are not drawn. */
  readonly folded?: number;
  /** Captions inside the state: internal transitions, its slots and its windows. */
  readonly notes: readonly Caption[];
}

/** An arrow from one state to another; all transitions between the two share it. */
export interface Arrow {
  readonly from: StateNumber;
  readonly to: StateNumber;
  readonly captions: readonly Caption[];
}

/** A line beside an arrow or inside a state: the trigger of a transition. */
export interface Caption {
  readonly text: string;
  /** The name of the input that `text` has as `inputs.NAME` for an amount or a delay. */
  readonly input?: string;
  /** The counter or timer of the transition, shown while its state is active. */
  readonly counter?: Counter;
}

/** Identifies the quorum counter or the timer of a caption. */
type Counter =
  | {
      readonly kind: 'quorum';
      readonly state: StateNumber;
      readonly event: string;
      readonly index: number;
      /** How many events it takes; of a count that is never met, its target. */
      readonly needed: Amount;
    }
  | { readonly kind: 'timer'; readonly state: StateNumber; readonly event: string };

/**
 * @returns the text of a caption, with the value of its input if the run has one. It takes no more room than `inputs.` and
 *   a name, so all runs of a chart share a layout.
 */
export function textOf({ text, input, counter }: Caption, inputs: Inputs): string {
  const value = input === undefined ? undefined : inputs[input];
  if (value === undefined) return text;
  const delay = counter?.kind === 'timer' ? parseDelay(value) : undefined;
  return text.replace(`inputs.${input}`, () => (delay === undefined ? `${value}` : durationText(delay)));
}

/** @returns the amount of a quorum, with the value of its input if the run has one: `3×`, `95%`. */
export function amountText(needed: Amount, inputs: Inputs): string {
  const amount = settle(needed, inputs) ?? needed;
  return typeof amount === 'number' ? `${amount}×` : showAmount(amount);
}

export interface Graph {
  readonly root: Node;
  readonly arrows: readonly Arrow[];
}

/** Collects the nodes, arrows and captions of a chart. */
export function* graphOf(model: Model): Sliced<Graph> {
  const arrows = new Map<string, { from: StateNumber; to: StateNumber; captions: Caption[] }>();
  const notes = new Map<StateNumber, Caption[]>();
  for (const [state, described] of model.states.entries()) {
    yield 1;
    for (const { caption, transition } of captioned(state, described)) {
      yield 1;
      const targets = transition.targets ?? [];
      if (targets.length === 0) push(notes, state, withActions(caption, transition));
      for (const to of targets) {
        const key = `${state}>${to}`;
        const arrow = arrows.get(key);
        if (arrow === undefined) arrows.set(key, { from: state, to, captions: [caption] });
        else arrow.captions.push(caption);
      }
    }
    for (const to of described.history?.targets ?? []) {
      arrows.set(`${state}>${to}`, { from: state, to, captions: [] });
    }
    if (described.slots !== undefined) push(notes, state, slotsNote(described.slots));
    for (const window of described.windows ?? []) push(notes, state, { text: windowText(window) });
  }
  return { root: nodeOf(model, ROOT, notes), arrows: [...arrows.values()] };
}

/** @returns the innermost state that contains both, or one of the two where it contains the other. */
export function commonOf(model: Model, a: StateNumber, b: StateNumber): StateNumber {
  return [a, ...ancestorsOf(model, a)].find((state) => isWithin(model, b, state)) ?? ROOT;
}

function nodeOf(model: Model, state: StateNumber, notes: ReadonlyMap<StateNumber, Caption[]>): Node {
  const {
    key,
    path,
    name,
    type,
    description,
    history,
    initial,
    last,
    tags = [],
  } = model.states[state] ?? NOTHING;
  const children: Node[] = [];
  for (let child = state + 1; child <= last; child = (model.states[child]?.last ?? child) + 1) {
    children.push(nodeOf(model, child, notes));
  }
  return {
    state,
    label: key ?? path ?? name,
    name,
    type,
    ...(description === undefined ? {} : { description }),
    ...(type === 'final' && tags.includes(FAILED_TAG) ? { isFailed: true } : {}),
    ...(history === undefined ? {} : { depth: history.depth }),
    ...(initial === undefined ? {} : { initial: initial.target }),
    children,
    last,
    notes: notes.get(state) ?? [],
  };
}

const NOTHING: StateModel = { name: '', type: 'atomic', last: ROOT };

/** Yields every transition of a state with its caption. */
function* captioned(state: StateNumber, described: StateModel): Generator<CaptionedTransition> {
  for (const { event, transitions } of described.on ?? []) {
    for (const [index, transition] of transitions.entries()) {
      // A forbidden event (`stop: {}`) has no effect, and is not drawn.
      if (transition.targets === undefined && transition.actions === undefined) continue;
      const { quorum } = transition;
      const text = withGuard(event, transition);
      if (quorum === undefined) yield { caption: { text }, transition };
      else {
        const steps = stepsOf(quorum);
        const needed = steps ?? quorum.until;
        const counter: Counter = { kind: 'quorum', state, event, index, needed };
        yield { caption: { text, ...(steps === 1 ? {} : { counter }) }, transition };
      }
    }
  }
  for (const { delay, transitions } of described.after ?? []) {
    const counter: Counter = { kind: 'timer', state, event: delayEvent(state, delay) };
    const text = typeof delay === 'number' ? durationText(delay) : delayName(delay);
    yield* timed(`after ${text}`, transitions, counter, inputOf(delay));
  }
  for (const [i, { at, transitions }] of (described.at ?? []).entries()) {
    const counter: Counter = { kind: 'timer', state, event: momentEvent(state, i) };
    yield* timed(`at ${momentText(at)}`, transitions, counter);
  }
  for (const transition of described.always ?? [])
    yield { caption: { text: withGuard('', transition) }, transition };
  for (const transition of described.onDone ?? []) {
    yield { caption: { text: withGuard('done', transition) }, transition };
  }
}

interface CaptionedTransition {
  readonly caption: Caption;
  readonly transition: TransitionModel;
}

function* timed(
  text: string,
  transitions: readonly TransitionModel[],
  counter: Counter,
  input?: string,
): Generator<CaptionedTransition> {
  for (const transition of transitions) {
    const caption = { text: withGuard(text, transition), counter };
    yield { caption: input === undefined ? caption : { ...caption, input }, transition };
  }
}

/** @returns the note of a state with slots: `3 slots`, `10% at a time`. */
function slotsNote({ count }: Slots): Caption {
  if (typeof count === 'number') return { text: `${count} ${count === 1 ? 'slot' : 'slots'}` };
  const text = `${showAmount(count)} at a time`;
  return 'input' in count ? { text, input: count.input } : { text };
}

/** @returns the note of a window: `◷ 0 2 * * 1-5, 4h, Europe/Berlin`. */
function windowText({ cron, length, zone }: Window): string {
  return `◷ ${cron}, ${durationText(length)}, ${zone}`;
}

/** @returns UML's notation: `event [guard]`. */
function withGuard(event: string, { guard }: TransitionModel): string {
  return [event, ...(guard === undefined ? [] : [`[${guard.cel}]`])].filter((part) => part !== '').join(' ');
}

/** Adds the effects of an internal transition in UML's notation: `event / keys it assigns, events it raises`. */
function withActions(caption: Caption, { actions = [] }: TransitionModel): Caption {
  const done = actions.flatMap((action) => {
    if ('assign' in action) return action.assign.map(({ key }) => key);
    return 'raise' in action ? [action.raise] : [];
  });
  return done.length === 0 ? caption : { ...caption, text: `${caption.text} / ${done.join(', ')}` };
}

function push<Key, Item>(lists: Map<Key, Item[]>, key: Key, item: Item): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
