import { describe, expect, it } from 'vitest';
import { HISTORY_CHECK, HISTORY_LENGTH, HISTORY_PAGE_LENGTH } from '../../../src/limits.ts';
import { counting, final, newChart, sequence } from '../../charts.ts';
import { together } from '../../objects/callers.ts';
import { watch } from '../../objects/events.ts';
import {
  ask,
  evict,
  type HistoryDocument,
  historyOf,
  problemOf,
  report,
  reportTimes,
  send,
  updateAt,
} from '../../service.ts';

const chart = sequence(counting('a', 'b', 2), counting('b', 'c', 100), final('c'));

describe('the history', () => {
  it('lists the changes, newest first', async () => {
    const before = Date.now();
    const address = await newChart(chart);
    await reportTimes(address, 'a', 2);
    const { machine, history } = await historyOf(address);
    expect(machine).toBe(address);
    expect(history).toMatchObject([
      { revision: 3, cause: 'update', event: 'update', from: ['a'], to: ['b'] },
      { revision: 2, cause: 'update', event: 'update', from: ['a'], to: ['a'] },
      { revision: 1, cause: 'start', event: null, from: [], to: ['a'] },
    ]);
    for (const { at } of history) {
      expect(new Date(at).toISOString()).toBe(at);
      expect(Date.parse(at)).toBeGreaterThanOrEqual(before);
      expect(Date.parse(at)).toBeLessThanOrEqual(Date.now());
    }
  });

  it('has no entry for a refusal or a read', async () => {
    const address = await newChart(chart);
    await ask(address, 'a');
    await report(address, 'b');
    await report(address, 'nothing');
    expect((await historyOf(address)).history).toHaveLength(1);
  });

  it('has the machine’s revision as its entity tag, on every page', async () => {
    const address = await newChart(chart);
    await reportTimes(address, 'a', 2);
    const response = await send('GET', `/${address}/history?before=2`);
    expect(response.headers.get('ETag')).toBe('"3"');
    expect(response.headers.get('Content-Type')).toBe('application/json');
  });
});

describe('a history of long entries', () => {
  // An entry names the active states thrice: some 45,000 characters.
  const names = Array.from({ length: 30 }, (_, i) => `${i}-`.padEnd(500, 'x'));
  const states = Object.fromEntries(names.map((name) => [name, {}]));
  const on = { update: { quorum: 1_000_000, actions: [{ cancel: 'nothing' }] } };
  const REPORTS = 300;

  it('is bounded in length, and read in pages of bounded length', async () => {
    const address = await newChart(JSON.stringify({ id: 'all', type: 'parallel', states, on }));
    await together(address, (machine) =>
      Array.from({ length: REPORTS }, () => updateAt(machine, { state: 'all', event: 'update' })),
    );
    await evict(address);
    await report(address, 'all');
    const seen: number[] = [];
    let length = 0;
    for (let query: string | undefined = '?limit=1000'; query !== undefined; ) {
      const text = await (await send('GET', `/${address}/history${query}`)).text();
      expect(text.length).toBeLessThan(HISTORY_PAGE_LENGTH * 1.5);
      length += text.length;
      const { history, before }: HistoryDocument = JSON.parse(text);
      seen.push(...history.map(({ revision }) => revision));
      query = before === undefined ? undefined : `?limit=1000&before=${before}`;
    }
    expect(length).toBeGreaterThan(HISTORY_LENGTH / 2);
    expect(length).toBeLessThan((HISTORY_LENGTH + HISTORY_CHECK) * 1.5);
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => REPORTS + 2 - i));
    const watcher = await watch(address, { after: '0' });
    expect(await watcher.next()).toMatchObject({
      event: 'gap',
      data: { from: 1, to: REPORTS + 2 - seen.length },
    });
    expect((await watcher.take(seen.length)).map(({ id }) => id)).toEqual([...seen].reverse());
    await watcher.close();
  });
});

describe('a page of the history', () => {
  it('has `limit` entries, and says where the next page begins', async () => {
    const address = await newChart(chart);
    await reportTimes(address, 'a', 2);
    await reportTimes(address, 'b', 4);
    const first = await historyOf(address, '?limit=3');
    expect(first.history.map(({ revision }) => revision)).toEqual([7, 6, 5]);
    expect(first.before).toBe(5);
    const second = await historyOf(address, `?limit=3&before=${first.before}`);
    expect(second.history.map(({ revision }) => revision)).toEqual([4, 3, 2]);
    const third = await historyOf(address, `?limit=3&before=${second.before}`);
    expect(third.history.map(({ revision }) => revision)).toEqual([1]);
    expect(third).not.toHaveProperty('before');
  });

  it('has 100 entries by default', async () => {
    const address = await newChart(sequence(counting('a', 'b', 1_000), final('b')));
    await Promise.all(Array.from({ length: 120 }, () => report(address, 'a')));
    const { history, before } = await historyOf(address);
    expect(history.map(({ revision }) => revision)).toEqual(Array.from({ length: 100 }, (_, i) => 121 - i));
    expect(before).toBe(22);
  });

  it('is empty before the first entry, and complete before a future one', async () => {
    const address = await newChart(chart);
    await reportTimes(address, 'a', 1);
    expect((await historyOf(address, '?before=1')).history).toEqual([]);
    expect((await historyOf(address, '?before=9007199254740991')).history).toHaveLength(2);
  });

  it('accepts the smallest and the largest limit', async () => {
    const address = await newChart(chart);
    await reportTimes(address, 'a', 1);
    expect((await historyOf(address, '?limit=1000')).history).toHaveLength(2);
    expect((await historyOf(address, '?limit=1')).history).toHaveLength(1);
  });

  it.each([
    'limit=0',
    'limit=1001',
    'limit=-1',
    'limit=1.5',
    'limit=1e2',
    'limit=0x10',
    'limit=',
    'limit=%2010',
    'limit=ten',
    'limit=99999999999999999999',
    'limit=%D9%A1',
    'before=0',
    'before=-1',
    'before=',
    'before=now',
    'before=9007199254740992',
    'before=NaN',
    'before=2&limit=0',
  ])('is 400 for %s and says what would be right', async (query) => {
    const address = await newChart(chart);
    const response = await send('GET', `/${address}/history?${query}`);
    expect(response.status).toBe(400);
    const wrong = query.split('&').at(-1)?.split('=')[0];
    expect(await problemOf(response)).toMatchObject({
      type: 'urn:stateservice:problem:wrong-parameter',
      detail: expect.stringMatching(`^\`${wrong}\` must be a whole number from 1 to \\d+`),
    });
  });
});
