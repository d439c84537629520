/** Large charts to draw. */
import { CHART_STATES } from '../../src/chart-limits.ts';
import { counting, final, sequence } from '../charts.ts';

const chain = (count: number) =>
  sequence(
    ...Array.from({ length: count - 1 }, (_, i) => counting(`s${i}`, `s${i + 1}`, 2)),
    final(`s${count - 1}`),
  );
const tangle = (count: number, ways: number) =>
  JSON.stringify({
    initial: 's0',
    states: Object.fromEntries(
      Array.from({ length: count }, (_, i) => [
        `s${i}`,
        {
          on: Object.fromEntries(
            Array.from({ length: ways }, (_, j) => [`e${j}`, `s${(i * (7 + j) + 3 * j + 1) % count}`]),
          ),
        },
      ]),
    ),
  });

const regions = (count: number, inside: string) =>
  JSON.stringify({
    type: 'parallel',
    states: Object.fromEntries(Array.from({ length: count }, (_, i) => [`r${i}`, JSON.parse(inside)])),
  });
const side = (count: number) =>
  JSON.stringify({
    initial: 's0',
    states: Object.fromEntries(
      Array.from({ length: count }, (_, i) => [
        `s${i}`,
        i + 1 < count ? { on: { update: `s${i + 1}` } } : {},
      ]),
    ),
  });
/** Charts at the bounds of a drawing: a name, and the text. */
export const LARGE_CHARTS = [
  ['60 states with random targets', tangle(60, 10)],
  ['200 states in a row', chain(200)],
  ['200 states with random targets', tangle(200, 2)],
  ['the most states a chart may have, in a row', chain(CHART_STATES)],
  ['the most states a chart may have, with random targets', tangle(CHART_STATES - 1, 3)],
  ['the most arrows a drawing may have', tangle(200, 19)],
  ['16 regions of 60 states in a row', regions(16, side(60))],
  ['16 regions of 60 states with random targets', regions(16, tangle(60, 3))],
  ['32 regions of 8 states with random targets', regions(32, tangle(8, 4))],
] as const;
