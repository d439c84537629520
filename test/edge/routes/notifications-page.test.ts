/** The page of a machine's notifications. `../../objects/notifications.test.ts` tests when messages are sent. */
import { describe, expect, it, vi } from 'vitest';
import type { Right } from '../../../src/grant.ts';
import { NOTIFICATION_LENGTH, NOTIFICATIONS, NOTIFICATIONS_PAGE } from '../../../src/limits.ts';
import type { HistoryEntry } from '../../../src/store/history-table.ts';
import { OutboxTable } from '../../../src/store/outbox-table.ts';
import { newChart } from '../../charts.ts';
import { beginAtNoon, NOON } from '../../noon.ts';
import { evict, inStorage, send } from '../../service.ts';
import { sendAs, tokenFor } from '../../tokens.ts';

beginAtNoon();

const HTML = { Accept: 'text/html' };

const chartFor = (...hooks: readonly string[]) =>
  JSON.stringify({
    initial: 'a',
    notify: hooks.map((to) => ({ on: 'a', to })),
    states: { a: { on: { update: { target: 'a', reenter: true } } } },
  });

async function pageOf(address: string, query = ''): Promise<string> {
  const response = await send('GET', `/${address}/notifications${query}`, { headers: HTML });
  expect([response.status, response.headers.get('Content-Type')]).toEqual([200, 'text/html;charset=UTF-8']);
  return response.text();
}

/** The page once it has a text. */
async function pageWith(address: string, text: string): Promise<string> {
  return vi.waitUntil(
    async () => {
      const page = await pageOf(address);
      return page.includes(text) && page;
    },
    { timeout: 20_000, interval: 5 },
  );
}

/** The text of a page's section about a hook. */
function sectionOf(page: string, hook: string): string {
  const [, section = ''] = new RegExp(`<h2 id="hook-${hook}">(.*?)</section>`, 's').exec(page) ?? [];
  return section.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');
}

