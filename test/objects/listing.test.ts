/** What machines tell their tenant, and the lists that are selected, sorted and counted by it. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { formatAddress } from '../../src/address.ts';
import { Machine, Tenant } from '../../src/index.ts';
import type { Listing } from '../../src/listing.ts';
import { putChart } from '../charts.ts';
import { evict, report, send } from '../service.ts';
import { sendAs, tokenFor } from '../tokens.ts';
import { erase, put, upload } from './callers.ts';
import { callsOn } from './spies.ts';
import { CHART, inTenant, listOf, namesOf, newTenant, tenantAt, whenTold } from './tenants.ts';

const MOVES = `
initial: a
states:
  a: {on: {update: b, fail: bad, count: {actions: [{assign: {n: 1}}]}}, after: {1h: bad}}
  b: {on: {update: a}}
  bad: {type: final, tags: [failed]}
`;

let tenant: string;
beforeEach(() => {
  tenant = newTenant();
});
afterEach(() => {
  vi.restoreAllMocks();
});

const NOTHING: Listing = {
  revision: 1,
  states: ['x'],
  since: 1_000,
  outcome: 'active',
  isPaused: false,
  deadline: null,
};

/** Puts machines into the registry, and what they have told: the machines themselves are not there. */
async function enter(machines: Readonly<Record<string, Partial<Listing>>>): Promise<void> {
  const object = tenantAt(tenant);
  for (const name of Object.keys(machines)) await object.enter(at(name), 1);
  await object.tell(
    Object.entries(machines).map(([name, told]) => ({ address: at(name), listing: { ...NOTHING, ...told } })),
  );
}

function at(name: string) {
  const [chart = '', run] = name.split('@');
  return { tenant, chart, ...(run === undefined ? {} : { run }) };
}

/** Reads all pages of the registry. */
async function pagesOf(query: object, limit = 2): Promise<string[]> {
  const seen: string[] = [];
  let cursor = {};
  for (;;) {
    const page = await tenantAt(tenant).members(tenant, { limit, ...query, ...cursor });
    seen.push(...page.addresses.map((address) => formatAddress(address).slice(tenant.length + 1)));
    const after = page.addresses.at(-1);
    if (!page.more || after === undefined) return seen;
    cursor = { after, ...(page.value === undefined ? {} : { value: page.value }) };
  }
}

/** Watches what this test's tenant is told, and fails the first `failures` calls. Machines of other tests tell theirs. */
function watchTold(failures = 0) {
  const { tell } = Tenant.prototype;
  const told: Listing[] = [];
  let calls = 0;
  vi.spyOn(Tenant.prototype, 'tell').mockImplementation(async function (this: Tenant, machines) {
    if (machines[0]?.address.tenant !== tenant) return tell.call(this, machines);
    calls += 1;
    if (calls <= failures) throw new Error('planted: the call was lost');
    told.push(...machines.map(({ listing }) => listing));
    return tell.call(this, machines);
  });
  return { told, calls: () => calls };
}

