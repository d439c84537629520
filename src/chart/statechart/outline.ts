/** The tree of states in a statechart document: their nesting and names, and the look-up of targets. */

import { CHART_NAMES, CHART_STATES, STATE_NAME_LENGTH } from '../../chart-limits.ts';
import { type Data, type Document, keyText } from '../document.ts';
import { type IssueList, type PathStep, quote } from '../issue.ts';
import type { StateModel, StateNumber } from '../model.ts';

/** A mapping of the document, unchecked. */
export type DataMap = { readonly [key: string]: Data };

/** One state of the document, before its transitions are read. */
export interface Outline {
  readonly number: StateNumber;
  readonly key: string;
  /** The keys from the root to the state. */
  readonly keys: readonly string[];
  readonly id: string | undefined;
  readonly type: StateModel['type'];
  readonly parent: Outline | undefined;
  readonly children: Outline[];
  /** Its path in the document. */
  readonly path: readonly PathStep[];
  readonly data: DataMap;
}

/** @returns the name of a state without an `id`: its path, `fleet.eu`. */
export function nameOfOutline({ id, keys }: Outline): string {
  return id ?? keys.join('.');
}

/** A target that does not exist, and the names that do, for a suggestion. */
interface NoTarget {
  readonly candidates: () => readonly string[];
}

/** All states of a chart, and how to find them. */
export class OutlineTree {
  /** In document order; the root is the first. */
  readonly states: readonly Outline[];
  readonly #ids = new Map<string, Outline>();
  readonly #paths = new Map<string, Outline>();
  /** By key; undefined if several states have the same key. */
  readonly #keys = new Map<string, Outline | undefined>();
  #names: readonly string[] | undefined;

