/** Reads a document into nodes with their offsets and aliases resolved. Bounds its size with every alias expanded. */
import { type Alias, isAlias, isMap, isScalar, isSeq, type ParsedNode, Scalar } from 'yaml';
import { CHART_NODES, CHART_TEXT } from '../chart-limits.ts';
import type { Sliced } from '../sliced.ts';
import { type IssueList, quote } from './issue.ts';
import { type LineIndex, START } from './lines.ts';
import type { WrittenTag } from './yaml-lexemes.ts';
import { NO_KEY, readYaml } from './yaml-read.ts';

/** A range of the text: offsets in UTF-16 code units, the end exclusive. */
export interface Span {
  readonly offset: number;
  readonly end: number;
}

export interface ScalarNode extends Span {
  readonly kind: 'scalar';
  /** The start of its text: after the opening quote, if there is one. */
  readonly textOffset: number;
  /** As written, without quotes: `1.10` for the number 1.1. */
  readonly text: string;
  readonly value: string | number | boolean | null;
  readonly style: 'plain' | 'single' | 'double' | 'block';
}
interface ListNode extends Span {
  readonly kind: 'list';
  readonly items: readonly Place[];
}
export interface MapNode extends Span {
  readonly kind: 'map';
  /** In the order of the text. */
  readonly entries: ReadonlyMap<string, Entry>;
}
export type Node = ScalarNode | ListNode | MapNode;

/** A place in the document, and the node that is its value. */
export interface Place {
  readonly node: Node;
  /** The `*name`, if the place has an alias of the node. */
  readonly alias?: Span;
}

interface Entry extends Place {
  readonly keyOffset: number;
  readonly key: Place;
}

/**
 * Reads a text's one document into a tree.
 *
 * @param source without a byte order mark.
 * @param issues receives the errors: broken YAML (the first error only), more than one document, unknown tags, keys that
 *   are no scalars, duplicate keys, cyclic aliases, aliases without an anchor, and a crossed bound.
 * @returns undefined if there is no tree; with errors in `issues`, the part that could be read.
 */
export function* readTree(source: string, lines: LineIndex, issues: IssueList): Sliced<Node | undefined> {
  const reading = yield* readYaml(source);
  yield source.length * BUILDING;
  if (!reading.ok) {
    issues.error(lines.at(reading.fault.offset), [], reading.fault.message);
    return undefined;
  }
  checkTags(reading.tags, lines, issues);
  if (issues.full) return undefined;
  if (reading.root === undefined) {
    issues.error(START, [], 'The chart is empty.');
    return undefined;
  }
  try {
    return new TreeBuilder(lines, issues).place(reading.root).node;
  } catch (error) {
    if (error === STOP) return undefined;
    throw error;
  }
}

/** The units of building the tree of a character, and its data. */
const BUILDING = 1 / 100;

/** Thrown to stop after an error, when further errors would mean nothing. */
const STOP = Symbol('stop');

/** `!!str` and the non-specific `!` turn a scalar into text. Other tags would make more than data. */
const SCALAR_TAGS: ReadonlySet<string> = new Set(['!', 'tag:yaml.org,2002:str']);
const KNOWN_TAGS: ReadonlySet<string> = new Set(['!', '!!str', '!!map', '!!seq']);

function checkTags(tags: readonly WrittenTag[], lines: LineIndex, issues: IssueList): void {
  for (const { offset, source } of tags) {
    if (!KNOWN_TAGS.has(source)) issues.error(lines.at(offset), [], unknownTag(source));
    if (issues.full) return;
  }
}

function unknownTag(tag: string): string {
  return `The tag ${quote(tag)} is not supported; a chart is plain data. Remove it.`;
}

const STYLES: { readonly [type in Scalar.Type]: ScalarNode['style'] } = {
  [Scalar.PLAIN]: 'plain',
  [Scalar.QUOTE_SINGLE]: 'single',
  [Scalar.QUOTE_DOUBLE]: 'double',
  [Scalar.BLOCK_FOLDED]: 'block',
  [Scalar.BLOCK_LITERAL]: 'block',
};

/** The size of a part of a document, with every alias expanded. */
interface Size {
  readonly nodes: number;
  /** Characters of its scalars, including keys. */
  readonly text: number;
}

class TreeBuilder {
  readonly #lines: LineIndex;
  readonly #issues: IssueList;
  readonly #anchors = new Map<string, { readonly node: Node; readonly size: Size }>();
  /** Anchors of the collections around the current node. */
  readonly #open: string[] = [];
  #nodes = 0;
  #text = 0;
  /** The end of the last node that was built. */
  #end = 0;

  constructor(lines: LineIndex, issues: IssueList) {
    this.#lines = lines;
    this.#issues = issues;
  }

