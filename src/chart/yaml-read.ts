/**
 * Reads YAML text into the nodes of the `yaml` package, with bounds that hold while reading.
 *
 * The package's own `parseDocument` has no bounds. Its parts are public: its lexer is a generator and its parser takes one
 * lexeme at a time, so reading stops after `CHART_TOKENS` lexemes and at `CHART_DEPTH` collections inside each other. It also
 * stops at the first error, since a hostile text can have one per byte.
 */
import { Composer, type CST, type ErrorCode, isScalar, type ParsedNode, Parser } from 'yaml';
import { CHART_DEPTH } from '../chart-limits.ts';
import type { Sliced } from '../sliced.ts';
import { describeFault } from './yaml-faults.ts';
import { type Fault, Stop, splitText, type WrittenTag } from './yaml-lexemes.ts';

export type YamlReading =
  | {
      readonly ok: true;
      /** Undefined for a text without a document. */
      readonly root: ParsedNode | undefined;
      readonly tags: readonly WrittenTag[];
    }
  | { readonly ok: false; readonly fault: Fault };

/**
 * Reads the one document of a text: YAML 1.2, core schema.
 *
 * @param source without a byte order mark.
 */
export function* readYaml(source: string): Sliced<YamlReading> {
  try {
    return yield* new Reader(source).read();
  } catch (error) {
    if (error instanceof Stop) return { ok: false, fault: error.fault };
    throw error;
  }
}

const COLLECTIONS: ReadonlySet<string | undefined> = new Set(['block-map', 'block-seq', 'flow-collection']);

/** The message for a key that is a list or a mapping. */
export const NO_KEY = 'A key must be a scalar, not a list or a mapping.';

/** The units of splitting a character, and of parsing a lexeme, which is composed as well. */
const SPLITTING = 1 / 100;
const PARSING = 1 / 20;

class Reader {
  readonly #source: string;
  readonly #parser = new Parser();
  readonly #composer: Composer;
  #documents = 0;
  #stop: Stop | undefined;

  constructor(source: string) {
    this.#source = source;
    // `uniqueKeys` compares each key with each other one; duplicates are found when the tree is built.
    this.#composer = new Composer({
      schema: 'core',
      resolveKnownTags: false,
      uniqueKeys: false,
      merge: false,
    });
    // The composer reports errors to `onError` and goes on. The package has no option to stop it, so `onError` throws.
    Object.assign(this.#composer, { onError: this.#composing });
  }

  *read(): Sliced<YamlReading> {
    yield this.#source.length * SPLITTING;
    const { lexemes, tags } = splitText(this.#source);
    for (const lexeme of lexemes) {
      yield PARSING;
      if (lexeme === ':') this.#checkKey();
      for (const token of this.#parser.next(lexeme)) this.#take(token);
      this.#checkStack();
    }
    yield lexemes.length * PARSING;
    for (const token of this.#parser.end()) this.#take(token);
    const [document] = this.#composer.end();
    const root = document?.contents;
    const isEmpty = !root || (isScalar(root) && root.value === null && root.source === '');
    return { ok: true, root: isEmpty ? undefined : root, tags };
  }

  /**
   * Refuses a list or mapping in brackets as a key before it is composed: the package searches all of a key for line
   * ends, once per level of nesting.
   */
  #checkKey(): void {
    const top = this.#parser.stack.at(-1);
    if (top?.type !== 'flow-collection') return;
    const last = top.items.at(-1);
    const key = top.end.length > 0 ? top : last?.value === undefined ? last?.key : undefined;
    if (key?.type === 'flow-collection') throw new Stop(key.offset, NO_KEY);
  }

  #checkStack(): void {
    const { stack, offset } = this.#parser;
    // The first entry is the document; the last can be a scalar.
    const depth = COLLECTIONS.has(stack.at(-1)?.type) ? stack.length - 1 : stack.length - 2;
    if (depth > CHART_DEPTH) {
      throw new Stop(
        offset - 1,
        `The depth of the nesting is bounded: at most ${CHART_DEPTH} mappings and lists can be inside each other.`,
      );
    }
    if (this.#documents > 0 && stack[0]?.type === 'document') {
      throw new Stop(
        stack[0].offset,
        'There is more than one document; a chart is one. Remove the `---` between them.',
      );
    }
  }

  #take(token: CST.Token): void {
    if (token.type === 'error') this.#fail(token.offset, 'UNEXPECTED_TOKEN', token.message);
    if (token.type === 'document') this.#documents += 1;
    // Tokens outside of the document are no data; a document end without a document is ignored.
    const isData = token.type === 'document' || (token.type === 'doc-end' && this.#documents > 0);
    if (!isData && token.type !== 'directive') return;
    for (const _ of this.#composer.next(token)) throw new Error('the composer handed out a second document');
  }

  /** Receives the composer's errors. The composer catches what this throws and reports it again: the first one counts. */
  readonly #composing = (at: ErrorPlace, code: ErrorCode, message: string, isWarning?: boolean): void => {
    // YAML bounds keys so that a parser need not search far for a `:`. Here the text is bounded as a whole.
    if (isWarning || code === 'KEY_OVER_1024_CHARS') return;
    const offset = typeof at === 'number' ? at : 'offset' in at ? at.offset : at[0];
    this.#fail(offset, code, message);
  };

  #fail(offset: number, code: ErrorCode, message: string): never {
    if (this.#stop === undefined) {
      const fault = describeFault({ offset, code, message }, this.#source);
      this.#stop = new Stop(fault.offset, fault.message);
    }
    throw this.#stop;
  }
}

type ErrorPlace = number | [number, number] | [number, number, number] | { readonly offset: number };