describe('a machine', () => {
  it('tells its tenant of each move, and of nothing else', async () => {
    await upload(`${tenant}/m`, MOVES);
    await whenTold(`${tenant}/m`);
    const { told } = watchTold();
    for (let i = 0; i < 3; i++) await put(`${tenant}/m`, 'a', { event: 'count' });
    expect(told).toEqual([]);
    await report(`${tenant}/m`, 'a');
    await whenTold(`${tenant}/m`);
    expect(told).toMatchObject([{ states: ['b'], outcome: 'active', deadline: null }]);
    await send('POST', `/${tenant}/m/pause`);
    await vi.waitUntil(() => told.length === 2, { timeout: 20_000 });
    expect(told[1]).toMatchObject({ isPaused: true });
  });

  it('tells again after a call that failed, and after it was cut off', async () => {
    await upload(`${tenant}/m`, MOVES);
    await whenTold(`${tenant}/m`);
    const { calls } = watchTold(1);
    await report(`${tenant}/m`, 'a');
    await whenTold(`${tenant}/m`);
    expect(calls()).toBeGreaterThan(1);
    // As if the object had been killed before it could tell.
    await inTenant(tenant, (sql) => sql.exec('UPDATE machine SET revision = 0, states = NULL, since = 0'));
    await evict(`${tenant}/m`);
    await send('GET', `/${tenant}/m`);
    await whenTold(`${tenant}/m`);
  });

  it('is not listed again by what it tells when it is deleted', async () => {
    await upload(`${tenant}/m`, MOVES);
    await Promise.all([report(`${tenant}/m`, 'a'), erase(`${tenant}/m`)]);
    await tenantAt(tenant).tell([{ address: at('m'), listing: NOTHING }]);
    expect(await pagesOf({})).toEqual([]);
  });

  it('is corrected where a list shows it', async () => {
    await upload(`${tenant}/m`, MOVES);
    await whenTold(`${tenant}/m`);
    await inTenant(tenant, (sql) => sql.exec("UPDATE machine SET states = '[\"b\"]', outcome = 'failed'"));
    await listOf(tenant);
    await whenTold(`${tenant}/m`);
  });
});

