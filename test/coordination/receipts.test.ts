/** Receipts are bounded for ever: the newest 10,000 are kept, and some hundreds until they are dropped together. */
import { describe, expect, it } from 'vitest';
import { RECEIPTS, RECEIPTS_SLACK } from '../../src/limits.ts';
import { type Receipt, ReceiptTable, reportKey, requestKey } from '../../src/store/receipts.ts';
import { counting, final, newChart, sequence } from '../charts.ts';
import { ask, evict, inStorage } from '../service.ts';
import { documentOf, put } from './callers.ts';

const long = sequence(counting('drain', 'done', 1_000_000), final('done'));

describe('receipts', () => {
  it('are never more than 10,000 and some', async () => {
    const address = await started();
    const most = await inStorage(address, ({ sql }) => {
      const table = new ReceiptTable(sql);
      let most = 0;
      for (let from = 0; from < 25_000; from += 250) {
        table.keep(numbered(from, from + 250));
        most = Math.max(most, countIn(sql));
      }
      return most;
    });
    expect(most).toBeLessThan(RECEIPTS + RECEIPTS_SLACK);
    expect(most).toBeGreaterThanOrEqual(RECEIPTS);
  });

  it('are the newest ones', async () => {
    const address = await started();
    await inStorage(address, ({ sql }) => {
      const table = new ReceiptTable(sql);
      for (let from = 0; from < 25_000; from += 250) table.keep(numbered(from, from + 250));
      for (const kept of [24_999, 24_999 - RECEIPTS + 1]) {
        expect(table.find(requestKey(`k${kept}`))).toMatchObject({ request: `${kept}` });
      }
      expect(table.find(requestKey(`k${24_999 - RECEIPTS - RECEIPTS_SLACK}`))).toBeUndefined();
      expect(table.find(requestKey('k0'))).toBeUndefined();
    });
  });

  it('are bounded where each is of another life of the object', async () => {
    const address = await started();
    const most = await inStorage(address, ({ sql }) => {
      let most = 0;
      for (let from = 0; from < 22_000; from += 1_000) {
        new ReceiptTable(sql).keep(numbered(from, from + 1_000));
        most = Math.max(most, countIn(sql));
      }
      return most;
    });
    expect(most).toBeLessThanOrEqual(RECEIPTS + RECEIPTS_SLACK);
  });

  it('do not grow where the same few callers report for ever', async () => {
    const address = await started();
    await inStorage(address, ({ sql }) => {
      const table = new ReceiptTable(sql);
      for (let visit = 1; visit <= 12_000; visit++) {
        table.keep([{ ...empty, key: reportKey(1, 'update', `web-${visit % 7}`), visit }]);
      }
      expect(countIn(sql)).toBe(7);
      expect(table.find(reportKey(1, 'update', 'web-0'))?.visit).toBe(11_998);
    });
  });

  it('are dropped by the commit that keeps another one', async () => {
    const address = await started();
    await put(address, 'drain', { by: 'first' });
    await inStorage(address, ({ sql }) => {
      const table = new ReceiptTable(sql);
      for (let from = 0; from < RECEIPTS + RECEIPTS_SLACK - 2; from += 1_000) {
        table.keep(numbered(from, Math.min(from + 1_000, RECEIPTS + RECEIPTS_SLACK - 2)));
      }
      expect(countIn(sql)).toBe(RECEIPTS + RECEIPTS_SLACK - 1);
    });
    // The machine has to count them anew, as it does after a deploy.
    await evict(address);
    expect((await put(address, 'drain', { by: 'last' })).status).toBe(200);
    expect(await inStorage(address, ({ sql }) => countIn(sql))).toBe(RECEIPTS);
    expect((await documentOf(address)).quorums).toMatchObject([{ have: 2, by: ['last'] }]);
  });

  it('of plain reports are none', async () => {
    const address = await started();
    for (let i = 0; i < 3; i++) await put(address, 'drain');
    expect(await inStorage(address, ({ sql }) => countIn(sql))).toBe(0);
  });
});

const empty: Omit<Receipt, 'key'> = { visit: 0, began: 0, request: '', answer: '' };

async function started(): Promise<string> {
  const address = await newChart(long);
  await ask(address, 'drain');
  return address;
}

/** Receipts of requests, the oldest first. */
function numbered(from: number, until: number): Receipt[] {
  return Array.from({ length: until - from }, (_, i) => ({
    ...empty,
    key: requestKey(`k${from + i}`),
    request: `${from + i}`,
  }));
}

function countIn(sql: SqlStorage): number {
  return sql.exec<{ rows: number }>('SELECT count(*) AS rows FROM receipt').one().rows;
}
