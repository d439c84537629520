/** States that are left by the clock. The tests move the clock of the isolate, which the object shares. */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import { counting, final, newAddress, newChart, sequence, timed } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import {
  ask,
  evict,
  historyOf,
  inStorage,
  objectAt,
  problemOf,
  report,
  reportTimes,
  statusOf,
  tracesOf,
} from '../service.ts';

const HOUR = 60 * 60 * 1_000;
const DAY = 24 * HOUR;

beginAtNoon();

const untilOne = sequence(timed('wait', 'go', '2040-06-01T13:00:00'), final('go'));

describe('a state whose time has passed already', () => {
  it('is left at once when the machine starts in it', async () => {
    const address = await newChart(sequence(timed('wait', 'go', '2040-06-01T12:00:00'), final('go')));
    expect((await ask(address, 'wait')).status).toBe(406);
    expect((await ask(address, 'go')).status).toBe(200);
    expect((await historyOf(address)).history).toMatchObject([
      { revision: 2, cause: 'timer', from: ['wait'], to: ['go'] },
      { revision: 1, cause: 'start', from: [], to: ['wait'] },
    ]);
  });

  it('is left at once when it is entered, by the same response', async () => {
    const address = await newChart(
      sequence(counting('count', 'wait'), timed('wait', 'go', '1970-01-01T00:00:00'), final('go')),
    );
    const response = await report(address, 'count');
    expect([response.status, response.headers.get('ETag')]).toEqual([200, '"3"']);
    expect((await ask(address, 'go')).status).toBe(200);
    expect(await tracesOf(address)).toMatchObject({ alarm: null });
  });

  it('is left at once in a chain of several, up to the first whose time is yet to come', async () => {
    const address = await newChart(
      sequence(
        timed('a', 'b', '2040-06-01T09:00:00'),
        timed('b', 'c', '2040-06-01T11:00:00'),
        timed('c', 'd', '2040-06-01T10:00:00'),
        timed('d', 'e', '2040-06-01T12:00:01'),
        final('e'),
      ),
    );
    expect((await ask(address, 'd')).status).toBe(200);
    expect((await historyOf(address)).history.map(({ to }) => to)).toEqual([['d'], ['c'], ['b'], ['a']]);
  });

  it('is not entered before the machine begins', async () => {
    const address = await newChart(sequence(timed('wait', 'go', '2000-01-01T00:00:00'), final('go')));
    expect((await statusOf(address)).since).toBe('2040-06-01T12:00:00.000Z');
  });
});

describe('a state whose time is yet to come', () => {
  it('stays until then and not a moment longer', async () => {
    const address = await newChart(untilOne);
    expect((await ask(address, 'wait')).status).toBe(200);
    vi.setSystemTime(NOON + HOUR - 1);
    expect((await ask(address, 'wait')).status).toBe(200);
    vi.setSystemTime(NOON + HOUR);
    expect((await ask(address, 'wait')).status).toBe(406);
    expect((await ask(address, 'go')).status).toBe(200);
  });

  it('refuses a report, and says when it is left', async () => {
    const address = await newChart(untilOne);
    const response = await report(address, 'wait');
    expect(response.status).toBe(406);
    expect(await problemOf(response)).toMatchObject({
      type: 'urn:stateservice:problem:not-taken',
      detail: expect.stringContaining('2040-06-01T13:00:00.000Z'),
      machine: { revision: 1, states: ['wait'] },
    });
  });

  it.each([
    ['2040-06-01T13:00:00', HOUR],
    ['2040-06-01T13:00:00Z', HOUR],
    ['2040-06-01T15:00:00+02:00', HOUR],
    ['2040-06-01T07:30:00-05:30', HOUR],
    ['2040-06-02T00:59:59+12:00', HOUR - 1_000],
    ['2040-06-01T13:00:00.250', HOUR + 250],
  ])('is left at %s, whatever the offset', async (at, after) => {
    const address = await newChart(sequence(timed('wait', 'go', at), final('go')));
    vi.setSystemTime(NOON + after - 1);
    expect((await ask(address, 'wait')).status).toBe(200);
    vi.setSystemTime(NOON + after);
    expect((await ask(address, 'go')).status).toBe(200);
  });

  it('is entered again with its time passed, and left at once', async () => {
    const address = await newChart(
      sequence(timed('wait', 'count', '2040-06-01T13:00:00'), counting('count', 'wait')),
    );
    vi.setSystemTime(NOON + HOUR);
    await reportTimes(address, 'count', 3);
    expect(await statusOf(address)).toMatchObject({ states: ['count'], revision: 8 });
  });
});

