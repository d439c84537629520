/** Writes scalars so that YAML 1.1 (PyYAML, which the original uses) and YAML 1.2 read the same value. */
import type { ScalarNode } from './yaml-tree.ts';

/** Begins with a letter, and has no character with a meaning in YAML. */
const PLAIN = /^[\p{L}_/](?:[\p{L}\p{M}\p{N}_./+()%@ -]*[\p{L}\p{M}\p{N}_./+()%@-])?$/u;
/** YAML 1.1 reads these as booleans and nulls, in any case. */
const RESERVED = /^(?:y|n|yes|no|on|off|true|false|null)$/i;
/** One line without control characters. */
const PRINTABLE = /^[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]*$/u;
/** Characters that JSON does not escape, and that YAML does not allow or folds. */
const ESCAPED = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** @param style of the scalar that it replaces. Quotes are kept, and added if the text needs them. */
export function textScalar(text: string, style: ScalarNode['style'] = 'plain'): string {
  if ((style === 'plain' || style === 'block') && PLAIN.test(text) && !RESERVED.test(text)) return text;
  if (style === 'double' || !PRINTABLE.test(text)) {
    // JSON's quotes are YAML's double quotes.
    return JSON.stringify(text).replace(
      ESCAPED,
      (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
  }
  return `'${text.replaceAll("'", "''")}'`;
}

/** @returns a decimal number. An exponent follows a decimal point: PyYAML reads `1e-7` as text. */
export function numberScalar(value: number): string {
  const text = String(value);
  return text.includes('e') && !text.includes('.') ? text.replace('e', '.0e') : text;
}

/** @returns the YAML of a scalar of the document, for another place in the document. */
export function copiedScalar({ text, value, style }: ScalarNode): string {
  if (typeof value === 'string') return textScalar(text, style);
  return text === '' ? 'null' : text;
}
