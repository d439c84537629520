/**
 * YAML text -> a tree of plain data that knows where each part stands in the text.
 *
 * Built from js-yaml's events and not from its `load`: the events carry offsets, and the tree is bounded
 * (bytes, depth, nodes with aliases expanded) while it grows. Keys are text, so `__proto__` and `1.0` are
 * keys like any other; objects have no prototype.
 */
import {
  boolCoreTag,
  EVENT_ID,
  type Event,
  floatCoreTag,
  getScalarValue,
  intCoreTag,
  NOT_RESOLVED,
  nullCoreTag,
  parseEvents,
  SCALAR_STYLE,
  YAMLException,
} from 'js-yaml';
import { type IssueList, type PathStep, type Position, quote } from './issue.ts';
import { CHART_BYTES, CHART_DEPTH, CHART_LINES, CHART_NODES, CHART_TEXT } from './limits.ts';

export type Data = string | number | boolean | null | readonly Data[] | { readonly [key: string]: Data };

interface ScalarNode {
  readonly kind: 'scalar';
  readonly offset: number;
  /** As written, without quotes: `1.10` for the number 1.1. */
  readonly text: string;
  readonly value: string | number | boolean | null;
}
interface ListNode {
  readonly kind: 'list';
  readonly offset: number;
  readonly items: Node[];
}
interface MapNode {
  readonly kind: 'map';
  readonly offset: number;
  readonly entries: Map<string, { readonly keyOffset: number; readonly node: Node }>;
}
type Node = ScalarNode | ListNode | MapNode;

/** A chart's text as data with positions. */
export interface Document {
  /** Objects without prototype, numbers, strings, booleans, null. Aliases share what they name. */
  readonly data: Data;
  /** Where the value at `path` stands, or its key; the nearest part that exists where it does not. */
  locate(path: readonly PathStep[], part?: 'key' | 'value'): Position;
  /** Whether something stands at `path`. */
  has(path: readonly PathStep[]): boolean;
  /** The scalar at `path` as it is written (`1.10`, `true`), or undefined where there is none. */
  textAt(path: readonly PathStep[]): string | undefined;
}

/**
 * Reads one YAML 1.2 document (core schema).
 *
 * @param issues takes every error found: broken YAML (one, for a parser cannot go on behind it), more than
 *   one document, keys that are no scalars, duplicate keys, unknown tags, aliases that are cyclic or name
 *   nothing, and the crossing of a bound.
 * @returns the document, or undefined where nothing can be made of the text.
 */
export function readDocument(text: string, issues: IssueList): Document | undefined {
  const bytes = utf8Length(text);
  if (bytes > CHART_BYTES) {
    issues.error(START, [], `The chart has ${bytes} bytes; at most ${CHART_BYTES} are read.`);
    return undefined;
  }
  // js-yaml drops a byte order mark before it counts offsets.
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const lines = new LineIndex(source);
  if (lines.count > CHART_LINES) {
    issues.error(START, [], `The chart has ${lines.count} lines; at most ${CHART_LINES} are read.`);
    return undefined;
  }
  const root = buildTree(source, lines, issues);
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

const START: Position = { line: 1, column: 1 };

/** Offsets -> lines and columns, by binary search over the line starts. */
class LineIndex {
  readonly #starts: number[] = [0];

  constructor(source: string) {
    for (let i = source.indexOf('\n'); i !== -1; i = source.indexOf('\n', i + 1)) this.#starts.push(i + 1);
  }

  get count(): number {
    return this.#starts.length;
  }

  at(offset: number): Position {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 };
  }
}

/** How large a part of a document is, with every alias expanded. */
interface Size {
  readonly nodes: number;
  /** Characters of its scalars, keys among them. */
  readonly text: number;
}

/** A collection that is still open, and the key that waits for its value. */
interface Frame {
  readonly node: ListNode | MapNode;
  readonly anchor: string | undefined;
  readonly before: Size;
  key: { readonly text: string; readonly offset: number } | undefined;
}

function buildTree(source: string, lines: LineIndex, issues: IssueList): Node | undefined {
  let events: Event[];
  try {
    events = parseEvents(source, { maxDepth: CHART_DEPTH });
  } catch (error) {
    issues.error(...syntaxError(error, lines));
    return undefined;
  }
  const builder = new TreeBuilder(source, lines, issues);
  for (const event of events) {
    builder.take(event);
    if (builder.stopped || issues.full) return undefined;
  }
  if (builder.root === undefined) issues.error(START, [], 'The chart is empty.');
  return builder.root;
}

function syntaxError(error: unknown, lines: LineIndex): [Position, PathStep[], string] {
  if (!(error instanceof YAMLException)) throw error;
  const at = error.mark === undefined ? START : lines.at(error.mark.position);
  return [at, [], `This is no YAML: ${error.reason}.`];
}