describe('the page of notifications', () => {
  it('is for browsers alone: a program gets JSON', async () => {
    const address = await newChart(chartFor('OPS'));
    for (const accept of ['*/*', 'application/json', 'application/json, text/html;q=0.5']) {
      const response = await send('GET', `/${address}/notifications`, { headers: { Accept: accept } });
      expect([response.headers.get('Content-Type'), response.headers.get('Vary')]).toEqual([
        'application/json',
        'Accept',
      ]);
      expect(
        Object.keys((await response.json<{ hooks: object[]; notifications: object[] }>()) ?? {}),
      ).toEqual(['machine', 'hooks', 'notifications']);
    }
    await pageOf(address);
  });

  it('says of each hook what waits, what was given up and why, and what was sent, with times and entries', async () => {
    vi.setSystemTime(NOON);
    const address = await newChart(chartFor('OPS', 'GONE', 'BROKEN', 'NONE'));
    await send('GET', `/${address}`);
    await pageWith(address, 'answered 500');
    await pageWith(address, 'answered 410');
    const page = await pageWith(address, 'sent at');
    expect(page).toContain(`<a href="/${address}/history?before=2#e1">entry 1</a>`);
    // What is wrong is first.
    expect([...page.matchAll(/<h2 id="hook-(\w+)"/g)].map(([, hook]) => hook)).toEqual([
      'GONE',
      'NONE',
      'BROKEN',
      'OPS',
    ]);
    const [ops, gone, broken, none] = ['OPS', 'GONE', 'BROKEN', 'NONE'].map((hook) => sectionOf(page, hook));
    expect(ops).toMatch(/Nothing waits\..*Sent entry 1 start → a ✓ sent at 12:00 UTC, \S+ ago/);
    expect(gone).toMatch(/^ ?GONE ✗ 1 message was given up\. Nothing waits\./);
    expect(gone).toMatch(
      /Given up entry 1 start → a ✗ given up at 12:00 UTC, \S+ ago 1 attempt has failed: answered 410/,
    );
    expect(gone).toContain(
      `curl -sf -X POST &#39;https://service.test/${address}/notifications/1?to=GONE&amp;by=NAME&#39;`,
    );
    expect(broken).toMatch(/1 message waits\. The next attempt is at 12:00 UTC, in \S+ \./);
    expect(broken).toMatch(
      /Waiting, the oldest first entry 1 start → a ● next attempt at 12:00 UTC, in \S+ \d+ attempts? ha(s|ve) failed.*: answered 500/,
    );
    expect(none).toContain('✗ HOOK_NONE is not set');
  });

  it('has pages, and says where messages were dropped', async () => {
    const address = await newChart(chartFor('OPS'));
    await send('GET', `/${address}`);
    await pageWith(address, 'sent at');
    await fill(address, NOTIFICATIONS + 20);
    const first = await pageOf(address);
    const entries = (page: string) =>
      [...page.matchAll(/#e(\d+)">entry \d+<\/a><div>/g)].map(([, id]) => Number(id));
    expect(entries(first)).toHaveLength(NOTIFICATIONS_PAGE);
    expect(sectionOf(first, 'OPS')).toMatch(
      /✗ \d+ messages were dropped to make room, .*: from entry \d+ to entry \d+ \./,
    );
    const [, older = ''] = /href="[^"]*\/notifications(\?before=\d+)"/.exec(first) ?? [];
    const second = await pageOf(address, older);
    // Of the newest messages that wait, the one that is sent first is in front.
    expect(entries(first)).toEqual(entries(first).toSorted((a, b) => a - b));
    expect(entries(second).at(-1)).toBe((entries(first)[0] ?? 0) - 1);
    expect(second).toContain(`href="/${address}/notifications">`);
    // A browser gets no larger page.
    expect(entries(await pageOf(address, '?limit=1000'))).toHaveLength(NOTIFICATIONS_PAGE);
    expect(entries(await pageOf(address, '?limit=3'))).toHaveLength(3);
  });

  it('is under 200 kB with the longest messages to five hooks', async () => {
    const hooks = ['A', 'B', 'C', 'D', 'E'].map((letter) => `N${letter.repeat(62)}`);
    const address = await newChart(chartFor(...hooks));
    await send('GET', `/${address}`);
    await fill(address, 150, hooks);
    const page = await pageOf(address);
    expect(page.length).toBeGreaterThan(20_000);
    expect(new TextEncoder().encode(page).byteLength).toBeLessThan(200_000);
  });

  it('offers to send again only to those who may', async () => {
    const address = await newChart(chartFor('GONE'));
    await send('GET', `/${address}`);
    await pageWith(address, 'given up</span>');
    const seen = async (...can: Right[]) =>
      (
        await sendAs(await tokenFor(address, ...can), 'GET', `/${address}/notifications`, { headers: HTML })
      ).text();
    expect(await seen('read')).not.toContain('curl');
    expect(await seen('read', 'operate')).toContain('Authorization: Bearer $TOKEN');
  });

  it('says so where the chart names no hook, and where a run has not begun', async () => {
    const address = await newChart('initial: a\nstates: {a: {}}');
    expect(await pageOf(address)).toContain('Nobody is told');
    const told = `${await newChart(chartFor('OPS'))}@run`;
    expect(sectionOf(await pageOf(told), 'OPS')).toContain('No message yet.');
  });
});

/** Puts messages into the outbox that wait, each about an entry that is as long as it can be. */
async function fill(address: string, count: number, hooks: readonly string[] = ['OPS']): Promise<void> {
  const names = Array.from({ length: 64 }, () => '<'.repeat(NOTIFICATION_LENGTH / 128));
  const entry: HistoryEntry = {
    id: 0,
    revision: 1,
    at: NOON,
    cause: 'update',
    event: '&'.repeat(120),
    state: '"'.repeat(500),
    by: null,
    sub: null,
    from: [],
    to: names,
    entered: names,
    notes: [],
  };
  await inStorage(address, ({ sql }) => {
    const table = new OutboxTable(sql);
    for (let id = 10; id < 10 + count; id++)
      for (const hook of hooks) table.add(hook, { ...entry, id }, NOON);
  });
  await evict(address);
}
