/** Splits YAML text into lexemes, which the `yaml` package parses. Counts them, and checks what its lexer does not. */
import { Lexer } from 'yaml';
import { CHART_TOKENS } from '../chart-limits.ts';

/** The reason why a text cannot be read, in one sentence, and its offset. */
export interface Fault {
  readonly offset: number;
  readonly message: string;
}

/** A tag of the text, such as `!!str`. */
export interface WrittenTag {
  readonly offset: number;
  readonly source: string;
}

/** Thrown to stop reading, also from the package's callbacks. It is no `Error`: the stack of one took 50 µs. */
export class Stop {
  readonly fault: Fault;

  constructor(offset: number, message: string) {
    this.fault = { offset, message };
  }
}

/** Control characters that the lexer puts between lexemes. The package exports them only together with much other code. */
const DOCUMENT = '\u0002';
const FLOW_END = '\u0018';
const SCALAR = '\u001f';

/** The text in pieces without gaps, with the lexer's control characters between them, and the tags among them. */
export interface Lexemes {
  readonly lexemes: readonly string[];
  readonly tags: readonly WrittenTag[];
}

/**
 * Splits a text. The whole text is split before parsing begins: splitting takes a fifth of the time of parsing.
 *
 * @throws Stop for too many lexemes, and for characters, quotes and directives that no chart can have.
 */
export function splitText(source: string): Lexemes {
  const lexemes: string[] = [];
  const tags: WrittenTag[] = [];
  // Tested once for the text; only a text that has one is searched lexeme by lexeme.
  const isUnprintable = UNPRINTABLE.test(source);
  let isPlain = false;
  let offset = 0;
  for (const lexeme of new Lexer().lex(source)) {
    lexemes.push(lexeme);
    if (lexemes.length > CHART_TOKENS) throw new Stop(offset, TOO_MANY);
    const isSign: boolean = !isPlain && (lexeme === DOCUMENT || lexeme === FLOW_END || lexeme === SCALAR);
    if (!isSign) {
      if (isUnprintable) checkCharacters(lexeme, offset, isPlain);
      if (!isPlain) {
        if (lexeme[0] === '!') tags.push({ offset, source: lexeme });
        else checkStart(lexeme, offset);
      }
      offset += lexeme.length;
    }
    // The lexer announces a scalar without quotes, which can begin with any character.
    isPlain = isSign && lexeme === SCALAR;
  }
  return { lexemes, tags };
}

const TOO_MANY = `The chart has more than ${CHART_TOKENS} words, signs and spaces; make it smaller.`;

function checkStart(lexeme: string, offset: number): void {
  if (isUnclosed(lexeme)) {
    throw new Stop(
      offset,
      `This is not YAML: the quote that opens here is not closed; end the text with ${lexeme[0]}.`,
    );
  }
  if (lexeme[0] === '%' && !/^%YAML[ \t]/.test(lexeme)) {
    throw new Stop(
      offset,
      'A line that begins with `%` is a directive, and a chart has none but `%YAML 1.2`; remove it.',
    );
  }
}

/**
 * Characters that YAML 1.2 (section 5.1) does not allow. Those from U+007F are allowed in quotes, as in JSON.
 * With the flag `u`, only a lone surrogate matches.
 */
const UNPRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ud800-\udfff\ufffe\uffff]/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/;

function checkCharacters(lexeme: string, offset: number, isPlain: boolean): void {
  const isQuoted = !isPlain && (lexeme[0] === '"' || lexeme[0] === "'");
  const found = (isQuoted ? CONTROL : UNPRINTABLE).exec(lexeme);
  if (found === null) return;
  const code = found[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  throw new Stop(
    offset + found.index,
    `This is not YAML: the character U+${code} is not allowed here; write \`\\u${code}\` in double quotes.`,
  );
}

/**
 * Whether a lexeme is a quoted text without its closing quote. The package itself accepts `"a\"` and `'a''` as closed.
 */
function isUnclosed(lexeme: string): boolean {
  const quote = lexeme[0];
  if (quote !== '"' && quote !== "'") return false;
  let last = lexeme.length - 1;
  if (last === 0 || lexeme[last] !== quote) return true;
  const sign = quote === '"' ? '\\' : "'";
  if (quote === '"') last -= 1;
  let signs = 0;
  while (last - signs > 0 && lexeme[last - signs] === sign) signs += 1;
  // Single quotes: pairs are escaped quotes, and an odd one is the end. Backslashes: pairs escape each other.
  return quote === '"' ? signs % 2 === 1 : signs % 2 === 0;
}
