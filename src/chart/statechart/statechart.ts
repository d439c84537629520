/** The statechart dialect: checks a document and builds its model, or reports every error. */

import { CHART_ACTIVE, CHART_REGIONS, CONTEXT_BYTES } from '../../chart-limits.ts';
import { type Data, type Document, keyText } from '../document.ts';
import type { Json } from '../expression.ts';
import { type IssueList, quote } from '../issue.ts';
import { extentOf, type Model, type MomentModel, type StateModel, type TransitionModel } from '../model.ts';
import { readNotify } from '../notify.ts';
import { findClockRing, findHistoryRing, findLoop, reachableFromStart } from '../reach.ts';
import { checkInputs, inputsOf } from '../run-inputs.ts';
import { reportShape } from '../shape-issues.ts';
import { readSlots } from '../slots.ts';
import { parseInputReference } from '../terms.ts';
import { type Delay, parseDuration, parseTimestamp } from '../time.ts';
import { WindowCheck } from '../window.ts';
import { asMap, nameOfOutline, type Outline, OutlineTree } from './outline.ts';
import { StatechartShape } from './statechart-shape.ts';
import { Reader } from './transitions.ts';

/** A checked statechart. */
export interface Statechart {
  readonly dialect: 'statechart';
  readonly model: Model;
}

/**
 * Checks a document against the statechart dialect.
 *
 * @param issues receives every error (a wrong shape, an unknown key, a target or state that does not exist, an
 *   expression that does not parse), and warnings for unreachable states.
 * @returns the statechart; undefined if there was an error.
 */
export function checkStatechart(document: Document, issues: IssueList): Statechart | undefined {
  const before = issues.errors.length;
  const shape = StatechartShape.safeParse(document.data);
  if (!shape.success) reportShape(shape.error, document, [], issues);
  const tree = new OutlineTree(document, issues);
  const reader = new Reader(document, tree, issues);
  const windows = new WindowCheck(document, issues);
  const states: StateModel[] = [];
  for (const outline of tree.states) {
    if (issues.full) return undefined;
    states.push(stateModel(outline, reader, windows, document, issues));
  }
  const pathOf = (state: number) => tree.states[state]?.path ?? [];
  windows.checkNesting(states, pathOf);
  const context = asMap(asMap(document.data).context);
  const data = toContext(context);
  if (JSON.stringify(data).length > CONTEXT_BYTES) {
    const message = `The context has more than ${CONTEXT_BYTES} bytes.`;
    issues.error(document.locate(['context']), ['context'], message);
  }
  if (issues.errors.length > before) return undefined;
  reader.checkUses(data);
  const read: Model = {
    states,
    ...(Object.keys(context).length === 0 ? {} : { context: data }),
    ...inputsOf(document),
  };
  if (!checkInputs(read, document, issues)) return undefined;
  const model = { ...read, ...readNotify(document, read, issues) };
  const { regions, active } = extentOf(model);
  if (regions > CHART_REGIONS || active > CHART_ACTIVE) {
    const message = `${active} states could be active at once, in ${regions} regions; at most ${CHART_ACTIVE} may be, in ${CHART_REGIONS}.`;
    issues.error(document.locate([]), [], message);
    return undefined;
  }
  checkReach(model, tree, document, issues);
  windows.warnNeverOpen(model, pathOf);
  return issues.errors.length > before ? undefined : { dialect: 'statechart', model };
}

/** Warns of states that are never entered, and refuses `always` transitions that never end. */
function checkReach(model: Model, tree: OutlineTree, document: Document, issues: IssueList): void {
  const reached = reachableFromStart(model);
  for (const outline of tree.states) {
    // A history state is never active, and an unreachable state is reported for all states inside it.
    const { number, parent, type, path } = outline;
    if (reached.has(number) || type === 'history' || (parent !== undefined && !reached.has(parent.number)))
      continue;
    const message = `No transition leads to ${quote(nameOfOutline(outline))}.`;
    issues.warn(document.locate(path, 'key'), path, message);
  }
  const ring = findHistoryRing(model);
  const history = ring === undefined ? undefined : tree.states[ring];
  if (history !== undefined) {
    const message = 'This history state leads back to itself where there is nothing to remember.';
    issues.error(document.locate(history.path, 'key'), history.path, message);
  }
  const turning = findClockRing(model);
  const first = turning === undefined ? undefined : tree.states[turning];
  if (first !== undefined) {
    const path = [...first.path, first.data.after === undefined ? 'at' : 'after'];
    const message =
      'These states lead to each other by timers alone, without delay and without end; add a guard or a delay.';
    issues.error(document.locate(path, 'key'), path, message);
  }
  const loop = findLoop(model);
  const outline = loop === undefined ? undefined : tree.states[loop];
  if (outline !== undefined) {
    const path = [...outline.path, 'always'];
    const message = 'This never ends: the `always` transitions that lead back here have no guard.';
    issues.error(document.locate(path), path, message);
  }
}

