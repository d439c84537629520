/** Lists of members as they are prepared: their natural order, and for whom each state is, also after members were struck off. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { areSelected, type Chart, type Members, membersIn, readChart } from '../../src/chart/chart.ts';
import {
  compareNames,
  namesInOrder,
  prepareMembers,
  withoutMember,
} from '../../src/objects/prepared-members.ts';

const CHART = `id: all
only: member.name != "web-3"
type: parallel
states:
  eu: {only: member.zone == "eu", states: {inner: {only: member.rack == "1"}}, initial: inner}
  all: {}
`;
const STATES = [0, 1, 2, 3];

function chartOf(text: string): Chart {
  const reading = readChart(text);
  if (!reading.ok) throw new Error(reading.errors[0]?.message);
  return reading.chart;
}

const members = fc
  .uniqueArray(fc.tuple(fc.nat(2_000), fc.constantFrom('eu', 'us'), fc.constantFrom('1', '2')), {
    selector: ([i]) => i,
    minLength: 1,
    maxLength: 1_500,
    size: 'max',
  })
  .map((list) => new Map(list.map(([i, zone, rack]) => [`web-${i}`, { zone, rack }])));

const chosen = (chart: Chart, list: Members, state: number) => {
  const names = membersIn(chart, list, state);
  const found = [...list.keys()].filter((name) => names.has(name));
  expect(names.size).toBe(found.length);
  return found;
};

it('are in the order in which a plain sort puts them', async () => {
  await fc.assert(
    fc.asyncProperty(members, async (list) => {
      await prepareMembers(chartOf(CHART), list);
      expect(namesInOrder(list)).toEqual([...list.keys()].sort(compareNames));
    }),
    { numRuns: 20 },
  );
});

it('are those of which the `only` of a state and of the states around it are true', async () => {
  await fc.assert(
    fc.asyncProperty(members, async (list) => {
      const chart = chartOf(CHART);
      await prepareMembers(chart, list);
      expect(areSelected(chart, list)).toBe(true);
      expect(prepareMembers(chart, list)).toBeUndefined();
      const inEu = [...list].filter(([name, { zone }]) => name !== 'web-3' && zone === 'eu');
      expect(chosen(chart, list, 1)).toEqual(inEu.map(([name]) => name));
      expect(chosen(chart, list, 2)).toEqual(inEu.flatMap(([name, { rack }]) => (rack === '1' ? name : [])));
    }),
    { numRuns: 20 },
  );
});

it('are the same without some of them as a list that was uploaded without them', async () => {
  await fc.assert(
    fc.asyncProperty(members, fc.array(fc.nat(), { maxLength: 10 }), async (list, struck) => {
      const chart = chartOf(CHART);
      await prepareMembers(chart, list);
      let left: Members = list;
      for (const i of struck) left = withoutMember(left, [...list.keys()][i % list.size] ?? '', chart);
      const uploaded = new Map(left);
      expect(prepareMembers(chart, left)).toBeUndefined();
      expect(namesInOrder(left)).toEqual(namesInOrder(uploaded));
      for (const state of STATES) expect(chosen(chart, left, state)).toEqual(chosen(chart, uploaded, state));
    }),
    { numRuns: 20 },
  );
});