class TreeBuilder {
  root: Node | undefined;
  stopped = false;
  readonly #source: string;
  readonly #lines: LineIndex;
  readonly #issues: IssueList;
  readonly #open: Frame[] = [];
  readonly #anchors = new Map<string, { node: Node; size: Size }>();
  #documents = 0;
  #size: Size = { nodes: 0, text: 0 };
  /** Where the text has been read to: what is not written stands behind it. */
  #end = 0;
  /** Collections open inside a key that is one itself, which is refused and skipped. */
  #skipping = 0;

  constructor(source: string, lines: LineIndex, issues: IssueList) {
    this.#source = source;
    this.#lines = lines;
    this.#issues = issues;
  }

  take(event: Event): void {
    if (this.#skipping > 0) this.#skip(event);
    else if (event.type === EVENT_ID.DOCUMENT) this.#startDocument();
    else if (event.type === EVENT_ID.POP) this.#close();
    else if (event.type === EVENT_ID.ALIAS)
      this.#alias(this.#slice(event.anchorStart, event.anchorEnd), event.anchorStart);
    else if (event.type === EVENT_ID.SCALAR) this.#scalar(event);
    else this.#openCollection(event);
  }

  #startDocument(): void {
    this.#documents += 1;
    if (this.#documents > 1) {
      this.#fail(
        this.#source.length,
        'There is more than one document; a chart is one. Remove the `---` between them.',
      );
    }
  }

  #skip(event: Event): void {
    if (event.type === EVENT_ID.POP) this.#skipping -= 1;
    else if (event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING) this.#skipping += 1;
  }

  #openCollection(event: Extract<Event, { type: typeof EVENT_ID.SEQUENCE | typeof EVENT_ID.MAPPING }>): void {
    const frame = this.#open.at(-1);
    if (frame?.node.kind === 'map' && frame.key === undefined) {
      this.#error(event.start, 'A key must be a scalar, not a list or a mapping.');
      frame.key = { text: `\u0000${event.start}`, offset: event.start };
      this.#skipping = 1;
      return;
    }
    this.#checkTag(event.tagStart, event.tagEnd, COLLECTION_TAGS);
    const node: ListNode | MapNode =
      event.type === EVENT_ID.SEQUENCE
        ? { kind: 'list', offset: event.start, items: [] }
        : { kind: 'map', offset: event.start, entries: new Map() };
    const anchor = event.anchorStart < 0 ? undefined : this.#slice(event.anchorStart, event.anchorEnd);
    this.#open.push({ node, anchor, before: this.#size, key: undefined });
  }

  #close(): void {
    const frame = this.#open.pop();
    if (frame === undefined) return; // the document's own end
    this.#grow({ nodes: 1, text: 0 });
    if (frame.anchor !== undefined) {
      const { nodes, text } = frame.before;
      const size = { nodes: this.#size.nodes - nodes, text: this.#size.text - text };
      this.#anchors.set(frame.anchor, { node: frame.node, size });
    }
    this.#place(frame.node);
  }

  #scalar(event: Extract<Event, { type: typeof EVENT_ID.SCALAR }>): void {
    const text = getScalarValue(this.#source, event);
    const tag = this.#checkTag(event.tagStart, event.tagEnd, SCALAR_TAGS);
    const plain = event.style === SCALAR_STYLE.PLAIN && tag === undefined;
    const offset = event.valueStart < 0 ? this.#unwritten() : event.valueStart;
    this.#end = Math.max(this.#end, event.valueEnd);
    const node: ScalarNode = { kind: 'scalar', offset, text, value: plain ? resolveScalar(text) : text };
    const size = { nodes: 1, text: text.length };
    if (event.anchorStart >= 0) {
      this.#anchors.set(this.#slice(event.anchorStart, event.anchorEnd), { node, size });
    }
    this.#grow(size);
    this.#place(node);
  }

  #alias(name: string, offset: number): void {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      const cyclic = this.#open.some((frame) => frame.anchor === name);
      this.#fail(
        offset,
        cyclic
          ? `The alias ${quote(name)} stands inside what it names; a chart is finite.`
          : `The alias ${quote(name)} names no anchor above it.`,
      );
      return;
    }
    this.#grow(target.size);
    this.#end = Math.max(this.#end, offset + name.length);
    this.#place(target.node, offset);
  }

  /** Puts a finished node where it belongs: a key, a value, an item, or the document itself. */
  #place(node: Node, offset = node.offset): void {
    if (this.#size.text > CHART_TEXT) {
      this.#fail(offset, `The chart has more than ${CHART_TEXT} characters, its aliases expanded.`);
      return;
    }
    if (this.#size.nodes > CHART_NODES) {
      this.#fail(offset, `The chart has more than ${CHART_NODES} parts, its aliases expanded.`);
      return;
    }
    const frame = this.#open.at(-1);
    if (frame === undefined) this.root = node;
    else if (frame.node.kind === 'list') frame.node.items.push(node);
    else if (frame.key === undefined) this.#placeKey(frame, node, offset);
    else {
      const { text, offset: keyOffset } = frame.key;
      // A duplicate was told when its key was read; the first one stays.
      if (!frame.node.entries.has(text)) frame.node.entries.set(text, { keyOffset, node });
      frame.key = undefined;
    }
  }

  #placeKey(frame: Frame, node: Node, offset: number): void {
    if (node.kind !== 'scalar') {
      this.#error(offset, 'A key must be a scalar, not a list or a mapping.');
      frame.key = { text: `\u0000${offset}`, offset };
      return;
    }
    if (frame.node.kind === 'map' && frame.node.entries.has(node.text)) {
      this.#error(offset, `The key ${quote(node.text)} stands here twice; remove one.`);
    }
    frame.key = { text: node.text, offset };
  }

  #grow({ nodes, text }: Size): void {
    this.#size = { nodes: this.#size.nodes + nodes, text: this.#size.text + text };
  }

  /** Where a value stands that is not written: at its list's dash, else behind its key. */
  #unwritten(): number {
    if (this.#open.at(-1)?.node.kind !== 'list') return this.#end;
    const dash = /(?:[\s:]|#.*)*-/y;
    dash.lastIndex = this.#end;
    const found = dash.exec(this.#source);
    if (found === null) return this.#end;
    this.#end = dash.lastIndex;
    return dash.lastIndex - 1;
  }

  /** @returns the tag, or undefined where there is none; an unknown one is an error. */
  #checkTag(start: number, end: number, known: ReadonlySet<string>): string | undefined {
    if (start < 0) return undefined;
    const tag = this.#slice(start, end);
    if (!known.has(tag)) {
      this.#error(start, `The tag ${quote(tag)} is not understood here; a chart is plain data. Remove it.`);
    }
    return tag;
  }

  #error(offset: number, message: string): void {
    this.#issues.error(this.#lines.at(offset), [], message);
  }

  /** An error behind which nothing sensible can follow. */
  #fail(offset: number, message: string): void {
    this.#error(offset, message);
    this.stopped = true;
  }

  #slice(start: number, end: number): string {
    return this.#source.slice(start, end);
  }
}

