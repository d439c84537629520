/** Compares the output that a page shows with the printed output. */

/** Parts that differ from run to run: as the page shows them, and as a pattern of the printed text. All else must be equal. */
const LOOSE: readonly (readonly [shown: RegExp, printed: string])[] = [
  // A time, as the service writes it.
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/, '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z'],
  // Left-out text within a line. A whole line cannot be left out.
  [/…/, '.*'],
];

const ANY_LOOSE = new RegExp(LOOSE.map(([shown]) => shown.source).join('|'), 'g');

/**
 * Makes printed lines comparable, so that a failed comparison shows both texts.
 *
 * @param printed line by line
 * @returns the printed lines; a line that matches the shown line is replaced by it
 */
export function asShown(printed: readonly string[], shown: readonly string[]): readonly string[] {
  return printed.map((line, i) => {
    const expected = shown[i];
    return expected !== undefined && patternOf(expected).test(line) ? expected : line;
  });
}

function patternOf(shown: string): RegExp {
  let pattern = '';
  let from = 0;
  for (const { 0: loose, index } of shown.matchAll(ANY_LOOSE)) {
    pattern += literally(shown.slice(from, index));
    pattern += LOOSE.find(([form]) => form.test(loose))?.[1] ?? '';
    from = index + loose.length;
  }
  return new RegExp(`^${pattern}${literally(shown.slice(from))}$`);
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
