/** Messages to hooks as the machine keeps them: when they are tried again, and for how long. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { NOTIFICATION_RETRIES } from '../../src/limits.ts';
import { newChart } from '../charts.ts';
import { beginAtNoon } from '../noon.ts';
import {
  atSecond,
  evict,
  executeAt,
  inStorage,
  machinePath,
  objectAt,
  problemOf,
  rowsOf,
  send,
  tracesOf,
} from '../service.ts';
import { put } from './callers.ts';

const SECOND = 1_000;
const HOUR = 60 * 60 * SECOND;

beginAtNoon();

const chartFor = (...hooks: readonly string[]) =>
  JSON.stringify({
    initial: 'a',
    notify: hooks.map((to) => ({ on: 'a', to })),
    states: { a: { on: { update: { target: 'a', reenter: true } } } },
  });

interface Outbox {
  readonly hooks: readonly { readonly hook: string; readonly pending: number; readonly failed: number }[];
  readonly notifications: readonly {
    readonly id: number;
    readonly hook: string;
    readonly status: string;
    readonly attempts: number;
    readonly failure: string | null;
    readonly next?: string;
  }[];
  readonly before?: number;
}

async function outboxOf(address: string, query = ''): Promise<Outbox> {
  return (await send('GET', `${machinePath(address)}/notifications${query}`)).json();
}

/** Waits until the outbox is so. */
async function outboxWhen(address: string, isSo: (outbox: Outbox) => boolean): Promise<Outbox> {
  return vi.waitUntil(
    async () => {
      const outbox = await outboxOf(address);
      return isSo(outbox) && outbox;
    },
    { timeout: 20_000, interval: 5 },
  );
}

/** The alarm goes off. The platform would delete it first. */
async function alarm(address: string): Promise<void> {
  await inStorage(address, (_, machine) => machine.alarm());
}

describe('a message that its receiver does not take', () => {
  it('is tried again after pauses that grow, and given up after a day', async () => {
    const address = await newChart(chartFor('BROKEN'));
    await put(address, 'a');
    const began = Date.now();
    for (let attempts = 1; ; attempts++) {
      const { notifications } = await outboxWhen(address, (outbox) =>
        outbox.notifications.every((message) => message.id !== 1 || message.attempts === attempts),
      );
      const first = notifications.find(({ id }) => id === 1);
      expect(first?.failure).toBe('answered 500');
      if (first?.status === 'failed') break;
      const pause = Date.parse(first?.next ?? '') - Date.now();
      const most = Math.min(5 * SECOND * 2 ** (attempts - 1), HOUR);
      expect(pause).toBeGreaterThanOrEqual(most / 2);
      expect(pause).toBeLessThanOrEqual(most + 1);
      vi.setSystemTime(Date.now() + pause);
      await alarm(address);
    }
    expect(Date.now() - began).toBeGreaterThanOrEqual(NOTIFICATION_RETRIES);
    expect(Date.now() - began).toBeLessThan(NOTIFICATION_RETRIES + HOUR);
    // The next one has had its day as well, and gets its one attempt.
    vi.setSystemTime(Date.now() + SECOND);
    await alarm(address);
    const { hooks } = await outboxWhen(address, (outbox) => outbox.hooks[0]?.failed === 2);
    expect(hooks).toMatchObject([{ hook: 'BROKEN', pending: 0, failed: 2 }]);
  });

  it('is tried again by an object that has forgotten all of it', async () => {
    const address = await newChart(chartFor('BROKEN'));
    await send('GET', `/${address}`);
    const { notifications } = await outboxWhen(address, (outbox) => outbox.notifications[0]?.attempts === 1);
    await evict(address);
    vi.setSystemTime(Date.parse(notifications[0]?.next ?? ''));
    await alarm(address);
    await outboxWhen(address, (outbox) => outbox.notifications[0]?.attempts === 2);
  });

  it('has an alarm, which does not wait for it', async () => {
    const address = await newChart(chartFor('BROKEN'));
    await send('GET', `/${address}`);
    const { notifications } = await outboxWhen(address, (outbox) => outbox.notifications[0]?.attempts === 1);
    vi.setSystemTime(Date.now() + HOUR);
    await alarm(address);
    await outboxWhen(address, (outbox) => outbox.notifications[0]?.attempts === 2);
    const next = (await outboxOf(address)).notifications[0]?.next;
    await vi.waitUntil(async () => (await tracesOf(address)).alarm === Date.parse(next ?? ''));
    expect(next).not.toBe(notifications[0]?.next);
  });

  it('is given up at once where the receiver is gone', async () => {
    const address = await newChart(chartFor('GONE', 'OPS'));
    await send('GET', `/${address}`);
    const { notifications } = await outboxWhen(address, ({ hooks }) =>
      hooks.every(({ pending }) => pending === 0),
    );
    expect(notifications).toMatchObject([
      { id: 1, hook: 'GONE', status: 'failed', attempts: 1, failure: 'answered 410' },
      { id: 1, hook: 'OPS', status: 'sent', attempts: 0, failure: null },
    ]);
  });
});

