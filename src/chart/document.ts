/**
 * Reads YAML text into plain data, and keeps the position of each part in the text.
 *
 * Keys are text, so `__proto__` and `1.0` are keys like any other; objects have no prototype.
 */

import { CHART_BYTES, CHART_LINES } from '../chart-limits.ts';
import type { Sliced } from '../sliced.ts';
import type { IssueList, PathStep, Position } from './issue.ts';
import { LineIndex, START } from './lines.ts';
import { type MapNode, type Node, readTree, startOf } from './yaml-tree.ts';

export type Data = string | number | boolean | null | readonly Data[] | { readonly [key: string]: Data };

/** A chart's text as data with positions. */
export interface Document {
  /** Objects without prototype, numbers, strings, booleans, null. An alias is the same object as its anchor. */
  readonly data: Data;
  /** The position of the value at `path`, or of its key. If the path does not exist: of the last part of it that does. */
  locate(path: readonly PathStep[], part?: 'key' | 'value'): Position;
  /** Whether `path` exists. */
  has(path: readonly PathStep[]): boolean;
  /** The scalar at `path` as written (`1.10`, `true`); undefined if there is none. */
  textAt(path: readonly PathStep[]): string | undefined;
}

/**
 * Reads one YAML 1.2 document (core schema).
 *
 * @param issues receives every error: those of `readTree`, and a text that is too large.
 * @returns the document; undefined if the text cannot be read.
 */
export function* readDocument(text: string, issues: IssueList): Sliced<Document | undefined> {
  const bytes = utf8Length(text);
  if (bytes > CHART_BYTES) {
    issues.error(START, [], `The chart has ${bytes} bytes; at most ${CHART_BYTES} are read.`);
    return undefined;
  }
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const lines = new LineIndex(source);
  if (lines.count > CHART_LINES) {
    issues.error(START, [], `The chart has ${lines.count} lines; at most ${CHART_LINES} are read.`);
    return undefined;
  }
  const root = yield* readTree(source, lines, issues);
  if (root === undefined) return undefined;
  return {
    data: toData(root, new Map()),
    locate: (path, part = 'value') => lines.at(find(root, path, part).offset),
    has: (path) => find(root, path, 'value').complete,
    textAt: (path) => {
      const { node, complete } = find(root, path, 'value');
      return complete && node.kind === 'scalar' ? node.text : undefined;
    },
  };
}

function toData(node: Node, done: Map<Node, Data>): Data {
  if (node.kind === 'scalar') return node.value;
  const known = done.get(node);
  if (known !== undefined) return known;
  const data =
    node.kind === 'list' ? node.items.map((item) => toData(item.node, done)) : toObject(node, done);
  done.set(node, data);
  return data;
}

function toObject(node: MapNode, done: Map<Node, Data>): Data {
  const object: Record<string, Data> = Object.create(null);
  for (const [key, { node: value }] of node.entries) object[dataKey(key)] = toData(value, done);
  return object;
}

/**
 * In the data, a NUL is before some keys. zod skips a key `__proto__`, so its value would go unchecked. And an object has its
 * whole numbers before its other keys: states would not be in document order.
 */
const MARKED = /^(?:__proto__|\d+)$/;
const MARK = '\u0000';

function dataKey(text: string): string {
  return MARKED.test(text) || text.startsWith(MARK) ? `${MARK}${text}` : text;
}

/** @returns a key of a document's data as written in the text. */
export function keyText(key: string): string {
  return key.startsWith(MARK) ? key.slice(1) : key;
}

/** Follows `path` as far as it goes. */
function find(
  root: Node,
  path: readonly PathStep[],
  part: 'key' | 'value',
): { node: Node; offset: number; complete: boolean } {
  let node = root;
  let offset = startOf(root);
  for (const [i, step] of path.entries()) {
    const entry = node.kind === 'map' ? node.entries.get(keyText(String(step))) : undefined;
    const next = entry?.node ?? (node.kind === 'list' ? node.items[Number(step)]?.node : undefined);
    if (next === undefined) return { node, offset, complete: false };
    node = next;
    const last = i === path.length - 1;
    offset = last && part === 'key' && entry !== undefined ? entry.keyOffset : startOf(next);
  }
  return { node, offset, complete: true };
}

function utf8Length(text: string): number {
  // A UTF-16 code unit takes at most three bytes, so most texts need not be encoded.
  return text.length * 3 <= CHART_BYTES ? text.length : new TextEncoder().encode(text).length;
}
