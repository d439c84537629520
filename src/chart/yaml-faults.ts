/** Words the errors of the `yaml` package: each message says how to correct the text. */
import type { ErrorCode } from 'yaml';
import type { Fault } from './yaml-lexemes.ts';

/** An error as the package reports it. */
interface Report {
  readonly offset: number;
  readonly code: ErrorCode;
  readonly message: string;
}

/** A report with the text around its offset. */
interface Sight extends Report {
  readonly source: string;
  /** Offset of the next character that is no space or line end, at the report's offset or after it. */
  readonly next: number;
  /** From the report's offset to the end of its line. */
  readonly rest: string;
}

/** The message, and the offset to show it at if not the report's. */
type Wording = readonly [reason: string, offset?: number];

/** Words a report of the package, and moves it to the place where the text must be changed. */
export function describeFault(report: Report, source: string): Fault {
  const sight: Sight = {
    ...report,
    source,
    next: nextSign(source, report.offset),
    rest: restOfLine(source, report.offset),
  };
  const [reason, offset = report.offset] = WORDINGS[report.code]?.(sight) ?? [inSentence(report.message)];
  return { offset: Math.min(offset, source.length), message: `This is not YAML: ${reason}.` };
}

const FITS_NOTHING =
  'the indentation of this line fits nothing above it; align it with the lines that it belongs to';
const COMMA_TOO_MANY = 'a comma is too many here; remove it';

const WORDINGS: { readonly [code in ErrorCode]?: (sight: Sight) => Wording } = {
  TAB_AS_INDENT: () => ['a tab indents this line; indent with spaces'],
  BAD_INDENT: (sight) => {
    if (sight.message.includes('end with a')) return notClosed(sight);
    if (sight.message.includes('mapping items'))
      return [
        'the keys of one mapping must begin in the same column; align this one with those above it',
        sight.next,
      ];
    if (sight.message.includes('sequence items'))
      return [
        'the items of one list must begin in the same column; align this `-` with those above it',
        sight.next,
      ];
    return [`${inSentence(sight.message)}; indent this line further`];
  },
  BLOCK_AS_IMPLICIT_KEY: (sight) => {
    if (sight.message.includes('sequence')) return [FITS_NOTHING, sight.next];
    const colon = /:(?=\s|$)/.exec(sight.rest);
    if (colon !== null)
      return [
        'a second `:` follows on this line; put quotes around the value, or begin the mapping on the next line',
        sight.offset + colon.index,
      ];
    return [
      'this line is indented further than the key above it, which has its value already; align the two',
      nextSign(sight.source, sight.offset + sight.rest.length),
    ];
  },
  MULTILINE_IMPLICIT_KEY: (sight) => keyWithoutColon(sight),
  BLOCK_IN_FLOW: ({ next }) => [
    'a comma is missing between two parts of this list or mapping, or quotes around a text with `: `',
    next,
  ],
  MISSING_CHAR: (sight) => {
    const { message, next } = sight;
    if (message.includes('Missing ,')) return ['a comma is missing before this', next];
    if (message.includes('end with a')) return notClosed(sight);
    if (message.includes('followed by map values')) return keyWithoutColon(sight);
    if (message.startsWith('Comments must')) return ['a comment needs a space before its `#`'];
    if (message.includes('space after :')) return ['a space is missing after this `:`'];
    if (message.includes('without - indicator'))
      return ['this item of a list has no `-`; begin its line with one', next];
    return [inSentence(message)];
  },
  UNEXPECTED_TOKEN: (sight) => {
    const { message, source, offset, next } = sight;
    if (/Unexpected (?:, in|empty item)/.test(message)) return [COMMA_TOO_MANY, next];
    const sign = source[offset];
    if (/flow-(?:map|seq)-end/.test(message))
      return [`this \`${sign}\` closes nothing; remove it, or put quotes around the text`];
    if (message.includes('same line with key'))
      return ['a list cannot begin on the line of its key; begin it on the next line'];
    if (message.includes('Block scalar header'))
      return [
        'the text of a `|` or `>` begins on the next line, and only `+`, `-` or a digit can follow the sign',
      ];
    if (isIndentation(source, offset)) return [FITS_NOTHING, next];
    if (sign === ':') return ['a space is missing after this `:`'];
    if (source[offset - 1] === "'")
      return ["the text ended at the quote before this; inside of single quotes write '' for one"];
    return [
      'the value ended before this; put quotes around the whole value, or write this on a line of its own',
      next,
    ];
  },
  BAD_DQ_ESCAPE: ({ rest }) => [
    `${JSON.stringify(rest.slice(0, 2)).slice(1, -1).replace('\\\\', '\\')} is no escape; write \\\\ for a backslash`,
  ],
  BAD_SCALAR_START: ({ source, offset }) => [
    `a text cannot begin with \`${source[offset]}\`; put quotes around it`,
  ],
  BAD_ALIAS: () => [
    'an anchor (`&`) or alias (`*`) has no name; put quotes around a text that begins with these signs',
  ],
};

/** Describes a list or mapping in brackets without its end. */
function notClosed({ message, source, offset, next }: Sight): Wording {
  const [, end = ']'] = /end with a (.)/.exec(message) ?? [];
  const what = end === ']' ? 'list' : 'mapping';
  const found = source[next];
  return found === ']' || found === '}'
    ? [`a \`${end}\` is missing before this \`${found}\``, next]
    : [
        `this ${what} is not closed; end it with \`${end}\`, and indent its lines further than its key`,
        source.slice(0, offset).trimEnd().length,
      ];
}

function keyWithoutColon({ source, offset, next, rest }: Sight): Wording {
  const glued = /^[^\s:]+:(?=[^\s:/])/.exec(rest);
  if (glued !== null) return ['a space is missing after this `:`', offset + glued[0].length - 1];
  if (source[next] === '-' || isIndentation(source, offset) === false) return [FITS_NOTHING, next];
  return ['a `:` and a value are missing after this key, or its text goes on where it should not', next];
}

/** Whether there are only spaces before `offset` on its line. */
function isIndentation(source: string, offset: number): boolean {
  const start = source.lastIndexOf('\n', offset - 1) + 1;
  return source.slice(start, offset).trim() === '';
}

function nextSign(source: string, offset: number): number {
  const sign = /\S/g;
  sign.lastIndex = offset;
  return sign.exec(source)?.index ?? offset;
}

function restOfLine(source: string, offset: number): string {
  const end = source.indexOf('\n', offset);
  return source.slice(offset, end === -1 ? source.length : end);
}

/** @returns the package's own message, for use after a colon. */
function inSentence(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1).replace(/\.$/, '');
}