  place(parsed: ParsedNode): Place {
    const [offset, end] = parsed.range;
    this.#end = end;
    if (isAlias(parsed)) return this.#alias(parsed.source, { offset, end });
    const before = { nodes: this.#nodes, text: this.#text };
    const { anchor } = parsed;
    if (anchor !== undefined) this.#open.push(anchor);
    const node = this.#node(parsed, { offset, end });
    if (anchor !== undefined) {
      this.#open.pop();
      const size = { nodes: this.#nodes - before.nodes, text: this.#text - before.text };
      this.#anchors.set(anchor, { node, size });
    }
    return { node };
  }

  #node(parsed: Exclude<ParsedNode, Alias.Parsed>, span: Span): Node {
    if (isScalar(parsed)) return this.#scalar(parsed, span);
    const tag = isMap(parsed) ? 'tag:yaml.org,2002:map' : 'tag:yaml.org,2002:seq';
    if (parsed.tag !== undefined && parsed.tag !== tag) this.#wrongTag(parsed.tag, span.offset);
    this.#grow({ nodes: 1, text: 0 }, span.offset);
    if (isSeq(parsed)) return { kind: 'list', ...span, items: parsed.items.map((item) => this.place(item)) };
    const entries = new Map<string, Entry>();
    for (const { key, value } of parsed.items) this.#entry(entries, key, value);
    return { kind: 'map', ...span, entries };
  }

  #scalar({ source = '', value, type, tag }: Scalar.Parsed, span: Span): ScalarNode {
    this.#grow({ nodes: 1, text: source.length }, span.offset);
    if (tag !== undefined && !SCALAR_TAGS.has(tag)) this.#wrongTag(tag, span.offset);
    const style = STYLES[type ?? Scalar.PLAIN];
    const textOffset = span.offset + (style === 'single' || style === 'double' ? 1 : 0);
    return {
      kind: 'scalar',
      ...span,
      textOffset,
      text: source,
      value: isSimple(value) ? value : source,
      style,
    };
  }

  #entry(entries: Map<string, Entry>, key: ParsedNode, value: ParsedNode | null): void {
    const place = this.place(key);
    const keyOffset = place.alias === undefined ? startOf(place.node) : place.alias.offset + 1;
    const keyEnd = this.#end;
    if (place.node.kind !== 'scalar') {
      this.#error(keyOffset, NO_KEY);
    }
    const name = place.node.kind === 'scalar' ? place.node.text : `\u0000${keyOffset}`;
    const isDuplicate = entries.has(name);
    if (isDuplicate) this.#error(keyOffset, `The key ${quote(name)} is in this mapping twice; remove one.`);
    const found = value === null ? { node: this.#unwritten(keyEnd) } : this.place(value);
    // The first one stays.
    if (!isDuplicate) entries.set(name, { ...found, keyOffset, key: place });
  }

  /** The value of a key without one, as in `{a, b}`. */
  #unwritten(offset: number): ScalarNode {
    this.#grow({ nodes: 1, text: 0 }, offset);
    return { kind: 'scalar', offset, end: offset, textOffset: offset, text: '', value: null, style: 'plain' };
  }

  #alias(name: string, span: Span): Place {
    const offset = span.offset + 1;
    if (this.#open.includes(name)) {
      this.#fail(offset, `The alias ${quote(name)} is inside the node that it names.`);
    }
    const target = this.#anchors.get(name);
    if (target === undefined) this.#fail(offset, `The alias ${quote(name)} names no anchor above it.`);
    this.#grow(target.size, offset);
    return { node: target.node, alias: span };
  }

  #grow({ nodes, text }: Size, offset: number): void {
    this.#nodes += nodes;
    this.#text += text;
    if (this.#text > CHART_TEXT) {
      this.#fail(offset, `The chart has more than ${CHART_TEXT} characters, its aliases expanded.`);
    }
    if (this.#nodes > CHART_NODES) {
      this.#fail(offset, `The chart has more than ${CHART_NODES} parts, its aliases expanded.`);
    }
  }

  #wrongTag(tag: string, offset: number): void {
    const short = tag.replace('tag:yaml.org,2002:', '!!');
    // `checkTags` has reported an unknown tag.
    if (KNOWN_TAGS.has(short)) this.#error(offset, unknownTag(short));
  }

  #error(offset: number, message: string): void {
    this.#issues.error(this.#lines.at(offset), [], message);
    if (this.#issues.full) throw STOP;
  }

  #fail(offset: number, message: string): never {
    this.#error(offset, message);
    throw STOP;
  }
}

/** @returns the offset that errors about a node refer to. */
export function startOf(node: Node): number {
  return node.kind === 'scalar' ? node.textOffset : node.offset;
}

function isSimple(value: unknown): value is ScalarNode['value'] {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
