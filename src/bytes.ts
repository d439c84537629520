/**
 * Whether a text has at most so many bytes of UTF-8. Most texts need not be encoded for that: a UTF-16 code unit takes
 * one to three bytes.
 */
export function fitsIn(bytes: number, text: string): boolean {
  if (text.length * 3 <= bytes) return true;
  return text.length <= bytes && encoder.encode(text).length <= bytes;
}

const encoder = new TextEncoder();