describe('the alarm', () => {
  it('leaves the state by itself, with no request', async () => {
    const address = await newChart(untilOne);
    await ask(address, 'wait');
    expect((await tracesOf(address)).alarm).toBe(NOON + HOUR);
    vi.setSystemTime(NOON + HOUR);
    expect(await runDurableObjectAlarm(objectAt(address))).toBe(true);
    expect(await storedRevision(address)).toBe(2);
    expect((await tracesOf(address)).alarm).toBeNull();
    expect((await ask(address, 'go')).status).toBe(200);
  });

  it('leaves the state by itself after an eviction', async () => {
    const address = await newChart(untilOne);
    await ask(address, 'wait');
    await evict(address);
    vi.setSystemTime(NOON + HOUR);
    expect(await runDurableObjectAlarm(objectAt(address))).toBe(true);
    expect(await storedRevision(address)).toBe(2);
  });

  it('is set again for the next state of the clock', async () => {
    const address = await newChart(
      sequence(timed('a', 'b', '2040-06-01T13:00:00'), timed('b', 'c', '2040-06-01T15:00:00'), final('c')),
    );
    await ask(address, 'a');
    vi.setSystemTime(NOON + HOUR);
    await runDurableObjectAlarm(objectAt(address));
    expect((await tracesOf(address)).alarm).toBe(NOON + 3 * HOUR);
    vi.setSystemTime(NOON + 3 * HOUR);
    await runDurableObjectAlarm(objectAt(address));
    expect((await ask(address, 'c')).status).toBe(200);
  });

  it('does nothing when it goes off a second time', async () => {
    const address = await newChart(untilOne);
    await ask(address, 'wait');
    vi.setSystemTime(NOON + HOUR);
    await inStorage(address, async (_, machine) => {
      await machine.alarm();
      await machine.alarm();
      await Promise.all([machine.alarm(), machine.alarm()]);
    });
    expect(await statusOf(address)).toMatchObject({ states: ['go'], revision: 2 });
  });

  it('does nothing when it goes off early, and is set again', async () => {
    const address = await newChart(untilOne);
    await ask(address, 'wait');
    vi.setSystemTime(NOON + HOUR - 1);
    expect(await runDurableObjectAlarm(objectAt(address))).toBe(true);
    expect(await statusOf(address)).toMatchObject({ states: ['wait'], revision: 1 });
    expect((await tracesOf(address)).alarm).toBe(NOON + HOUR);
  });

  it('does nothing if nothing is due', async () => {
    const address = await newChart(sequence(counting('a', 'b', 2), final('b')));
    await reportTimes(address, 'a', 1);
    await inStorage(address, (_, machine) => machine.alarm());
    expect(await statusOf(address)).toMatchObject({ revision: 2, quorums: [{ have: 1 }] });
    expect((await tracesOf(address)).alarm).toBeNull();
  });

  it('leaves nothing behind without a machine', async () => {
    const address = newAddress();
    await inStorage(address, (_, machine) => machine.alarm());
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });

  it('is not needed: the next request does its work', async () => {
    const address = await newChart(untilOne);
    await ask(address, 'wait');
    vi.setSystemTime(NOON + 3 * DAY);
    expect((await ask(address, 'go')).status).toBe(200);
    expect((await tracesOf(address)).alarm).toBeNull();
  });

  it('is not needed for a report either: the machine moves on before the report is counted', async () => {
    const address = await newChart(
      sequence(timed('wait', 'count', '2040-06-01T13:00:00'), counting('count', 'end', 2), final('end')),
    );
    await ask(address, 'wait');
    vi.setSystemTime(NOON + DAY);
    expect((await report(address, 'wait')).status).toBe(406);
    expect((await report(address, 'count')).status).toBe(200);
    expect((await historyOf(address)).history.map(({ cause }) => cause)).toEqual([
      'update',
      'timer',
      'start',
    ]);
  });

  it('goes off by itself when the time has come', async () => {
    vi.useRealTimers();
    const soon = new Date(Date.now() + 700).toISOString();
    const address = await newChart(sequence(timed('wait', 'go', soon), final('go')));
    expect((await ask(address, 'wait')).status).toBe(200);
    // Reads storage directly, because a request would do the alarm's work.
    await vi.waitFor(async () => expect(await storedRevision(address)).toBe(2), {
      timeout: 10_000,
      interval: 50,
    });
    expect((await historyOf(address)).history[0]).toMatchObject({ at: soon, cause: 'timer' });
  });
});

