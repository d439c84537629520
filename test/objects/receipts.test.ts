/** Receipts are bounded for ever: the newest 20,000 of a kind are kept, and some hundreds until they are dropped together. */
import { describe, expect, it } from 'vitest';
import { DATA_BYTES, EVENT_LENGTH } from '../../src/chart-limits.ts';
import { RECEIPT_BYTES, RECEIPTS, RECEIPTS_SLACK, REPORT_DATA, REPORT_DATA_SLACK } from '../../src/limits.ts';
import { CALLER_LENGTH, IF_MATCH_BYTES, KEY_LENGTH, STATE_BYTES } from '../../src/request-limits.ts';
import {
  type Receipt,
  ReceiptTable,
  reportAnswer,
  reportKey,
  requestKey,
} from '../../src/store/receipt-table.ts';
import { counting, final, newChart, sequence } from '../charts.ts';
import { ask, evict, inStorage } from '../service.ts';
import { claim, documentOf, put, refusedOf } from './callers.ts';

const NOON = Date.parse('2040-06-01T12:00:00Z');

const long = sequence(counting('drain', 'done', 1_000_000), final('done'));

describe('receipts', () => {
  it('are never more than 20,000 of a kind and the slack', async () => {
    const address = await started();
    const most = await inStorage(address, ({ sql }) => {
      const table = new ReceiptTable(sql);
      let most = 0;
      for (let from = 0; from < 45_000; from += 250) {
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
      for (let from = 0; from < 45_000; from += 250) table.keep(numbered(from, from + 250));
      for (const kept of [44_999, 44_999 - RECEIPTS + 1]) {
        expect(table.find(requestKey(`k${kept}`))).toMatchObject({ request: `${kept}` });
      }
      expect(table.find(requestKey(`k${44_999 - RECEIPTS - RECEIPTS_SLACK}`))).toBeUndefined();
      expect(table.find(requestKey('k0'))).toBeUndefined();
    });
  });

  it('are bounded if the object is evicted before each', async () => {
    const address = await started();
    const most = await inStorage(address, ({ sql }) => {
      let most = 0;
      for (let from = 0; from < 42_000; from += 1_000) {
        new ReceiptTable(sql).keep(numbered(from, from + 1_000));
        most = Math.max(most, countIn(sql));
      }
      return most;
    });
    expect(most).toBeLessThanOrEqual(RECEIPTS + RECEIPTS_SLACK);
  });

  it('do not grow if the same few callers report for ever', async () => {
    const address = await started();
    await inStorage(address, ({ sql }) => {
      const table = new ReceiptTable(sql);
      for (let visit = 1; visit <= 22_000; visit++) {
        table.keep([{ ...empty, key: reportKey(1, 'update', `web-${visit % 7}`), visit }]);
      }
      expect(countIn(sql)).toBe(7);
      expect(table.find(reportKey(1, 'update', 'web-0'))?.visit).toBe(21_994);
    });
  });

  it('are dropped by the commit that keeps another one', async () => {
    const address = await started();
    await put(address, 'drain', { by: 'first' });
    await inStorage(address, ({ sql }) => {
      const table = new ReceiptTable(sql);
      for (let from = 0; from < RECEIPTS + RECEIPTS_SLACK - 2; from += 1_000) {
        table.keep(reported(from, Math.min(from + 1_000, RECEIPTS + RECEIPTS_SLACK - 2), '0'));
      }
      expect(countIn(sql)).toBe(RECEIPTS + RECEIPTS_SLACK - 1);
    });
    // The machine has to count them again, as after a deploy.
    await evict(address);
    expect((await put(address, 'drain', { by: 'last' })).status).toBe(200);
    expect(await inStorage(address, ({ sql }) => countIn(sql))).toBe(RECEIPTS);
    const [quorum] = (await documentOf(address)).quorums;
    expect(quorum?.have).toBe(2);
    expect(quorum?.by).not.toContain('first');
  });

  it('of reports stay, however many keys a caller makes up', async () => {
    const address = await started();
    await put(address, 'drain', { by: 'first' });
    await inStorage(address, ({ sql }) => {
      const table = new ReceiptTable(sql);
      for (let from = 0; from < 3 * RECEIPTS; from += 1_000) table.keep(numbered(from, from + 1_000));
      expect(countIn(sql)).toBeLessThanOrEqual(1 + RECEIPTS + RECEIPTS_SLACK);
    });
    await evict(address);
    expect((await put(address, 'drain', { by: 'first', key: 'k' })).status).toBe(200);
    expect((await documentOf(address)).quorums).toMatchObject([{ have: 1, by: ['first'] }]);
  });

  it('are not kept of plain reports', async () => {
    const address = await started();
    for (let i = 0; i < 3; i++) await put(address, 'drain');
    expect(await inStorage(address, ({ sql }) => countIn(sql))).toBe(0);
  });
});

describe('the data in receipts', () => {
  const data = JSON.stringify('x'.repeat(DATA_BYTES - 2));
  const fitting = REPORT_DATA / DATA_BYTES;
  const slack = REPORT_DATA_SLACK / DATA_BYTES;

  it('are at most 8 MiB and the slack; the oldest are dropped, and their receipts stay', async () => {
    const address = await started();
    await inStorage(address, ({ sql }) => {
      const table = new ReceiptTable(sql);
      let most = 0;
      for (let from = 0; from < 2 * fitting; from += 50) {
        table.keep(reported(from, from + 50, data));
        most = Math.max(most, dataIn(sql));
      }
      expect(most).toBeLessThan(REPORT_DATA + REPORT_DATA_SLACK + 51 * DATA_BYTES);
      expect(dataIn(sql)).toBeGreaterThan(REPORT_DATA - DATA_BYTES);
      const { reports } = table.reportsOf(1, 7, 0, 100_000, Number.POSITIVE_INFINITY);
      expect(reports).toHaveLength(Math.ceil((2 * fitting) / 50) * 50);
      const first = reports.findIndex((report) => report.data !== undefined);
      expect(first).toBeGreaterThan(fitting - slack - 51);
      for (const [i, report] of reports.entries()) {
        expect([report.by, report.at, report.data]).toEqual([
          `web-${i}`,
          NOON + i,
          i < first ? undefined : data,
        ]);
      }
    });
  });

  it('are bounded if the object is evicted before each batch', async () => {
    const address = await started();
    await inStorage(address, ({ sql }) => {
      for (let from = 0; from < fitting + 4 * slack; from += slack)
        new ReceiptTable(sql).keep(reported(from, from + slack, data));
      expect(dataIn(sql)).toBeLessThan(REPORT_DATA + REPORT_DATA_SLACK + DATA_BYTES);
    });
  });

  it('do not go while they are overwritten by the same callers', async () => {
    const address = await started();
    await inStorage(address, ({ sql }) => {
      const table = new ReceiptTable(sql);
      for (let visit = 1; visit < 6; visit++) table.keep(reported(0, fitting / 2, data, visit));
      const { reports } = table.reportsOf(1, 5, 0, 100_000, Number.POSITIVE_INFINITY);
      expect(reports.filter((report) => report.data === undefined)).toEqual([]);
      expect(reports).toHaveLength(fitting / 2);
    });
  });

  it('of any kind are cut off whole', async () => {
    const address = await started();
    const values = ['null', '{"at":1}', '[",","}"]', '"é"'];
    await inStorage(address, ({ sql }) => {
      const table = new ReceiptTable(sql);
      table.keep(values.flatMap((value, i) => reported(i, i + 1, value)));
      const read = () => table.reportsOf(1, 7, 0, 4, 1_000).reports.map((report) => report.data);
      expect(read()).toEqual(values);
      table.keep(reported(10, 20 + fitting + slack, data));
      expect(read()).toEqual(values.map(() => undefined));
      expect(table.find(keyed(0).key)?.answer).toBe(`{"at":${NOON}}`);
    });
  });
});

describe('the receipt of a request with a key', () => {
  it('is as short for a long request as for a short one: it keeps a hash', async () => {
    const address = await started();
    const state = 's'.repeat(STATE_BYTES);
    expect((await put(address, state, { key: 'long' })).status).toBe(406);
    expect((await put(address, 's', { key: 'short' })).status).toBe(406);
    const requests = await inStorage(address, ({ sql }) =>
      sql
        .exec<{ request: string }>('SELECT request FROM receipt')
        .toArray()
        .map(({ request }) => request.length),
    );
    expect(requests).toEqual([43, 43]);
    expect((await put(address, `${state.slice(1)}t`, { key: 'long' })).status).toBe(422);
  });

  it('is bounded if the response is long: it has no lists, the first time and later', async () => {
    const address = await newChart(
      'initial: work\nstates: {work: {slots: 200, on: {update: {target: end, quorum: 9}}}, end: {}}',
    );
    for (let i = 0; i < 200; i++) await claim(address, 'work', `${i}-`.padEnd(200, 'x'));
    const first = await put(address, 'work', { by: 'nobody', key: 'k1' });
    const again = await put(address, 'work', { by: 'nobody', key: 'k1' });
    const text = await first.text();
    expect([first.status, again.status, await again.text()]).toEqual([406, 406, text]);
    expect(text).toContain('holds no slot');
    const most = await inStorage(address, ({ sql }) =>
      sql.exec<{ most: number }>('SELECT max(length(CAST(answer AS BLOB))) AS most FROM receipt').one(),
    );
    expect(most.most).toBeLessThanOrEqual(RECEIPT_BYTES);
    // Without a key nothing is kept, and nothing is shortened.
    const whole = await refusedOf(await put(address, 'work', { by: 'nobody' }));
    expect(whole.holders).toHaveLength(200);
  });

  it.each([
    ['state', { state: 's'.repeat(STATE_BYTES + 1) }, /`state` must have at most 8192 bytes/],
    ['state, in bytes and not in characters', { state: '準'.repeat(STATE_BYTES / 2) }, /`state` must have/],
    ['If-Match', { match: '"1",'.repeat(IF_MATCH_BYTES) }, /`If-Match` must have at most 1024 bytes/],
    ['event', { event: 'e'.repeat(EVENT_LENGTH + 1) }, /event's name has 1 to 255/],
    ['by', { by: 'b'.repeat(CALLER_LENGTH + 1) }, /`by` must be a name of 1 to 255/],
    ['Idempotency-Key', { key: 'k'.repeat(KEY_LENGTH + 1) }, /`Idempotency-Key` must have 1 to 255/],
  ])('is not kept if a parameter is too long: %s', async (_, words, detail) => {
    const address = await started();
    const { state = 'drain', ...more } = { state: undefined, ...words };
    const response = await put(address, state, { key: 'k1', ...more });
    expect(response.status).toBe(400);
    expect((await refusedOf(response)).detail).toMatch(detail);
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

/** Receipts of reports to one visit of a state, the oldest first. */
function reported(from: number, until: number, data: string, visit = 7): Receipt[] {
  return Array.from({ length: until - from }, (_, i) => ({
    ...empty,
    ...keyed(from + i),
    visit,
    answer: reportAnswer(NOON + from + i, data),
  }));
}

function keyed(i: number): { readonly key: string } {
  return { key: reportKey(1, 'update', `web-${i}`) };
}

/** Bytes of data in all receipts, about. */
function dataIn(sql: SqlStorage): number {
  return sql.exec<{ bytes: number }>('SELECT sum(octet_length(answer) - 22) AS bytes FROM receipt').one()
    .bytes;
}

function countIn(sql: SqlStorage): number {
  const tables = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'receipt'").toArray();
  return tables.length === 0
    ? 0
    : sql.exec<{ rows: number }>('SELECT count(*) AS rows FROM receipt').one().rows;
}
