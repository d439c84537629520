/** The list of a tenant's machines for a token that may read some of them. */
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Address, formatAddress } from '../../src/address.ts';
import { allows, Coverage, type Grant } from '../../src/grant.ts';
import { SLICE_UNITS } from '../../src/limits.ts';
import { SORTS } from '../../src/listing.ts';
import type { MachinesQuery } from '../../src/objects/list-results.ts';
import { compare } from '../../src/objects/readable-machines.ts';
import { inputsOf } from '../fuzz.ts';
import { inTenant, newTenant, tenantAt } from './tenants.ts';

let tenant: string;
beforeEach(() => {
  tenant = newTenant();
});

function readerOf(charts: readonly string[]): Grant {
  return { sub: 'me', charts, can: ['read'], until: 9e15 };
}

/** Puts machines into the registry that are late, failed or paused in turn. They are not there themselves. */
async function enter(machines: readonly Address[]): Promise<void> {
  const object = tenantAt(tenant);
  for (const address of machines) await object.enter(address, 1);
  await object.tell(
    machines.map((address, i) => ({
      address,
      listing: {
        revision: 1,
        states: [`s${i % 7}`],
        since: i % 5,
        outcome: i % 3 === 1 ? 'failed' : 'active',
        isPaused: i % 4 === 0,
        deadline: i % 3 === 0 ? { at: 5 + i, lateAt: 4 } : null,
      },
    })),
  );
}

async function pagesOf(query: MachinesQuery) {
  const seen: Address[] = [];
  let cursor = {};
  for (;;) {
    const page = await tenantAt(tenant).members(tenant, { ...query, ...cursor });
    seen.push(...page.addresses);
    const after = page.addresses.at(-1);
    if (!page.more || after === undefined) return { seen, counts: page.counts };
    cursor = { after, ...(page.value === undefined ? {} : { value: page.value }) };
  }
}

describe('a list for a token of some machines', () => {
  const charts = ['a', 'ab', 'abc', 'b', 'ba', 'c'];
  const pattern = fc.stringMatching(/^[a-c*]{1,3}(@[12*]{1,2})?$/);
  const globs = fc.array(
    fc.tuple(fc.constantFrom('T', '*', 'other'), pattern).map(([owner, rest]) => `${owner}/${rest}`),
    { maxLength: 40 },
  );

  it('has those that the token may read, in each order, and counts them', async () => {
    const all = charts.flatMap((chart) => [
      { tenant, chart },
      ...['1', '12', '2'].map((run) => ({ tenant, chart, run })),
    ]);
    await enter(all);
    const query = fc.record({
      globs,
      limit: fc.constantFrom(1, 5, 48),
      sort: fc.constantFrom(...SORTS),
      isDescending: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(query, async ({ globs, limit, sort, isDescending }) => {
        const grant = readerOf(globs.map((glob) => glob.replace('T', tenant)));
        const readable = all.filter((address) => allows(grant, 'read', address));
        const { seen, counts } = await pagesOf({ grant, limit, order: { sort, isDescending } });
        // What fits one page is in the order of the addresses.
        const sorted = readable.length > limit ? { order: { sort, isDescending } } : {};
        const everything = await pagesOf({ limit: 5, ...sorted });
        expect(seen).toEqual(everything.seen.filter((address) => allows(grant, 'read', address)));
        const count = (is: (i: number) => boolean) =>
          all.filter((address, i) => is(i) && allows(grant, 'read', address)).length;
        expect(counts).toEqual({
          machines: readable.length,
          late: count((i) => i % 3 === 0),
          failed: count((i) => i % 3 === 1),
          paused: count((i) => i % 4 === 0),
        });
      }),
      { numRuns: inputsOf(60) },
    );
  });
});

describe('a long list for a token of many globs', () => {
  const GLOBS = 400;
  const globs = () => Array.from({ length: GLOBS }, (_, i) => `${tenant}/*x${i}*y`);

  it('lets other requests of the tenant run meanwhile', async () => {
    await tenantAt(tenant).enter({ tenant, chart: 'm' }, 1);
    await inTenant(tenant, (sql) =>
      sql.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
                INSERT INTO machine (chart, run, bytes) SELECT 'm', i, 1 FROM n`),
    );
    const order: string[] = [];
    const list = tenantAt(tenant)
      .members(tenant, { grant: readerOf([...globs(), `${tenant}/m@7`]), limit: 5 })
      .then(({ addresses }) => order.push(`list of ${addresses.map(formatAddress)}`));
    const has = tenantAt(tenant)
      .has([{ tenant, chart: 'm', run: '8' }])
      .then(([isThere]) => order.push(`has: ${isThere}`));
    await Promise.all([list, has]);
    expect(order).toEqual(['has: true', `list of ${tenant}/m@7`]);
  });

  it('compares each machine once, in parts that are smaller than a slice', () => {
    const machines = Array.from({ length: 2_000 }, (_, i) => ({
      chart: `m${i}`,
      run: '',
      isLate: false,
      isFailed: false,
      isPaused: false,
    }));
    const compared: string[] = [];
    class Watched extends Coverage {
      override has(machine: Address): boolean {
        compared.push(machine.chart);
        return super.has(machine);
      }
    }
    const parts: number[] = [];
    const work = compare(machines, new Watched(readerOf(globs()), 'read', tenant));
    for (let part = work.next(); !part.done; part = work.next()) parts.push(part.value);
    expect(compared).toEqual(machines.map(({ chart }) => chart));
    expect(parts.length).toBeGreaterThan(10);
    expect(Math.max(...parts)).toBeLessThan(SLICE_UNITS);
  });
});
