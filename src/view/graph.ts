/** What there is to draw of a chart: states in states, and arrows between them. Pure; knows nothing of places. */

import {
  ancestorsOf,
  FAILED_TAG,
  isWithin,
  type Model,
  ROOT,
  type StateModel,
  type StateNumber,
  type TransitionModel,
} from '../chart/model.ts';
import { durationText, momentText } from './format.ts';

/** A state with what lies in it, in document order. */
export interface Node {
  readonly state: StateNumber;
  /** Its key: what it is called where it stands. */
  readonly label: string;
  /** Its full name. */
  readonly name: string;
  readonly type: StateModel['type'];
  readonly description?: string;
  /** Of a final state: whether a machine that is there has failed. */
  readonly isFailed?: boolean;
  /** Of a history state. */
  readonly depth?: 'shallow' | 'deep';
  /** The child that is entered first. */
  readonly initial?: StateNumber;
  readonly children: readonly Node[];
  /** What happens in it without an arrow: transitions that stay, and its slots. */
  readonly notes: readonly Caption[];
}

/** One way from a state to another; several transitions between the same two share it. */
export interface Arrow {
  readonly from: StateNumber;
  readonly to: StateNumber;
  readonly captions: readonly Caption[];
}

/** A line beside an arrow, or in a state: what sets a transition off. */
export interface Caption {
  readonly text: string;
  /** What counts or runs there: shown where the machine stands in that state. */
  readonly counter?: Counter;
}

/** Which count, or which timer, a caption is about. */
type Counter =
  | { readonly kind: 'quorum'; readonly state: StateNumber; readonly event: string; readonly until: number }
  | { readonly kind: 'timer'; readonly state: StateNumber; readonly event: string };

export interface Graph {
  readonly root: Node;
  readonly arrows: readonly Arrow[];
}

export function graphOf(model: Model): Graph {
  const arrows = new Map<string, { from: StateNumber; to: StateNumber; captions: Caption[] }>();
  const notes = new Map<StateNumber, Caption[]>();
  for (const [state, described] of model.states.entries()) {
    for (const { caption, transition } of waysOut(state, described)) {
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
    if (described.slots !== undefined) push(notes, state, { text: `${described.slots.count} slots` });
  }
  return { root: nodeOf(model, ROOT, notes), arrows: [...arrows.values()] };
}

/** The innermost state that both lie in, or one of the two where it holds the other. */
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
    notes: notes.get(state) ?? [],
  };
}

const NOTHING: StateModel = { name: '', type: 'atomic', last: ROOT };

/** Every transition of a state, with the words that stand beside it. */
function* waysOut(state: StateNumber, described: StateModel): Generator<Way> {
  for (const { event, transitions } of described.on ?? []) {
    for (const transition of transitions) {
      // A forbidden event (`stop: {}`) does nothing, and is nothing to draw.
      if (transition.targets === undefined && transition.actions === undefined) continue;
      const { quorum } = transition;
      const text = withGuard(event, transition);
      if (quorum === undefined) yield { caption: { text }, transition };
      else {
        const counter: Counter = { kind: 'quorum', state, event, until: quorum.until };
        yield { caption: { text, ...(quorum.until - quorum.from === 1 ? {} : { counter }) }, transition };
      }
    }
  }
  for (const { delay, transitions } of described.after ?? []) {
    const counter: Counter = { kind: 'timer', state, event: `xstate.after.${delay}.s${state}` };
    yield* timed(`after ${durationText(delay)}`, transitions, counter);
  }
  for (const [i, { at, transitions }] of (described.at ?? []).entries()) {
    const counter: Counter = { kind: 'timer', state, event: `xstate.at.${i}.s${state}` };
    yield* timed(`at ${momentText(at)}`, transitions, counter);
  }
  for (const transition of described.always ?? [])
    yield { caption: { text: withGuard('', transition) }, transition };
  for (const transition of described.onDone ?? []) {
    yield { caption: { text: withGuard('done', transition) }, transition };
  }
}

interface Way {
  readonly caption: Caption;
  readonly transition: TransitionModel;
}

function* timed(text: string, transitions: readonly TransitionModel[], counter: Counter): Generator<Way> {
  for (const transition of transitions)
    yield { caption: { text: withGuard(text, transition), counter }, transition };
}

/** As UML writes it: `event [guard]`. */
function withGuard(event: string, { guard }: TransitionModel): string {
  return [event, ...(guard === undefined ? [] : [`[${guard.cel}]`])].filter((part) => part !== '').join(' ');
}

/** Where nothing is left, what is done is all there is to say: `event / what it changes`. */
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