describe('a list of more machines than a page has', () => {
  const DEADLINES = {
    c: { states: ['p', 'p.one'], since: 3, deadline: { at: 50, lateAt: 40 } },
    'a@2': { states: ['two'], since: 2, isPaused: true },
    a: { states: ['two'], since: 9, outcome: 'failed' },
    b: { states: ['x'], since: 2, deadline: { at: Number.MAX_SAFE_INTEGER, lateAt: 9e15 } },
    d: { states: ['a:b, c'], since: 5, deadline: { at: 50, lateAt: 45 } },
  } as const;

  it.each([
    ['address', false, ['a', 'a@2', 'b', 'c', 'd']],
    ['address', true, ['d', 'c', 'b', 'a@2', 'a']],
    ['changed', false, ['a@2', 'b', 'c', 'd', 'a']],
    ['changed', true, ['a', 'd', 'c', 'b', 'a@2']],
    ['state', false, ['d', 'c', 'a', 'a@2', 'b']],
    ['deadline', false, ['c', 'd', 'b', 'a', 'a@2']],
    ['deadline', true, ['b', 'd', 'c', 'a', 'a@2']],
  ] as const)('is sorted by %s (descending: %s) from page to page', async (sort, isDescending, sorted) => {
    await enter(DEADLINES);
    for (const limit of [1, 2, 3])
      expect(await pagesOf({ order: { sort, isDescending } }, limit)).toEqual(sorted);
  });

  it('goes on behind a machine that has moved meanwhile', async () => {
    await enter(DEADLINES);
    const order = { sort: 'changed', isDescending: false } as const;
    const first = await tenantAt(tenant).members(tenant, { limit: 2, order });
    expect(first.addresses.map(({ chart }) => chart)).toEqual(['a', 'b']);
    await tenantAt(tenant).tell([{ address: at('b'), listing: { ...NOTHING, revision: 2, since: 1 } }]);
    const after = first.addresses.at(-1);
    const query = {
      limit: 9,
      order,
      ...(after && { after }),
      ...(first.value === undefined ? {} : { value: first.value }),
    };
    const rest = await tenantAt(tenant).members(tenant, query);
    expect(rest.addresses.map(({ chart }) => chart)).toEqual(['c', 'd', 'a']);
  });

  it('has the machines of a state or a condition, and counts all', async () => {
    await enter(DEADLINES);
    expect(await pagesOf({ state: 'p' })).toEqual(['c']);
    expect(await pagesOf({ state: 'two', order: { sort: 'changed', isDescending: true } })).toEqual([
      'a',
      'a@2',
    ]);
    expect(await pagesOf({ is: 'late' })).toEqual(['c', 'd']);
    expect(await pagesOf({ is: 'failed' })).toEqual(['a']);
    expect(await pagesOf({ is: 'paused', text: 'A@' })).toEqual(['a@2']);
    const { counts } = await tenantAt(tenant).members(tenant, { limit: 1, is: 'late' });
    expect(counts).toEqual({ machines: 5, late: 2, failed: 1, paused: 1 });
    const some = await tenantAt(tenant).members(tenant, { limit: 1, chart: 'a' });
    expect(some.counts).toEqual({ machines: 2, late: 0, failed: 1, paused: 1 });
  });

  it('counts only what its reader may read', async () => {
    await enter(DEADLINES);
    const grant = { sub: 'me', charts: [`${tenant}/a*`], can: ['read'], until: 9e15 } as const;
    const { counts } = await tenantAt(tenant).members(tenant, { limit: 1, grant });
    expect(counts).toEqual({ machines: 2, late: 0, failed: 1, paused: 1 });
  });

  it('has machines that have told nothing in each selection, and asks them', async () => {
    await upload(`${tenant}/one`, CHART);
    await upload(`${tenant}/two`, CHART);
    await Promise.all(['one', 'two'].map((name) => whenTold(`${tenant}/${name}`)));
    await inTenant(tenant, (sql) => sql.exec("UPDATE machine SET revision = 0 WHERE chart = 'two'"));
    expect(await pagesOf({ state: 'nowhere', order: { sort: 'state', isDescending: false } }, 1)).toEqual([
      'two',
    ]);
    expect(await namesOf(tenant, '?state=nowhere&limit=1')).toEqual([]);
    await whenTold(`${tenant}/two`);
  });

  it('has its pages linked by a cursor with what it is sorted by', async () => {
    for (const name of ['a', 'b', 'c']) {
      await upload(`${tenant}/${name}`, MOVES);
      if (name === 'b') await report(`${tenant}/b`, 'a');
      await whenTold(`${tenant}/${name}`);
    }
    const seen: string[] = [];
    for (let after = ''; ; ) {
      const page = await listOf(tenant, `?sort=state&order=desc&limit=1${after}`);
      seen.push(...page.machines.map(({ machine }) => machine));
      if (page.after === undefined) break;
      after = `&after=${encodeURIComponent(page.after)}`;
    }
    expect(seen).toEqual(['b', 'c', 'a'].map((name) => `${tenant}/${name}`));
    expect((await send('GET', `/${tenant}?sort=size`)).status).toBe(400);
    expect((await send('GET', `/${tenant}?order=up`)).status).toBe(400);
    expect((await send('GET', `/${tenant}?sort=state&after=a:other/a`)).status).toBe(400);
  });

  it('reads as many rows as it shows, and as need a look', async () => {
    await enter(Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`m${i}`, { since: i }])));
    await enter({ late: { deadline: { at: 5, lateAt: 1 } }, bad: { outcome: 'failed' } });
    const read = await rowsRead(() =>
      tenantAt(tenant).members(tenant, { limit: 10, order: { sort: 'changed', isDescending: true } }),
    );
    expect(read).toBeLessThan(40);
    expect(await rowsRead(() => tenantAt(tenant).members(tenant, { limit: 10 }))).toBeLessThan(40);
  });
});

/** Counts the rows that the tenant reads. */
async function rowsRead(act: () => Promise<unknown>): Promise<number> {
  const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
  await inTenant(tenant, (sql) => {
    const exec = sql.exec.bind(sql);
    sql.exec = <Row extends Record<string, SqlStorageValue>>(query: string, ...bindings: unknown[]) => {
      const cursor = exec<Row>(query, ...bindings);
      cursors.push(cursor);
      return cursor;
    };
  });
  await act();
  return inTenant(tenant, () => cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0));
}

