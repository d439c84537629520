/** The difference of two charts, as a page shows it. */
import { raw } from 'hono/html';
import type { Block } from './line-diff.ts';
import { escaped } from './source-view.tsx';

/** Equal lines that are shown before and after a change. */
const CONTEXT = 3;

/** Lines of a difference that are shown: more than a person reads. */
const LINES_SHOWN = 2_000;

/** The lines that differ, with some lines around them. */
export function ChartDiff({ blocks }: { readonly blocks: readonly Block[] }) {
  const count = (kind: Block['kind']) =>
    blocks.reduce((sum, block) => sum + (block.kind === kind ? block.lines.length : 0), 0);
  const lines: string[] = [];
  for (const [i, block] of blocks.entries()) {
    if (lines.length > LINES_SHOWN) break;
    lines.push(...linesOfBlock(block, i === 0, i === blocks.length - 1));
  }
  const changed = count('added') + count('removed');
  return (
    <>
      <p>
        {linesText(count('added'))} added, {linesText(count('removed'))} removed:
      </p>
      <section class="scroll" aria-label="Difference" tabindex={0}>
        <pre class="diff">{raw(lines.slice(0, LINES_SHOWN).join('\n'))}</pre>
      </section>
      {lines.length > LINES_SHOWN ? (
        <p class="soft">Only the beginning of {linesText(changed)} is shown.</p>
      ) : null}
    </>
  );
}

function linesText(count: number): string {
  return count === 1 ? '1 line' : `${count} lines`;
}

/** Markup of the lines of a block; of equal lines, of those near a change. */
function linesOfBlock({ kind, lines: all }: Block, isFirst: boolean, isLast: boolean): string[] {
  const lines = kind === 'same' ? all : all.slice(0, LINES_SHOWN + 1);
  if (kind === 'removed') return lines.map((line) => `<del>- ${escaped(line)}</del>`);
  if (kind === 'added') return lines.map((line) => `<ins>+ ${escaped(line)}</ins>`);
  const [head, tail] = [isFirst ? 0 : CONTEXT, isLast ? 0 : CONTEXT];
  const hidden = lines.length - head - tail;
  if (hidden <= 1) return lines.map((line) => `  ${escaped(line)}`);
  return [
    ...lines.slice(0, head).map((line) => `  ${escaped(line)}`),
    `<i>⋮ ${hidden} equal lines</i>`,
    ...lines.slice(lines.length - tail).map((line) => `  ${escaped(line)}`),
  ];
}
