/** The difference of two texts by lines: right for every pair, short for usual ones, and bounded for the meanest. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHART_BYTES, CHART_LINES } from '../../src/chart-limits.ts';
import { type Block, diffLines, linesOf } from '../../src/view/line-diff.ts';
import { allowed, TIMED } from '../slowness.ts';

/** The one text, or the other, as the blocks have it. */
function textOf(blocks: readonly Block[], side: 'removed' | 'added'): readonly string[] {
  return blocks.flatMap(({ kind, lines }) => (kind === 'same' || kind === side ? lines : []));
}

function edits(blocks: readonly Block[]): number {
  return blocks.reduce((sum, { kind, lines }) => sum + (kind === 'same' ? 0 : lines.length), 0);
}

/** The least number of edits, by the longest common subsequence. */
function leastEdits(a: readonly string[], b: readonly string[]): number {
  let row = Array.from({ length: b.length + 1 }, () => 0);
  for (const line of a) {
    const next = [0];
    for (const [j, other] of b.entries())
      next.push(line === other ? (row[j] ?? 0) + 1 : Math.max(row[j + 1] ?? 0, next[j] ?? 0));
    row = next;
  }
  return a.length + b.length - 2 * (row[b.length] ?? 0);
}

const lines = fc.array(fc.constantFrom('a', 'b', 'c', '', '  on: {update: x}'), { maxLength: 40 });

describe('the difference of two texts', () => {
  it('has both texts in it, and as few edits as can be', () => {
    fc.assert(
      fc.property(lines, lines, (a, b) => {
        const [before, after] = [
          a.map((line) => `${line}\n`).join(''),
          b.map((line) => `${line}\n`).join(''),
        ];
        const blocks = diffLines(before, after);
        expect(textOf(blocks, 'removed')).toEqual(linesOf(before));
        expect(textOf(blocks, 'added')).toEqual(linesOf(after));
        expect(edits(blocks)).toBe(leastEdits(a, b));
        expect(blocks.every(({ kind }, i) => kind !== blocks[i + 1]?.kind)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('shows a changed line as removed and added, in its place', () => {
    expect(diffLines('a\nb\nc\n', 'a\nB\nc')).toEqual([
      { kind: 'same', lines: ['a'] },
      { kind: 'removed', lines: ['b'] },
      { kind: 'added', lines: ['B'] },
      { kind: 'same', lines: ['c'] },
    ]);
    expect(diffLines('a\n', 'a\n')).toEqual([{ kind: 'same', lines: ['a'] }]);
    expect(diffLines('', '')).toEqual([]);
  });

  it('finds what is equal between more edits than a stage has', () => {
    const before = Array.from({ length: 3_000 }, (_, i) => `line ${i}`);
    const after = before.map((line, i) => (i % 3 === 0 ? `other ${i}` : line));
    const blocks = diffLines(before.join('\n'), after.join('\n'));
    expect(textOf(blocks, 'added')).toEqual(after);
    expect(edits(blocks)).toBe(2_000);
  });
});

describe('the meanest pairs', () => {
  const short = (make: (i: number) => string) => {
    let text = '';
    for (let i = 0; i < CHART_LINES && text.length < CHART_BYTES - 8; i++) text += `${make(i)}\n`;
    return text;
  };
  let seed = 7;
  const random = (most: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed % most;
  };
  const pairs: readonly (readonly [name: string, before: string, after: string])[] = [
    ['no line in common', short((i) => `${i}a`), short((i) => `${i}b`)],
    ['two lines at random', short(() => 'ab'.charAt(random(2))), short(() => 'ab'.charAt(random(2)))],
    ['many lines at random', short(() => `${random(999)}`), short(() => `${random(999)}`)],
    ['all lines equal, and one more', short(() => ''), `x\n${short(() => '')}`],
    ['more lines than a chart has', '\n'.repeat(CHART_BYTES), 'x\n'.repeat(CHART_BYTES / 2)],
    [
      'the reverse',
      short((i) => `${i}`),
      short((i) => `${i}`)
        .split('\n')
        .reverse()
        .join('\n'),
    ],
    ['blocks that have moved', short((i) => `${i % 7}`), short((i) => `${(i * 3) % 11}`)],
  ];

  it.each(pairs)('take less than 100 ms: %s', TIMED, (_, before, after) => {
    const began = performance.now();
    const blocks = diffLines(before, after);
    const took = performance.now() - began;
    expect(textOf(blocks, 'removed').join('\n') === linesOf(before).join('\n')).toBe(true);
    expect(textOf(blocks, 'added').join('\n') === linesOf(after).join('\n')).toBe(true);
    expect(took).toBeLessThan(allowed(took, 100));
  });
});