describe('the messages of a machine', () => {
  it('are listed in pages, the newest entry first', async () => {
    const address = await newChart(chartFor('OPS', 'GONE'));
    for (let i = 0; i < 3; i++) await put(address, 'a');
    const first = await outboxOf(address, '?limit=3');
    expect(first.notifications.map(({ id, hook }) => `${id} ${hook}`)).toEqual([
      '4 GONE',
      '4 OPS',
      '3 GONE',
      '3 OPS',
    ]);
    const second = await outboxOf(address, `?limit=3&before=${first.before}`);
    expect(second.notifications.map(({ id }) => id)).toEqual([2, 2, 1, 1]);
    expect(second.before).toBeUndefined();
  });

  it('are none for a run that has not begun, which names its hooks', async () => {
    const address = `${await newChart(chartFor('OPS', 'NONE'))}@run`;
    expect(await outboxOf(address)).toMatchObject({
      hooks: [{ hook: 'NONE', problem: 'HOOK_NONE is not set' }, { hook: 'OPS' }],
      notifications: [],
    });
    expect(await inStorage(address, ({ sql }) => rowsOf(sql, 'migration'))).toEqual([]);
  });

  it('are erased with it', async () => {
    const address = await newChart(chartFor('BROKEN'));
    await send('GET', `/${address}`);
    await outboxWhen(address, (outbox) => outbox.notifications[0]?.attempts === 1);
    await send('DELETE', `/${address}`);
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
    await send('GET', `/${address}`);
    await outboxWhen(address, (outbox) => outbox.notifications[0]?.attempts === 1);
  });

  it('are sent again by hand: those of one hook, or of all', async () => {
    const address = await newChart(chartFor('GONE', 'OPS'));
    await send('GET', `/${address}`);
    await outboxWhen(address, ({ hooks }) => hooks.every(({ pending }) => pending === 0));
    expect((await send('POST', `/${address}/notifications/1?to=GONE`)).status).toBe(204);
    expect((await send('POST', `/${address}/notifications/1`)).status).toBe(204);
    for (const wrong of ['2', '0', 'x', '1?to=CHAT']) {
      const response = await send('POST', `/${address}/notifications/${wrong}`);
      expect([wrong, response.status, (await problemOf(response)).type]).toEqual([
        wrong,
        404,
        'urn:stateservice:problem:no-such-notification',
      ]);
    }
    await outboxWhen(address, ({ hooks }) => hooks.every(({ pending }) => pending === 0));
    expect(await objectAt(address).read([{ type: 'history', before: 99, limit: 2 }])).toMatchObject([
      {
        entries: [{ notes: ['the entry 1, to GONE, OPS'] }, { notes: ['the entry 1, to GONE'], revision: 1 }],
      },
    ]);
  });
});

describe('a machine that a second object erases', () => {
  it('stays erased, whatever the first was about to note of a message', async () => {
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    const log = vi.spyOn(console, 'error');
    const address = await newChart(chartFor('OPS'));
    const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<Response>()];
    const usual = globalThis.fetch;
    vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
      // Machines of other files send as well.
      if (!String(init?.body).includes(`"${address}"`)) return usual(input, init);
      asked.resolve();
      return answered.promise;
    });
    await put(address, 'a');
    await asked.promise;
    await atSecond(address, (second) => executeAt(second, { type: 'erase' }));
    answered.resolve(new Response(null, { status: 204 }));
    await vi.waitUntil(async () => (await tracesOf(address)).alarm === null, { timeout: 20_000 });
    await new Promise((done) => setTimeout(done, 50));
    expect(log.mock.calls.filter(([text]) => text === 'sending to the hook OPS failed')).toEqual([]);
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });
});