/** `!!str` and the non-specific `!` make text of a scalar; other tags would make it something else. */
const SCALAR_TAGS: ReadonlySet<string> = new Set(['!!str', '!']);
const COLLECTION_TAGS: ReadonlySet<string> = new Set(['!!map', '!!seq', '!']);

/** The YAML 1.2 core schema for a plain scalar: null, a boolean, a number, else text. */
function resolveScalar(text: string): string | number | boolean | null {
  for (const tag of [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag]) {
    const value = tag.resolve(text, false, tag.tagName);
    if (value !== NOT_RESOLVED) return value;
  }
  return text;
}

function toData(node: Node, done: Map<Node, Data>): Data {
  if (node.kind === 'scalar') return node.value;
  const known = done.get(node);
  if (known !== undefined) return known;
  const data = node.kind === 'list' ? node.items.map((item) => toData(item, done)) : toObject(node, done);
  done.set(node, data);
  return data;
}

function toObject(node: MapNode, done: Map<Node, Data>): Data {
  const object: Record<string, Data> = Object.create(null);
  for (const [key, { node: value }] of node.entries) object[dataKey(key)] = toData(value, done);
  return object;
}

/** Schemas pass over a key `__proto__` for fear of it, and what stands there would go unchecked. */
const PROTO = '__proto__';
const PROTO_IN_DATA = '\u0000__proto__';

function dataKey(text: string): string {
  return text === PROTO ? PROTO_IN_DATA : text;
}

/** @returns a key of a document's data as it is written in the text. */
export function keyText(key: string): string {
  return key === PROTO_IN_DATA ? PROTO : key;
}

/** Follows `path` as far as it goes. */
function find(
  root: Node,
  path: readonly PathStep[],
  part: 'key' | 'value',
): { node: Node; offset: number; complete: boolean } {
  let node = root;
  let offset = root.offset;
  for (const [i, step] of path.entries()) {
    const entry = node.kind === 'map' ? node.entries.get(keyText(String(step))) : undefined;
    const next = entry?.node ?? (node.kind === 'list' ? node.items[Number(step)] : undefined);
    if (next === undefined) return { node, offset, complete: false };
    node = next;
    const last = i === path.length - 1;
    offset = last && part === 'key' && entry !== undefined ? entry.keyOffset : next.offset;
  }
  return { node, offset, complete: true };
}

function utf8Length(text: string): number {
  // Each UTF-16 code unit takes at most three bytes: most texts need no second look.
  return text.length * 3 <= CHART_BYTES ? text.length : new TextEncoder().encode(text).length;
}