  /** @param issues receives duplicate ids, names that are too long, and too many states. */
  constructor(document: Document, issues: IssueList) {
    const states: Outline[] = [];
    collect(document, asMap(document.data), [], '', undefined, states, issues);
    this.states = namesFit(document, states, issues) ? states : [];
    for (const state of this.states) {
      this.#addId(document, state, issues);
      if (state.parent === undefined) continue;
      const path = state.keys.join('.');
      if (!this.#paths.has(path)) this.#paths.set(path, state);
      this.#keys.set(state.key, this.#keys.has(state.key) ? undefined : state);
    }
  }

  get root(): Outline | undefined {
    return this.states[0];
  }

  /**
   * Finds the target of a transition as XState does: `#id`, `#id.child`, `.child` of the source itself, or a
   * sibling (a child if the source is the root), each optionally followed by a path.
   *
   * @returns the state; if there is none, the names that would have been valid.
   */
  target(source: Outline, text: string): Outline | NoTarget {
    if (text.startsWith('#')) return this.#byId(text.slice(1));
    if (text.startsWith('.')) return descend(source, text.slice(1), '.');
    if (source.parent === undefined) return { candidates: () => source.children.map(({ key }) => `.${key}`) };
    return descend(source.parent, text, '');
  }

  /** Finds what `in_state` names: an id, a path from the root, or a key that is unique. */
  named(text: string): Outline | undefined {
    return this.#ids.get(text) ?? this.#paths.get(text) ?? this.#keys.get(text);
  }

  /** Every name that `named` finds. */
  names(): readonly string[] {
    this.#names ??= this.states.map(nameOfOutline).filter((name) => name !== '');
    return this.#names;
  }

  #byId(text: string): Outline | NoTarget {
    const exact = this.#ids.get(text);
    if (exact !== undefined) return exact;
    for (let dot = text.lastIndexOf('.'); dot > 0; dot = text.lastIndexOf('.', dot - 1)) {
      const state = this.#ids.get(text.slice(0, dot));
      if (state !== undefined) return descend(state, text.slice(dot + 1), `#${text.slice(0, dot)}.`);
    }
    return { candidates: () => [...this.#ids.keys()].map((id) => `#${id}`) };
  }

  #addId(document: Document, state: Outline, issues: IssueList): void {
    if (state.id === undefined) return;
    const path = [...state.path, 'id'];
    const other = this.#ids.get(state.id);
    if (other === undefined) this.#ids.set(state.id, state);
    else {
      const { line } = document.locate([...other.path, 'id']);
      issues.error(
        document.locate(path),
        path,
        `The id ${quote(state.id)} is taken by the state on line ${line}.`,
      );
    }
  }
}

/** Checks the total length of ids and paths before any path is built: a path has the names of all states around it. */
function namesFit(document: Document, states: readonly Outline[], issues: IssueList): boolean {
  const paths = new Map<Outline | undefined, number>();
  let length = 0;
  for (const state of states) {
    const { key, id = '', parent } = state;
    const path = parent === undefined ? 0 : (paths.get(parent) ?? 0) + key.length + 1;
    paths.set(state, path);
    length += path + id.length;
  }
  if (length <= CHART_NAMES) return true;
  const message = `The ids and paths of all states have ${length} characters; at most ${CHART_NAMES} may be.`;
  issues.error(document.locate([]), [], message);
  return false;
}

/** Follows a path of keys downwards. A key that contains dots is tried as a whole first. */
function descend(from: Outline, path: string, prefix: string): Outline | NoTarget {
  const byKey = childrenByKey(from);
  const whole = byKey.get(path);
  if (whole !== undefined) return whole;
  for (let dot = path.indexOf('.'); dot > 0; dot = path.indexOf('.', dot + 1)) {
    const child = byKey.get(path.slice(0, dot));
    if (child !== undefined) return descend(child, path.slice(dot + 1), `${prefix}${child.key}.`);
  }
  return { candidates: () => from.children.map(({ key }) => `${prefix}${key}`) };
}

function childrenByKey(state: Outline): ReadonlyMap<string, Outline> {
  let byKey = indexes.get(state);
  if (byKey === undefined) {
    byKey = new Map(state.children.map((child) => [child.key, child]));
    indexes.set(state, byKey);
  }
  return byKey;
}

const indexes = new WeakMap<Outline, ReadonlyMap<string, Outline>>();

function collect(
  document: Document,
  data: DataMap,
  keys: readonly string[],
  key: string,
  parent: Outline | undefined,
  states: Outline[],
  issues: IssueList,
  path: readonly PathStep[] = [],
): void {
  if (states.length > CHART_STATES) return;
  if (states.length === CHART_STATES) {
    issues.error(document.locate(path, 'key'), path, `A chart has at most ${CHART_STATES} states.`);
  }
  const children = Object.entries(asMap(data.states));
  const id = typeof data.id === 'string' ? data.id : undefined;
  const outline: Outline = {
    number: states.length,
    key,
    keys,
    id,
    type: typeOf(data, children.length > 0),
    parent,
    children: [],
    path,
    data,
  };
  for (const name of [key, id ?? '']) {
    if (name.length > STATE_NAME_LENGTH || !name.isWellFormed()) {
      const message = `A name has at most ${STATE_NAME_LENGTH} characters of well-formed Unicode.`;
      issues.error(document.locate(path, 'key'), path, message);
    }
  }
  states.push(outline);
  parent?.children.push(outline);
  for (const [childKey, child] of children) {
    const childPath = [...path, 'states', childKey];
    const text = keyText(childKey);
    collect(document, asMap(child), [...keys, text], text, outline, states, issues, childPath);
  }
}

function typeOf(data: DataMap, hasChildren: boolean): StateModel['type'] {
  const { type } = data;
  if (type === 'parallel' || type === 'final' || type === 'history') return type;
  if (hasChildren) return 'compound';
  return data.history === undefined ? 'atomic' : 'history';
}

/** @returns the mapping, or an empty one: the shape has reported what is not a mapping. */
export function asMap(data: Data | undefined): DataMap {
  return typeof data === 'object' && data !== null && !Array.isArray(data) ? (data as DataMap) : EMPTY;
}

/** @returns a list as it is, a single value as a list of one, and undefined as an empty list. */
export function asList(data: Data | undefined): readonly Data[] {
  if (data === undefined || data === null) return [];
  return Array.isArray(data) ? data : [data as Data];
}

const EMPTY: DataMap = Object.freeze(Object.create(null));