function stateModel(
  outline: Outline,
  reader: Reader,
  windowCheck: WindowCheck,
  document: Document,
  issues: IssueList,
): StateModel {
  const { data, path, type, parent } = outline;
  checkType(outline, document, issues);
  const list = (key: string) => reader.transitions(outline, data[key], [...path, key]);
  const timed = <Time, Entry>(
    key: string,
    read: (text: string) => Time | undefined,
    make: MakeTimed<Time, Entry>,
    right: string,
  ) =>
    Object.entries(asMap(data[key])).flatMap(([when, value]) => {
      const at = [...path, key, when];
      const time = read(keyText(when));
      const transitions = reader.transitions(outline, value, at);
      if (time !== undefined) return [make(time, transitions)];
      issues.error(document.locate(at, 'key'), at, `${quote(keyText(when))} must be ${right}.`);
      return [];
    });
  const initial = readInitial(outline, reader, document, issues);
  const history = readHistory(outline, reader);
  const slots = readSlots(data);
  const only = reader.only(outline);
  const windows = windowCheck.read(data.window, [...path, 'window']);
  return {
    name: nameOfOutline(outline),
    ...otherNames(outline),
    type,
    ...(parent === undefined ? {} : { parent: parent.number }),
    last: lastOf(outline),
    ...(initial === undefined ? {} : { initial }),
    ...(history === undefined ? {} : { history }),
    ...full('on', reader.events(outline)),
    ...full('always', list('always')),
    ...full('onDone', list('onDone')),
    ...full(
      'after',
      timed('after', readDelay, (delay, transitions) => ({ delay, transitions }), DURATION),
    ),
    ...full(
      'at',
      timed<number, MomentModel>('at', parseTimestamp, (at, transitions) => ({ at, transitions }), MOMENT),
    ),
    ...(slots === undefined ? {} : { slots }),
    ...(only === undefined ? {} : { only }),
    ...(windows === undefined ? {} : { windows }),
    ...full('entry', reader.actions(data.entry, [...path, 'entry'])),
    ...full('exit', reader.actions(data.exit, [...path, 'exit'])),
    ...(typeof data.description === 'string' ? { description: data.description } : {}),
    ...full('tags', tagsOf(data.tags)),
  };
}

/** @returns ms, or the input that stands for the delay. */
function readDelay(text: string): Delay | undefined {
  return parseDuration(text) ?? parseInputReference(text);
}

type MakeTimed<Time, Entry> = (time: Time, transitions: readonly TransitionModel[]) => Entry;

const DURATION = 'a duration, such as 90s, 30m, 12h or 7d, milliseconds, or an input (`inputs.soak`)';
const MOMENT = 'a time: `2026-12-01T02:00:00Z`, or with an offset, `2026-12-01T02:00:00+02:00`';

