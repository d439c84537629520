/**
 * Replaces scalars in a YAML text and keeps everything else as written: comments, order, layout, quotes.
 *
 * An alias has the value of its anchor. If only one of the two changes, the alias is replaced by the value.
 */
import type { Sliced } from '../sliced.ts';
import { IssueList } from './issue.ts';
import { LineIndex } from './lines.ts';
import { copiedScalar } from './yaml-scalar.ts';
import { type Node, type Place, readTree, type ScalarNode, type Span } from './yaml-tree.ts';

/** The change at a place: of a scalar, or of places inside a list or mapping, by index or key. */
export type Change = Replacement | Inner;

/** @returns the new scalar as one line of YAML; undefined to keep the present one. */
export type Replacement = (present: ScalarNode, root: Node) => string | undefined;

export type Inner = ReadonlyMap<string | number, Change>;

/**
 * Changes the scalars of a document.
 *
 * @param text a valid document.
 * @param change of the document itself. The places that it names must exist; those with a replacement must be scalars.
 */
export function* changeScalars(text: string, change: Inner): Sliced<string> {
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : '';
  const source = text.slice(mark.length);
  const issues = new IssueList();
  const root = yield* readTree(source, new LineIndex(source), issues);
  if (root === undefined) throw new Error(`a stored text is not YAML: ${issues.errors[0]?.message}`);
  yield text.length * EDITING;
  return mark + new Editor(source, root).change(change);
}

/** The units of editing a character. */
const EDITING = 1 / 200;

interface Edit extends Span {
  readonly text: string;
}

class Editor {
  readonly #source: string;
  readonly #root: Node;
  /** In the order of the text. */
  readonly #edits: Edit[] = [];
  /** Nodes in which a scalar was replaced: an alias of such a node would have the new value. */
  readonly #changed = new Set<Node>();

  constructor(source: string, root: Node) {
    this.#source = source;
    this.#root = root;
  }

  change(change: Inner): string {
    this.#place({ node: this.#root }, change);
    let end = 0;
    const parts: string[] = [];
    for (const edit of this.#edits) {
      parts.push(this.#source.slice(end, edit.offset), edit.text);
      end = edit.end;
    }
    return parts.join('') + this.#source.slice(end);
  }

  #place({ node, alias }: Place, change: Change | undefined): boolean {
    if (alias !== undefined) {
      const isOther = change !== undefined && this.#differs(node, change);
      if (!isOther && !this.#changed.has(node)) return false;
      this.#edits.push({ ...alias, text: this.#flow(node, change) });
      return isOther;
    }
    const isChanged = this.#node(node, change);
    if (isChanged) this.#changed.add(node);
    return isChanged;
  }

  #node(node: Node, change: Change | undefined): boolean {
    if (node.kind === 'scalar') return this.#scalar(node, change);
    let isChanged = false;
    const inner = innerOf(change);
    if (node.kind === 'list') {
      for (const [i, item] of node.items.entries()) if (this.#place(item, inner?.get(i))) isChanged = true;
      return isChanged;
    }
    for (const [name, entry] of node.entries) {
      this.#place(entry.key, undefined);
      if (this.#place(entry, inner?.get(name))) isChanged = true;
    }
    return isChanged;
  }

  #scalar(node: ScalarNode, change: Change | undefined): boolean {
    const text = typeof change === 'function' ? change(node, this.#root) : undefined;
    if (text === undefined) return false;
    this.#edits.push({ offset: node.offset, end: node.end, text: this.#fitted(node, text) });
    return true;
  }

  /** @returns the new text of a scalar, fitted to what is around it. */
  #fitted({ offset, end, style }: ScalarNode, text: string): string {
    if (style === 'block') {
      // The text of a `|` ends with its line; a comment can follow the sign.
      const written = this.#source.slice(offset, end);
      const [, comment = ''] = /^[|>][-+\d]*([^\n]*)/.exec(written) ?? [];
      const [lineEnd = ''] = /\r?\n$/.exec(written) ?? [];
      return text + comment.trimEnd() + lineEnd;
    }
    // The value is empty, and a tag or an anchor can be right before it.
    const isGlued = offset === end && /\S/.test(this.#source[offset - 1] ?? ' ');
    return isGlued ? ` ${text}` : text;
  }

  /** Whether a change alters the data of a node. */
  #differs(node: Node, change: Change): boolean {
    if (typeof change === 'function') {
      return node.kind === 'scalar' && change(node, this.#root) !== undefined;
    }
    for (const [step, inner] of change) {
      const place = childOf(node, step);
      if (place !== undefined && this.#differs(place.node, inner)) return true;
    }
    return false;
  }

  /** @returns a node's data on one line, in flow style. */
  #flow(node: Node, change?: Change): string {
    if (node.kind === 'scalar') {
      const text = typeof change === 'function' ? change(node, this.#root) : undefined;
      return text ?? copiedScalar(node);
    }
    const inner = innerOf(change);
    if (node.kind === 'list')
      return `[${node.items.map((item, i) => this.#flow(item.node, inner?.get(i))).join(', ')}]`;
    return `{${[...node.entries]
      .map(
        ([name, { key, node: value }]) => `${this.#flow(key.node)}: ${this.#flow(value, inner?.get(name))}`,
      )
      .join(', ')}}`;
  }
}

function innerOf(change: Change | undefined): Inner | undefined {
  return typeof change === 'function' ? undefined : change;
}

function childOf(node: Node, step: string | number): Place | undefined {
  if (node.kind === 'list') return node.items[Number(step)];
  return node.kind === 'map' ? node.entries.get(String(step)) : undefined;
}

/** @returns the node at a path, through aliases. */
export function nodeAt(node: Node | undefined, path: readonly (string | number)[]): Node | undefined {
  return path.reduce<Node | undefined>((found, step) => found && childOf(found, step)?.node, node);
}
