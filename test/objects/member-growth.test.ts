/** Lists of members of two sizes, hostile ones too: reading, sorting and selecting take no more time per character for the larger one. */
import { describe, expect, it } from 'vitest';
import { readChart } from '../../src/chart/chart.ts';
import { membersIn } from '../../src/chart/selections.ts';
import { readMemberList } from '../../src/member-list.ts';
import { namesInOrder } from '../../src/objects/prepared-members.ts';
import { type Family, fasterThanText } from '../chart/hostile.ts';
import { IS_LONG } from '../fuzz.ts';
import { allowed } from '../slowness.ts';

const lines = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');
const SIZES = [50, 200, 800, 3_200, 9_600];

const FAMILIES: readonly Family[] = [
  { name: 'members', make: (size: number) => lines(size, (i) => `web-${i} zone=${i % 7}`) },
  { name: 'members in reverse', make: (size: number) => lines(size, (i) => `web-${size - i} zone=1`) },
  { name: 'the same member', make: (size: number) => lines(size, () => 'web-1') },
  {
    name: 'labels of a member',
    make: (size: number) => `web-1 ${lines(size, (i) => `l${i}=1`).replaceAll('\n', ' ')}`,
  },
  { name: 'wrong labels', make: (size: number) => `web-1 ${'l '.repeat(size)}` },
  { name: 'blank lines', make: (size: number) => '\n \t'.repeat(size) },
  { name: 'a long name', make: (size: number) => 'n'.repeat(100 * size) },
  { name: 'open lists', make: (size: number) => '['.repeat(size) },
  {
    name: 'JSON',
    make: (size: number) => JSON.stringify(Array.from({ length: size }, (_, i) => ({ name: `web-${i}` }))),
  },
].map((family) => ({ ...family, sizes: SIZES }));

const reading = readChart(`initial: a
states:
  a: {only: member.name.startsWith("web-2"), on: {update: {target: b, quorum: 90%}}}
  b: {only: size(member.name) > 5}
`);

describe.runIf(IS_LONG)(
  'what more of a list of members takes grows with the text',
  { timeout: 300_000 },
  () => {
    it.each(FAMILIES)('$name', (family) => {
      // A finding is measured again: another process may have had the core.
      const find = () => fasterThanText(family, timeOf, allowed);
      expect(find() && find() && find()).toBeUndefined();
    });
  },
);

/** The least time of several tries for reading a list and for what is prepared of it, in ms. */
function timeOf(text: string): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const begun = performance.now();
    const read = readMemberList(text);
    if (read.ok && reading.ok) {
      namesInOrder(read.members);
      for (const state of [1, 2]) membersIn(reading.chart, read.members, state);
    }
    least = Math.min(least, performance.now() - begun);
  }
  return least;
}