describe('a time very far ahead', () => {
  it('does not come before its time', async () => {
    const address = await newChart(sequence(timed('wait', 'go', '3000-01-01T00:00:00'), final('go')));
    for (const later of [0, DAY, 40 * DAY, 400 * DAY, 40_000 * DAY]) {
      vi.setSystemTime(NOON + later);
      expect((await ask(address, 'wait')).status).toBe(200);
      await inStorage(address, (_, machine) => machine.alarm());
    }
    expect(await statusOf(address)).toMatchObject({
      revision: 1,
      timers: [{ at: '3000-01-01T00:00:00.000Z' }],
    });
  });

  it('is reached by alarms that only set the next one', async () => {
    const address = await newChart(sequence(timed('wait', 'go', '3000-01-01T00:00:00'), final('go')));
    await ask(address, 'wait');
    for (let i = 0; i < 5; i++) {
      const { alarm } = await tracesOf(address);
      expect(alarm).toBeGreaterThan(Date.now());
      expect(alarm).toBeLessThan(Date.now() + 32 * DAY);
      vi.setSystemTime(alarm ?? 0);
      expect(await runDurableObjectAlarm(objectAt(address))).toBe(true);
    }
    expect(await storedRevision(address)).toBe(1);
  });

  it('is reached', async () => {
    const address = await newChart(sequence(timed('wait', 'go', '3000-01-01T00:00:00'), final('go')));
    await ask(address, 'wait');
    vi.setSystemTime(Date.parse('3000-01-01T00:00:00Z'));
    expect((await ask(address, 'go')).status).toBe(200);
  });
});

describe('a cycle of states of the clock', () => {
  const at = '2040-06-01T13:00:00Z';

  it('is refused in a sequence', async () => {
    const ring = sequence(timed('a', 'b', '2040-06-01T13:00:00'), timed('b', 'a', '2040-06-01T13:00:00'));
    expect((await ask(await newChart(ring), 'a')).status).toBe(422);
  });

  it('is refused in a statechart, where no guard can end it', async () => {
    const ring = { initial: 'a', states: { a: { at: { [at]: 'b' } }, b: { at: { [at]: 'a' } } } };
    expect((await ask(await newChart(JSON.stringify(ring)), 'a')).status).toBe(422);
  });

  it('does not keep the object busy once all its times have passed', async () => {
    const ring = {
      initial: 'a',
      context: { on: true },
      states: { a: { at: { [at]: { target: 'b', guard: 'context.on' } } }, b: { at: { [at]: 'a' } } },
    };
    const address = await newChart(JSON.stringify(ring));
    await ask(address, 'a');
    vi.setSystemTime(NOON + HOUR);
    for (let i = 0; i < 3; i++) await ask(address, 'a');
    const { alarm } = await tracesOf(address);
    expect(alarm).toBeGreaterThan(Date.now());
  });
});

describe('a timer that is fired late', () => {
  it('has the same effect as a punctual one', async () => {
    const chart = sequence(
      timed('a', 'b', '2040-06-01T13:00:00'),
      timed('b', 'c', '2040-06-01T14:00:00'),
      timed('c', 'd', '2040-06-01T13:30:00'),
      counting('d', 'a', 5),
    );
    const [punctual, late] = [await newChart(chart), await newChart(chart)];
    await Promise.all([ask(punctual, 'a'), ask(late, 'a')]);
    for (const minutes of [60, 120]) {
      vi.setSystemTime(NOON + minutes * 60_000);
      await runDurableObjectAlarm(objectAt(punctual));
    }
    vi.setSystemTime(NOON + 7 * DAY);
    const shown = await historyOf(late);
    expect(shown.history).toEqual((await historyOf(punctual)).history);
    expect(shown.history.map(({ at }) => at)).toEqual([
      '2040-06-01T14:00:00.000Z',
      '2040-06-01T14:00:00.000Z',
      '2040-06-01T13:00:00.000Z',
      '2040-06-01T12:00:00.000Z',
    ]);
    expect((await statusOf(late)).since).toBe('2040-06-01T14:00:00.000Z');
    expect((await statusOf(punctual)).since).toBe('2040-06-01T14:00:00.000Z');
  });
});

async function storedRevision(address: string): Promise<unknown> {
  return inStorage(address, ({ sql }) => sql.exec('SELECT revision FROM machine').one().revision);
}
