/** `GET /{tenant}`: the machines of a tenant, and the state of each. */
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Machine, Tenant } from '../../src/index.ts';
import { LIST_PAGE, LIST_PAGE_MAX } from '../../src/limits.ts';
import { newChart, putChart } from '../charts.ts';
import {
  ask,
  holdDefault,
  inStorage,
  problemOf,
  report,
  reportTimes,
  send,
  statusOf,
  tracesOf,
} from '../service.ts';
import { sendAs, tokenFor } from '../tokens.ts';
import { erase, reset, upload } from './callers.ts';
import { callsOn } from './spies.ts';
import { CHART, evictTenant, inTenant, listOf, namesOf, newTenant } from './tenants.ts';

let tenant: string;
beforeEach(() => {
  tenant = newTenant();
});

describe('a list', () => {
  it('has each machine’s state, since when, and whether it is done', async () => {
    await upload(`${tenant}/a`, CHART);
    await upload(`${tenant}/b`, 'initial: x\nstates: {x: {initial: y, states: {y: {}}}}');
    await reportTimes(`${tenant}/a`, 'drain', 2);
    const { changed } = await statusOf(`${tenant}/b`);
    const since = expect.stringMatching(/^2\d{3}-/);
    expect(await listOf(tenant)).toEqual({
      tenant,
      counts: { machines: 2, late: 0, failed: 0, paused: 0 },
      machines: [
        {
          machine: `${tenant}/a`,
          dialect: 'sequence',
          states: ['done'],
          status: 'done',
          tags: [],
          waiting: [],
          revision: 3,
          changed: (await statusOf(`${tenant}/a`)).changed,
          since,
          paused: false,
          late: false,
        },
        {
          machine: `${tenant}/b`,
          dialect: 'statechart',
          states: ['x', 'x.y'],
          status: 'active',
          tags: [],
          waiting: [],
          revision: 1,
          changed,
          since,
          paused: false,
          late: false,
        },
      ],
    });
  });

  it('has a machine as soon as it has begun, whatever the origin of its chart', async () => {
    const bundled = await newChart(CHART);
    const [owner = ''] = bundled.split('/');
    await ask(bundled, 'drain');
    await report(`${bundled}@42`, 'drain');
    const names = await namesOf(owner, `?chart=${bundled.split('/')[1]}`);
    expect(names).toEqual([bundled, `${bundled}@42`]);
  });

  it('has the same filters for programs as the page', async () => {
    await upload(`${tenant}/one`, CHART);
    await upload(`${tenant}/two`, CHART);
    await reportTimes(`${tenant}/two`, 'drain', 2);
    expect(await namesOf(tenant, '?state=done')).toEqual([`${tenant}/two`]);
    expect(await namesOf(tenant, '?q=ON')).toEqual([`${tenant}/one`]);
    expect(await namesOf(tenant, `?q=${tenant}/T`)).toEqual([`${tenant}/two`]);
    expect(await namesOf(tenant, '?q=%25')).toEqual([]);
    expect(await namesOf(tenant, '?q=one&state=drain')).toEqual([`${tenant}/one`]);
    expect(await namesOf(tenant, '?q=one&state=done')).toEqual([]);
    expect(await namesOf(tenant, '?q=&state=')).toHaveLength(2);
  });

  it('is searched for a part of the address among all machines, not among those of a page', async () => {
    await upload(`${tenant}/a`, CHART);
    for (const run of ['1', '2', 'Night-3']) await report(`${tenant}/a@${run}`, 'drain');
    expect(await namesOf(tenant, '?limit=1&q=night')).toEqual([`${tenant}/a@Night-3`]);
    expect(await namesOf(tenant, '?limit=1&q=a@n&chart=a')).toEqual([`${tenant}/a@Night-3`]);
    expect(await namesOf(tenant, '?q=night&chart=b')).toEqual([]);
  });

  it('says which machines are late, failed or paused, and has only these if it is asked to', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const chart =
        'initial: a\nstates: {a: {after: {1h: bad}, on: {fail: bad, update: b}}, b: {type: final}, bad: {type: final, tags: [failed]}}';
      for (const name of ['late', 'failed', 'paused', 'done', 'new'])
        await upload(`${tenant}/${name}`, chart);
      await send('PUT', `/${tenant}/failed/state?state=a&event=fail`);
      await send('PUT', `/${tenant}/done/state?state=a`);
      await send('POST', `/${tenant}/paused/pause`);
      vi.setSystemTime(Date.now() + 50 * 60_000);
      await reset(`${tenant}/new`);
      for (const is of ['late', 'failed', 'paused', 'done']) {
        expect([is, await namesOf(tenant, `?is=${is}`)]).toEqual([is, [`${tenant}/${is}`]]);
      }
      expect(await namesOf(tenant, '?is=active')).toEqual(
        ['late', 'new', 'paused'].map((name) => `${tenant}/${name}`),
      );
      const page = await send('GET', `/${tenant}`, { headers: { Accept: 'text/html' } });
      expect(await page.text()).toMatch(
        />1 late<\/a>, <a [^>]*>1 failed<\/a>, <a [^>]*>1 paused<\/a> of 5 machines\./,
      );
      for (const name of ['is', 'sort', 'order']) {
        const { detail } = await problemOf(await send('GET', `/${tenant}?${name}=lost`));
        expect(detail).toContain(`\`${name}\` must be one of `);
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it('names the state of a count where two states count the same event', async () => {
    const region =
      'on: {update: {target: .done, quorum: 2}, fail: {target: .done, quorum: 3}}, initial: wait, states: {wait: {}, done: {}}';
    const regions = `eu: {${region}}, us: {${region.replace('fail', 'stop')}}`;
    await upload(`${tenant}/a`, `type: parallel\nstates: {${regions}}\n`);
    const text = await (await send('GET', `/${tenant}`, { headers: { Accept: 'text/html' } })).text();
    expect([...text.matchAll(/<p>([^<]* of \d)<\/p>/g)].map(([, count]) => count)).toEqual([
      'update at eu: 0 of 2',
      'update at us: 0 of 2',
      'fail: 0 of 3',
      'stop: 0 of 3',
    ]);
  });

  it('is never stale: it reads the machines themselves', async () => {
    await upload(`${tenant}/a`, CHART);
    for (const revision of [1, 2, 3]) {
      expect((await listOf(tenant)).machines[0]?.revision).toBe(revision);
      await report(`${tenant}/a`, 'drain');
    }
  });

  it('shows timers that have fired without a request', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      await upload(`${tenant}/a`, 'initial: a\nstates: {a: {after: {1h: b}}, b: {type: final}}');
      vi.setSystemTime(Date.now() + 3_600_000);
      expect((await listOf(tenant)).machines[0]).toMatchObject({ states: ['b'], status: 'done' });
    } finally {
      vi.useRealTimers();
    }
  });

  it('is empty for a tenant without machines, and leaves nothing behind', async () => {
    expect(await listOf(tenant)).toEqual({ tenant, machines: [] });
    expect(await inTenant(tenant, tablesOf)).toEqual([]);
  });

  it('loses a machine that is deleted, and has it again when it begins again', async () => {
    await upload(`${tenant}/a`, CHART);
    await upload(`${tenant}/b`, CHART);
    expect((await erase(`${tenant}/a`)).status).toBe(204);
    expect(await namesOf(tenant)).toEqual([`${tenant}/b`]);
    await upload(`${tenant}/a`, CHART);
    expect(await namesOf(tenant)).toEqual([`${tenant}/a`, `${tenant}/b`]);
  });

  it('survives an eviction', async () => {
    await upload(`${tenant}/a`, CHART);
    await evictTenant(tenant);
    expect(await namesOf(tenant)).toEqual([`${tenant}/a`]);
  });

  it('does not have the service’s own machine', async () => {
    onTestFinished(await holdDefault(CHART));
    await ask('default', 'drain');
    expect(await namesOf('default-')).toEqual([]);
    expect((await send('GET', '/default')).status).toBe(404);
  });

  it('has no machine that could not be started', async () => {
    expect((await upload(`${tenant}/a`, 'initial: nowhere')).status).toBe(422);
    expect((await ask(`${tenant}/b`, 'drain')).status).toBe(404);
    expect(await inTenant(tenant, tablesOf)).toEqual([]);
    expect(await tracesOf(`${tenant}/b`)).toEqual({ tables: [], alarm: null });
  });

  it('shows a machine that does not answer as unknown, and the others as usual', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    await upload(`${tenant}/a`, CHART);
    await upload(`${tenant}/b`, CHART);
    await inStorage(`${tenant}/a`, ({ sql }) => {
      sql.exec("UPDATE machine SET entries = 7, snapshot = '{'");
    });
    const { machines } = await listOf(tenant);
    expect(machines).toMatchObject([
      { machine: `${tenant}/a`, status: 'unknown' },
      { machine: `${tenant}/b`, status: 'active' },
    ]);
    expect(log).toHaveBeenCalled();
    log.mockRestore();
  });
});

