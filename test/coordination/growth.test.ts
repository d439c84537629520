/** Callers that leave much behind: the next request costs in proportion to it, and not with its square. */
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/index.ts';
import { CALLER_COST, CALLER_LENGTH, STATUS_CALLERS } from '../../src/limits.ts';
import { newChart } from '../charts.ts';
import { machinePath, send, updateAt } from '../service.ts';
import { type Document, documentOf, put, together } from './callers.ts';
import { expectLinear } from './growth.ts';

const names = (count: number, prefix: string) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

/** A chart of regions side by side, each with one state. */
function regions(count: number, state: object): string {
  const states = Object.fromEntries(names(count, 'r').map((name) => [name, state]));
  return JSON.stringify({ id: 'work', type: 'parallel', states });
}

/** Makes many calls to an object, in batches of one commit each. */
async function many<Item>(
  address: string,
  items: readonly Item[],
  call: (machine: Machine, item: Item) => Promise<unknown>,
): Promise<void> {
  for (let at = 0; at < items.length; at += 1_000) {
    const batch = items.slice(at, at + 1_000);
    await together(address, (machine) => batch.map((item) => call(machine, item)));
  }
}

describe('the status', () => {
  it('lists callers up to a bound, the first ones in front', async () => {
    const update = Array.from({ length: 32 }, () => ({ quorum: 1_000 }));
    const address = await newChart(regions(32, { on: { update } }));
    const callers = names(20, 'long-').map((name) => name.padEnd(CALLER_LENGTH, 'x'));
    for (const by of callers) await put(address, 'work', { by });
    const response = await send('GET', machinePath(address));
    const text = await response.text();
    expect(text.length).toBeLessThan(STATUS_CALLERS * 1.5);
    const lists = (JSON.parse(text) as Document).quorums.map(({ by }) => by);
    expect(lists).toHaveLength(32 * 32);
    const listed = Math.ceil(STATUS_CALLERS / (32 * 32 * (CALLER_LENGTH + CALLER_COST)));
    for (const list of lists) expect(list).toEqual(callers.slice(0, listed));
  });

  it('costs in proportion to the reports that are listed', { timeout: 60_000 }, async () => {
    await expectLinear(8, async (count) => {
      const events = names(32, 'e');
      const on = Object.fromEntries(events.map((event) => [event, { quorum: 1_000 }]));
      const address = await newChart(regions(count, { on }));
      const reports = names(count, 'r').flatMap((state) => events.map((event) => ({ state, event })));
      const callers = names(4, 'web-');
      const all = callers.flatMap((by) => reports.map((report) => ({ ...report, by })));
      await many(address, all, updateAt);
      let round = 0;
      return async () => {
        round += 1;
        await put(address, 'r0', { event: 'e0', by: `late-${round}` });
        const { quorums } = await documentOf(address);
        expect(quorums.flatMap(({ by }) => by)).toHaveLength(all.length + round);
      };
    });
  });
});
