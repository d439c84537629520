/** The outbox of a machine in real storage: its order, its bound, and what it says of messages that were dropped. */
import { describe, expect, it } from 'vitest';
import { NOTIFICATION_LENGTH, NOTIFICATIONS } from '../../src/limits.ts';
import type { HistoryEntry } from '../../src/store/history-table.ts';
import { OutboxTable } from '../../src/store/outbox-table.ts';
import { newAddress } from '../charts.ts';
import { inStorage, rowsOf } from '../service.ts';

function entry(id: number, more: Partial<HistoryEntry> = {}): HistoryEntry {
  const named = { event: null, state: null, by: null, sub: null };
  return {
    id,
    revision: id,
    at: id,
    cause: 'update',
    ...named,
    from: [],
    to: [],
    entered: [],
    notes: [],
    ...more,
  };
}

/** Runs a test with the outbox of an object that has nothing else. */
async function withOutbox(test: (table: OutboxTable, sql: SqlStorage) => void): Promise<void> {
  await inStorage(newAddress(), ({ sql }) => test(new OutboxTable(sql), sql));
}

describe('the outbox', () => {
  it('reads as empty, and makes no table, before its first message', () =>
    withOutbox((table, sql) => {
      expect([table.queues(), table.page(9, 9), table.dropped(), table.about(1)]).toEqual([[], [], [], []]);
      expect(table.first('OPS')).toBeUndefined();
      table.settle(
        { hook: 'OPS', entry: 1, at: 1, status: 'pending', attempts: 0, next: 1, failure: null },
        2,
        0,
        null,
      );
      expect(sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'notification'").toArray()).toEqual([]);
    }));

  it('gives the messages of each hook in the order of their entries', () =>
    withOutbox((table) => {
      for (const id of [1, 2, 3]) for (const hook of ['OPS', 'CHAT']) table.add(hook, entry(id), 100);
      const told: number[] = [];
      for (let message = table.first('OPS'); message !== undefined; message = table.first('OPS')) {
        told.push(message.content.id);
        table.settle(message, 200, 0, null);
      }
      expect(told).toEqual([1, 2, 3]);
      expect(table.queues()).toEqual([
        { hook: 'OPS', pending: 0, failed: 0, next: undefined },
        { hook: 'CHAT', pending: 3, failed: 0, next: 100 },
      ]);
    }));

  it('gives each message once if it forgets its counts while one is being sent', () =>
    withOutbox((table) => {
      for (const id of [1, 2, 3]) table.add('OPS', entry(id), 100);
      const told: number[] = [];
      for (let message = table.first('OPS'); message !== undefined; message = table.first('OPS')) {
        told.push(message.content.id);
        table.forget();
        table.settle(message, 200, 0, null);
      }
      expect(told).toEqual([1, 2, 3]);
    }));

  it('says the same after its memory is lost', () =>
    withOutbox((table, sql) => {
      for (const id of [1, 2, 3]) table.add('OPS', entry(id), 100);
      const first = table.first('OPS');
      if (first === undefined) throw new Error('there is none');
      table.settle(first, 150, 1, 'answered 410');
      const second = table.first('OPS');
      if (second === undefined) throw new Error('there is none');
      table.postpone(second, 900, 1, 'answered 500');
      const queues = [{ hook: 'OPS', pending: 2, failed: 1, next: 900 }];
      expect(table.queues()).toEqual(queues);
      expect(new OutboxTable(sql).queues()).toEqual(queues);
      expect(new OutboxTable(sql).first('OPS')).toEqual(table.first('OPS'));
    }));

  it('keeps the newest messages of each hook, and says how many that were to be sent are gone', () =>
    withOutbox((table, sql) => {
      table.add('CHAT', entry(1), 100);
      for (let id = 1; id <= NOTIFICATIONS + 7; id++) table.add('OPS', entry(id), 100 + id);
      expect(table.queues().find(({ hook }) => hook === 'OPS')).toEqual({
        hook: 'OPS',
        pending: NOTIFICATIONS,
        failed: 0,
        next: 108,
      });
      expect(table.first('OPS')?.entry).toBe(8);
      expect(table.first('CHAT')?.entry).toBe(1);
      const gone = { hook: 'OPS', count: 7, first: 1, last: 7, at: 100 + NOTIFICATIONS + 7 };
      expect(table.dropped()).toEqual([gone]);
      expect(rowsOf(sql, 'notification')).toHaveLength(NOTIFICATIONS + 1);
    }));

  it('drops what was sent without a word', () =>
    withOutbox((table) => {
      for (let id = 1; id <= NOTIFICATIONS; id++) table.add('OPS', entry(id), id);
      const first = table.first('OPS');
      if (first === undefined) throw new Error('there is none');
      table.settle(first, 5_000, 0, null);
      table.add('OPS', entry(NOTIFICATIONS + 1), 5_000);
      expect(table.dropped()).toEqual([]);
      expect(table.queues()).toMatchObject([{ pending: NOTIFICATIONS, next: 2 }]);
    }));

  it('lets a message that was dropped while it was sent settle nothing', () =>
    withOutbox((table) => {
      table.add('OPS', entry(1), 100);
      const sent = table.first('OPS');
      if (sent === undefined) throw new Error('there is none');
      for (let id = 2; id <= NOTIFICATIONS + 1; id++) table.add('OPS', entry(id), 100);
      table.settle(sent, 200, 0, null);
      expect(table.queues()).toMatchObject([{ pending: NOTIFICATIONS }]);
      expect(table.first('OPS')?.entry).toBe(2);
    }));

  it('sends a message again before those that are behind it', () =>
    withOutbox((table) => {
      for (const id of [1, 2]) table.add('OPS', entry(id), 100);
      const first = table.first('OPS');
      if (first === undefined) throw new Error('there is none');
      table.settle(first, 200, 3, 'answered 410');
      table.resend('OPS', 1, 300);
      expect(table.first('OPS')).toMatchObject({ entry: 1, attempts: 0, at: 300, next: 300, failure: null });
      expect(table.queues()).toMatchObject([{ pending: 2, failed: 0 }]);
    }));

  it('bounds each message, and leaves a whole one as it is', () =>
    withOutbox((table, sql) => {
      const names = Array.from({ length: 200 }, (_, i) => `${i}"`.repeat(100));
      const data = JSON.stringify('x'.repeat(4_000));
      const long = entry(1, { from: names, to: names, entered: names, notes: names, data });
      table.add('OPS', long, 100);
      table.add('OPS', entry(2, { to: ['a'], data }), 100);
      const lengths = rowsOf(sql, 'notification').map(({ content }) => String(content).length);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(NOTIFICATION_LENGTH);
      const content = table.first('OPS')?.content;
      expect(content).toMatchObject({ data, id: 1 });
      expect(content?.to.length).toBeGreaterThan(0);
      expect(names.slice(0, content?.to.length)).toEqual(content?.to);
    }));

  it('pages by entries, with all messages about each', () =>
    withOutbox((table) => {
      for (const id of [1, 2, 3]) for (const hook of ['OPS', 'CHAT']) table.add(hook, entry(id), 100);
      expect(table.page(3, 2).map(({ hook, entry: id }) => `${id} ${hook}`)).toEqual([
        '2 CHAT',
        '2 OPS',
        '1 CHAT',
        '1 OPS',
      ]);
    }));
});