describe('pages', () => {
  it('come in the order of the addresses, a chart before its runs', async () => {
    const names = ['b', 'a@2', 'a', 'a@10', 'a-b', 'A'].map((name) => `${tenant}/${name}`);
    for (const chart of ['a', 'b', 'a-b', 'A']) await putChart(`${tenant}/${chart}`, CHART);
    for (const name of names) await report(name, 'drain');
    const sorted = ['A', 'a', 'a@10', 'a@2', 'a-b', 'b'].map((name) => `${tenant}/${name}`);
    expect(await namesOf(tenant)).toEqual(sorted);
    const seen: string[] = [];
    for (let after = ''; ; ) {
      const page = await listOf(tenant, `?limit=2${after}`);
      seen.push(...page.machines.map(({ machine }) => machine));
      if (page.after === undefined) break;
      expect(page.machines).toHaveLength(2);
      after = `&after=${encodeURIComponent(page.after)}`;
    }
    expect(seen).toEqual(sorted);
  });

  it('have at most `limit` machines, and say if there are more', async () => {
    await inTenant(tenant, () => undefined);
    await upload(`${tenant}/a`, CHART);
    await upload(`${tenant}/b`, CHART);
    expect(await listOf(tenant, '?limit=2')).not.toHaveProperty('after');
    expect((await listOf(tenant, '?limit=1')).after).toBe(`${tenant}/a`);
    expect(await namesOf(tenant, `?after=${tenant}/b`)).toEqual([]);
    expect(LIST_PAGE).toBeLessThan(LIST_PAGE_MAX);
  });

  it('cost at most as many subrequests as the free plan has', async () => {
    await putChart(`${tenant}/a`, CHART);
    for (let run = 0; run <= LIST_PAGE_MAX; run++) await report(`${tenant}/a@${run}`, 'drain');
    const read = vi.spyOn(Machine.prototype, 'read');
    const members = vi.spyOn(Tenant.prototype, 'members');
    const { machines, after } = await listOf(tenant, `?limit=${LIST_PAGE_MAX}`);
    expect([machines.length, typeof after]).toEqual([LIST_PAGE_MAX, 'string']);
    const reads = callsOn(read, ...machines.map(({ machine }) => machine));
    expect(reads).toBe(LIST_PAGE_MAX);
    // The rate limit may be one more.
    expect(1 + reads + callsOn(members, tenant)).toBeLessThanOrEqual(50);
    for (const spy of [read, members]) spy.mockRestore();
  });

  it.each([
    ['limit=0', '`limit`'],
    [`limit=${LIST_PAGE_MAX + 1}`, '`limit`'],
    ['limit=x', '`limit`'],
    ['after=nonsense', '`after`'],
    ['after=other/a', '`after`'],
    ['after=../a', '`after`'],
    ['chart=a/b', 'chart'],
    ['chart=', 'chart'],
    ["chart='%20OR%201=1", 'chart'],
  ])('are refused with wrong parameters: ?%s', async (query, what) => {
    const response = await send('GET', `/${tenant}?${query}`);
    expect(response.status).toBe(400);
    expect((await problemOf(response)).detail).toContain(what);
  });

  it('can be of one chart', async () => {
    for (const chart of ['a', 'ab']) await putChart(`${tenant}/${chart}`, CHART);
    for (const name of ['a', 'a@1', 'ab', 'ab@1']) await report(`${tenant}/${name}`, 'drain');
    expect(await namesOf(tenant, '?chart=a')).toEqual([`${tenant}/a`, `${tenant}/a@1`]);
    expect(await namesOf(tenant, '?chart=b')).toEqual([]);
    expect((await listOf(tenant, '?chart=a&limit=1')).after).toBe(`${tenant}/a`);
    expect(await namesOf(tenant, `?chart=a&after=${tenant}/a`)).toEqual([`${tenant}/a@1`]);
  });
});

