/** The cost of a request grows linearly with the rows that callers have left. */
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/index.ts';
import { CALLER_COST, CLAIMS, HOLDERS_NAMED, HOLDERS_TOLD, STATUS_CALLERS } from '../../src/limits.ts';
import { CALLER_LENGTH } from '../../src/request-limits.ts';
import { newChart } from '../charts.ts';
import { FUZZ, IS_LONG } from '../fuzz.ts';
import { evict, executeAt, inStorage, machinePath, send, updateAt } from '../service.ts';
import { TIMED } from '../slowness.ts';
import { claim, type Document, documentOf, put, refusedOf, release, reset, together } from './callers.ts';
import { expectLinear } from './growth.ts';
import { openSocket } from './sockets.ts';

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

/** A chart of regions with slots that are left together, and the number of claims in each. */
async function claimed(count: number, each: number): Promise<string> {
  const states = Object.fromEntries(names(count, 'r').map((name) => [name, { slots: 1_000 }]));
  const chart = {
    initial: 'work',
    states: { work: { type: 'parallel', states, on: { go: 'rest' } }, rest: {} },
  };
  const address = await newChart(JSON.stringify(chart));
  await claimAll(address, count, each);
  return address;
}

/** Claims `each` slots in the first `count` regions. */
async function claimAll(address: string, count: number, each: number): Promise<void> {
  const claims = names(count, 'r').flatMap((state) => names(each, 'web-').map((by) => ({ state, by })));
  await many(address, claims, (machine, { state, by }) => executeAt(machine, { type: 'claim', state, by }));
}

/** How many of a thing there are: in the long tests a random number, from half as many to the given one. */
function sized(usual: number): number {
  return IS_LONG ? Math.ceil(usual / 2) + (FUZZ.seed % Math.floor(usual / 2 + 1)) : usual;
}

describe('claims', () => {
  it('are read in proportion to their number', { timeout: 60_000 }, async () => {
    await expectLinear(2, async (count) => {
      const address = await claimed(count, sized(1_000));
      return async () => {
        await evict(address);
        expect(await holders(address)).toBe(count * sized(1_000));
      };
    });
  });

  it('are freed in proportion to their number when their state is left', { timeout: 60_000 }, async () => {
    await expectLinear(2, async (count) => {
      const machines = await Promise.all(names(3, '').map(() => claimed(count, sized(1_000))));
      return async () => {
        const address = machines.pop() ?? '';
        expect((await put(address, 'work', { event: 'go' })).status).toBe(200);
      };
    });
  });

  it('are bounded for a machine, however many slots its states have', { timeout: 60_000 }, async () => {
    const full = CLAIMS / 1_000;
    const address = await newChart(regions(full + 1, { slots: 1_000 }));
    await claimAll(address, full, 1_000);
    const last = `r${full}`;
    const refused = await claim(address, last, 'late');
    expect(refused.headers.get('Retry-After')).not.toBeNull();
    expect((await refusedOf(refused)).detail).toContain(`${CLAIMS} claims`);
    // A caller that comes too late is told of some of the holders.
    const late = await refusedOf(await claim(address, 'r0', 'late'));
    expect(late.holders).toHaveLength(HOLDERS_NAMED);
    expect(late.detail).toContain(`and ${1_000 - HOLDERS_TOLD} more`);
    expect((await claim(address, 'r0', 'web-0')).status).toBe(200);
    await release(address, 'r0', 'web-0');
    expect((await claim(address, last, 'late')).status).toBe(200);
  });
});

/** The number of held slots, from the status. */
async function holders(address: string): Promise<number> {
  return (await documentOf(address)).claims.flatMap((one) => one.holders).length;
}

describe('WebSockets', () => {
  it('are opened and served in proportion to their number', { timeout: 60_000 }, async () => {
    await expectLinear(150, async (count) => {
      const address = await newChart(regions(1, {}));
      const open = await Promise.all(names(count, '').map(() => openSocket(address)));
      return async () => {
        const late = await openSocket(address);
        open.push(late);
        await reset(address);
        await late.next();
      };
    });
  });
});

describe('the status', () => {
  it('lists callers up to a bound, the first ones in front', async () => {
    const update = Array.from({ length: 32 }, () => ({ quorum: 1_000, actions: [{ cancel: 'nothing' }] }));
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
      const events = names(sized(32), 'e');
      const on = Object.fromEntries(
        events.map((event) => [event, { quorum: 1_000, actions: [{ cancel: 'nothing' }] }]),
      );
      const address = await newChart(regions(count, { on }));
      const reports = names(count, 'r').flatMap((state) => events.map((event) => ({ state, event })));
      const callers = names(2, 'web-');
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

describe('members', () => {
  const chart = 'initial: work\nstates: {work: {on: {update: {target: end, quorum: 1000000}}}, end: {}}\n';
  const fleet = async (count: number): Promise<string> => {
    const address = await newChart(chart);
    if (count > 0) {
      const body = names(count, 'web-').join('\n');
      expect((await send('PUT', `${machinePath(address)}/members`, { body })).status).toBe(200);
    }
    return address;
  };
  const report = async (address: string, from: number, to: number) => {
    const callers = names(to, 'web-').slice(from);
    await inStorage(address, (_, machine) =>
      Promise.all(callers.map((by) => updateAt(machine, { state: 'work', event: 'update', by }))),
    );
  };

  it('of a machine do not slow a report: 10,000 as little as none', {
    ...TIMED,
    timeout: 60_000,
  }, async () => {
    const [few, full] = [await fleet(0), await fleet(10_000)];
    const least = new Map<string, number>();
    for (let round = 0; round < 6; round++) {
      for (const address of [few, full]) {
        const begun = performance.now();
        await report(address, round * 500, round * 500 + 500);
        least.set(
          address,
          Math.min(least.get(address) ?? Number.POSITIVE_INFINITY, performance.now() - begun),
        );
      }
    }
    // The bound is 1.2, for a machine that does nothing else.
    expect((least.get(full) ?? 0) / (least.get(few) ?? 1)).toBeLessThan(2);
  });

  it('are struck off in proportion to their number', { timeout: 60_000 }, async () => {
    await expectLinear(2_000, async (count) => {
      const address = await fleet(count);
      await report(address, 0, count - 10);
      let last = count;
      return async () => {
        last -= 1;
        const path = `${machinePath(address)}/members/web-${last}`;
        expect((await send('DELETE', path)).status).toBe(200);
      };
    });
  });
});
