/** The text of a chart with line numbers. */
import { raw } from 'hono/html';
import { linesOf } from './line-diff.ts';

/**
 * Each line has an anchor: `#L12`. Written as text and not as elements, because a chart has up to 20,000 lines. The numbers
 * are links for the pointer alone: 20,000 stops would make the keyboard useless.
 */
export function ChartSource({ text }: { readonly text: string }) {
  const lines = linesOf(text).map((line, i) => {
    const anchor = `L${i + 1}`;
    return `<span id="${anchor}"><a href="#${anchor}" tabindex="-1" aria-hidden="true"></a>${escaped(line)}\n</span>`;
  });
  return (
    <section class="scroll" aria-label="Lines" tabindex={0}>
      <pre class="source">{raw(lines.join(''))}</pre>
    </section>
  );
}

/** @returns a text as the content of an element. */
export function escaped(text: string): string {
  return /[&<>"]/.test(text)
    ? text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
    : text;
}
