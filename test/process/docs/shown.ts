/** Whether what a page shows is what is printed. */

/** What no page can foretell; everything else is to be as shown. In the page's words, and in the printed ones. */
const LOOSE: readonly (readonly [shown: RegExp, printed: string])[] = [
  // A moment, as the service writes all of them.
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/, '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z'],
  // What is left out of a line. A line cannot be left out.
  [/…/, '.*'],
];

const ANY_LOOSE = new RegExp(LOOSE.map(([shown]) => shown.source).join('|'), 'g');

/**
 * For a comparison that shows both where it fails.
 *
 * @param printed line for line
 * @returns the printed lines, each as the page shows it where it is the same but for what is loose
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