describe('a caller with a token', () => {
  it('gets the machines that it may read, in full pages', async () => {
    for (const chart of ['a', 'b', 'c', 'd']) await upload(`${tenant}/${chart}`, CHART);
    const token = await tokenFor([`${tenant}/b`, `${tenant}/d`, 'other/*'], 'read');
    const first = await (await sendAs(token, 'GET', `/${tenant}?limit=1`)).json<{ after?: string }>();
    expect(first).toMatchObject({ machines: [{ machine: `${tenant}/b` }], after: `${tenant}/b` });
    const last = await sendAs(token, 'GET', `/${tenant}?limit=1&after=${first.after}`);
    const body = await last.json();
    expect(body).toMatchObject({ machines: [{ machine: `${tenant}/d` }] });
    expect(body).not.toHaveProperty('after');
  });

  it('is told that there is none that it may read, not that there is none', async () => {
    await upload(`${tenant}/a`, CHART);
    const token = await tokenFor([`${tenant}/b`], 'read');
    const page = await sendAs(token, 'GET', `/${tenant}`, { headers: { Accept: 'text/html' } });
    expect(await page.text()).toContain('has no machines yet that your token may read.');
  });
});

describe('a machine that is in the registry and is not there', () => {
  it('is not shown, and leaves the registry', async () => {
    await upload(`${tenant}/a`, CHART);
    const before = await inTenant(tenant, totalOf);
    // As if the process had been killed after it was entered, and before it began.
    await inTenant(tenant, (sql) => {
      sql.exec("INSERT INTO machine (chart, run, bytes) VALUES ('lost', '', 7)");
      sql.exec('UPDATE total SET machines = machines + 1, bytes = bytes + 7');
    });
    expect(await inTenant(tenant, totalOf)).toEqual({ machines: 2, bytes: before.bytes + 7 });
    expect(await namesOf(tenant)).toEqual([`${tenant}/a`]);
    expect(await inTenant(tenant, totalOf)).toEqual(before);
    expect(await tracesOf(`${tenant}/lost`)).toEqual({ tables: [], alarm: null });
  });

  it('stays in the registry if the list is read while it starts', async () => {
    await putChart(`${tenant}/a`, CHART);
    for (let i = 0; i < 20; i++) {
      const answers = await Promise.all([
        ask(`${tenant}/a`, 'drain'),
        ...Array.from({ length: 5 }, () => send('GET', `/${tenant}`)),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
      expect(await namesOf(tenant)).toEqual([`${tenant}/a`]);
      await erase(`${tenant}/a`);
      expect(await namesOf(tenant)).toEqual([]);
    }
  });

  it('is right after any order of starts, deletions and reads', async () => {
    await putChart(`${tenant}/a`, CHART);
    await ask(`${tenant}/a`, 'drain');
    const one = await inTenant(tenant, totalOf);
    expect(one.machines).toBe(1);
    for (let i = 0; i < 20; i++) {
      await Promise.all(
        Array.from({ length: 12 }, () => {
          const lot = Math.floor(Math.random() * 4);
          if (lot === 0) return erase(`${tenant}/a`);
          if (lot === 1) return send('GET', `/${tenant}`);
          return lot === 2 ? ask(`${tenant}/a`, 'drain') : reset(`${tenant}/a`);
        }),
      );
      const { tables } = await tracesOf(`${tenant}/a`);
      expect(await inTenant(tenant, totalOf)).toEqual(tables.length > 0 ? one : { machines: 0, bytes: 0 });
    }
  });
});

function tablesOf(sql: SqlStorage): unknown[] {
  return sql.exec('SELECT name FROM sqlite_master').toArray();
}

function totalOf(sql: SqlStorage): { machines: number; bytes: number } {
  const found = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'total'").toArray();
  if (found.length === 0) return { machines: 0, bytes: 0 };
  return sql.exec<{ machines: number; bytes: number }>('SELECT machines, bytes FROM total').one();
}