/** Checks which keys a type allows, as in XState, and reports keys that would have no effect. */
function checkType(outline: Outline, document: Document, issues: IssueList): void {
  const { data, path, type, children, parent } = outline;
  const refuse = (key: string, message: string) => {
    const at = key === '' ? path : [...path, key];
    issues.error(document.locate(at, 'key'), at, message);
  };
  const [first] = children;
  if (type === 'compound' && data.initial === undefined) {
    const example = first === undefined ? '' : `, such as \`initial: ${first.key}\``;
    // The root has no key; its `states` are the nearest place.
    refuse(
      parent === undefined ? 'states' : '',
      `Which child is entered first? Add \`initial\`${example}, or \`type: parallel\`.`,
    );
  }
  if (type === 'parallel' && children.length === 0)
    refuse('type', 'A parallel state has `states`, its regions.');
  if (type !== 'compound' && data.initial !== undefined) {
    refuse(
      'initial',
      type === 'parallel'
        ? 'A parallel state enters all its regions; remove `initial`.'
        : 'There are no `states` to enter.',
    );
  }
  if (data.onDone !== undefined && type !== 'compound' && type !== 'parallel') {
    refuse('onDone', 'Only a state with `states` can be done.');
  }
  if (
    (data.type === 'atomic' && children.length > 0) ||
    (data.type === 'compound' && children.length === 0)
  ) {
    refuse(
      'type',
      `The state ${children.length > 0 ? 'has `states`, so it is compound or parallel' : 'has no `states`, so it is atomic'}.`,
    );
  }
  if (type === 'final' || type === 'history') {
    const banned =
      type === 'final'
        ? ['states', 'on', 'after', 'at', 'always']
        : ['states', 'on', 'after', 'at', 'always', 'entry', 'exit'];
    for (const key of banned) {
      if (data[key] !== undefined) refuse(key, `A ${type} state has no \`${key}\`.`);
    }
  }
  if (type !== 'history') {
    if (data.target !== undefined)
      refuse(
        'target',
        'Only a history state has a `target`; a transition is written in `on`, `after`, `at` or `always`.',
      );
    if (data.history !== undefined) refuse('history', '`history` is for a state of `type: history`.');
  }
  for (const key of ['slots', 'window']) {
    if (data[key] !== undefined && (type === 'final' || type === 'history'))
      refuse(key, `A ${type} state has no \`${key}\`.`);
  }
  if (data.only !== undefined && (type === 'final' || type === 'history')) {
    refuse('only', `A ${type} state has no \`only\`: nobody works there.`);
  }
  if (data.slots !== undefined && parent === undefined)
    refuse('slots', 'A chart as a whole has no `slots`; give them to one of its states.');
  for (const key of ['lease', 'cooldown']) {
    if (data[key] !== undefined && data.slots === undefined)
      refuse(key, `A \`${key}\` needs \`slots\`; add them.`);
  }
  if (parent === undefined && (type === 'final' || type === 'history'))
    refuse('type', `A chart is no ${type} state.`);
}

function readInitial(
  outline: Outline,
  reader: Reader,
  document: Document,
  issues: IssueList,
): StateModel['initial'] {
  const { data, path, children, type } = outline;
  const { initial } = data;
  if (type !== 'compound' || initial === undefined) return undefined;
  const isText = typeof initial !== 'object' || initial === null;
  const at = isText ? [...path, 'initial'] : [...path, 'initial', 'target'];
  const key = document.textAt(at);
  if (key === undefined) return undefined;
  const child = children.find((candidate) => candidate.key === key);
  if (child === undefined) {
    const hint = issues.didYouMean(
      key,
      children.map((candidate) => candidate.key),
    );
    issues.error(document.locate(at), at, `There is no state ${quote(key)} inside this state.${hint}`);
    return undefined;
  }
  const actions = isText ? [] : reader.actions(asMap(initial).actions, [...path, 'initial', 'actions']);
  return { target: child.number, ...full('actions', actions) };
}

function readHistory(outline: Outline, reader: Reader): StateModel['history'] {
  const { data, path, type } = outline;
  if (type !== 'history') return undefined;
  const targets = reader.targets(outline, data.target, [...path, 'target']);
  return { depth: data.history === 'deep' ? 'deep' : 'shallow', ...full('targets', targets) };
}

function lastOf(outline: Outline): number {
  const last = outline.children.at(-1);
  return last === undefined ? outline.number : lastOf(last);
}

/** A state with an id is also found by its path; a nested state also by its key. */
function otherNames({ id, key, keys }: Outline): Pick<StateModel, 'path' | 'key'> {
  if (keys.length === 0) return {};
  return { ...(id === undefined ? {} : { path: keys.join('.') }), ...(keys.length === 1 ? {} : { key }) };
}

function tagsOf(data: Data | undefined): string[] {
  return (Array.isArray(data) ? data : [data]).filter((tag): tag is string => typeof tag === 'string');
}

/** @returns the context as plain JSON, with the keys as written. */
function toContext(data: Data): { readonly [key: string]: Json } {
  return asMap(toJson(data) as Data) as { readonly [key: string]: Json };
}

function toJson(data: Data): Json {
  if (typeof data !== 'object' || data === null) return data;
  if (Array.isArray(data)) return data.map(toJson);
  const object: Record<string, Json> = Object.create(null);
  for (const [key, value] of Object.entries(data)) object[keyText(key)] = toJson(value);
  return object;
}

/** @returns an object with the property, or without it if the list is empty: models are stored, so they are kept small. */
function full<Key extends string, Item>(key: Key, items: readonly Item[]): { [K in Key]?: readonly Item[] } {
  return items.length === 0 ? {} : ({ [key]: items } as { [K in Key]?: readonly Item[] });
}