describe('the page of a tenant', () => {
  const headers = { Accept: 'text/html' };

  it('is 304 without a call to a machine until one of its machines moves', async () => {
    await upload(`${tenant}/m`, MOVES);
    await whenTold(`${tenant}/m`);
    const first = await send('GET', `/${tenant}`, { headers });
    const tag = first.headers.get('ETag') ?? '';
    expect(tag).toMatch(/^W\/"/);
    const read = vi.spyOn(Machine.prototype, 'read');
    const again = () => send('GET', `/${tenant}`, { headers: { ...headers, 'If-None-Match': tag } });
    expect((await again()).status).toBe(304);
    expect(callsOn(read, `${tenant}/m`)).toBe(0);
    await report(`${tenant}/m`, 'a');
    await whenTold(`${tenant}/m`);
    expect((await again()).status).toBe(200);
    // A program gets what is, and no tag: its counts change without a move.
    const json = await send('GET', `/${tenant}`, { headers: { 'If-None-Match': tag } });
    expect([json.status, json.headers.get('ETag')]).toEqual([200, null]);
  });

  it('has runs under their chart, with a line for a chart whose own machine is not there', async () => {
    await putChart(`${tenant}/a`, CHART);
    await putChart(`${tenant}/b`, CHART);
    for (const name of ['a', 'a@1', 'b@1', 'b@2']) await report(`${tenant}/${name}`, 'drain');
    // A name may break after each of its separators.
    const page = async (query: string) =>
      (await (await send('GET', `/${tenant}${query}`, { headers })).text()).replaceAll('<wbr/>', '');
    const rows = [
      ...(await page('')).matchAll(/<tr data-key="[^"]*"><t[dh]([^>]*)><a href="([^"]*)">([^<]*)/g),
    ];
    expect(rows.map(([, attributes = '', href, name]) => [attributes.trim(), href, name])).toEqual([
      ['', `/${tenant}/a`, `${tenant}/a`],
      ['class="run"', `/${tenant}/a@1`, '@1'],
      ['colspan="3" scope="rowgroup"', `/${tenant}?chart=b`, `${tenant}/b`],
      ['class="run"', `/${tenant}/b@1`, '@1'],
      ['class="run"', `/${tenant}/b@2`, '@2'],
    ]);
    const sorted = await page('?sort=state');
    expect(sorted).toContain(`<a href="/${tenant}/b@1">${tenant}/b@1</a>`);
    expect(sorted).toContain(
      `aria-sort="ascending"><a href="/${tenant}?sort=state&amp;order=desc">State ↑</a>`,
    );
  });

  it('does not say what its reader may not read', async () => {
    for (const name of ['a', 'b']) await upload(`${tenant}/${name}`, MOVES);
    await put(`${tenant}/b`, 'a', { event: 'fail' });
    const token = await tokenFor(`${tenant}/a`, 'read');
    const text = await (await sendAs(token, 'GET', `/${tenant}`, { headers })).text();
    expect(text).toContain('None late, failed or paused of 1 machine.');
    expect(text).not.toContain(`${tenant}/b`);
  });

  it('is under 200 kB with the most and the longest', async () => {
    const name = (i: number) => `${'x'.repeat(60)}${String(i).padStart(3, '0')}`;
    const states = Array.from({ length: 30 }, (_, i) => `${'s'.repeat(120)}${i}`);
    const region = '{initial: w, states: {w: {on: {update: {target: d, quorum: 3}}}, d: {}}}';
    const regions = states.map((state) => `  ${state}: ${region}`).join('\n');
    await putChart(`${tenant}/${name(0)}`, `type: parallel\nstates:\n${regions}\n`);
    for (let i = 0; i < 48; i++) await put(`${tenant}/${name(0)}@${name(i)}`, `${states[0]}.w`);
    const text = await (await send('GET', `/${tenant}?limit=48`, { headers })).text();
    expect(text.match(/class="run"/g)).toHaveLength(48);
    expect(text.length).toBeLessThan(200_000);
  });
});
