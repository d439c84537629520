/** An alarm whose handler fails, and an alarm that the platform has dropped: no timer is silent for ever. */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import { ALARM_BACKOFF, ALARM_BACKOFF_MAX } from '../../src/objects/alarm.ts';
import { counting, final, newChart, sequence, timed } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import { ask, evict, inStorage, objectAt, statusOf, tracesOf } from '../service.ts';
import { claim, holdersOf, storyOf } from './callers.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The platform runs a handler that throws once more at most this many times, then drops the alarm. */
const PLATFORM_RETRIES = 6;

beginAtNoon();

const clock = sequence(timed('wait', 'go', '2040-06-01T13:00:00'), final('go'));

describe('an alarm whose commit fails', () => {
  it('is set again with a backoff for as long as storage refuses, and fires the timer at its own time', async () => {
    const address = await newChart(clock);
    await ask(address, 'wait');
    await refuseCommits(address);
    vi.setSystemTime(NOON + HOUR);
    const pauses: number[] = [];
    for (let i = 0; i < 2 * PLATFORM_RETRIES; i++) pauses.push(await failedAlarm(address));
    expect(pauses.slice(0, 5)).toEqual([1, 1, 2, 4, 8].map((times) => times * ALARM_BACKOFF));
    expect(pauses.slice(-4)).toEqual(Array(4).fill(ALARM_BACKOFF_MAX));
    await allowCommits(address);
    expect(await runDurableObjectAlarm(objectAt(address))).toBe(true);
    expect(await tracesOf(address)).toMatchObject({ alarm: null });
    expect((await storyOf(address)).map(({ cause, at }) => [cause, at.slice(11, 16)])).toEqual([
      ['start', '12:00'],
      ['timer', '13:00'],
    ]);
  });

  it('keeps its backoff when the object is evicted between two tries', async () => {
    const address = await newChart(clock);
    await ask(address, 'wait');
    await refuseCommits(address);
    vi.setSystemTime(NOON + HOUR);
    const pauses: number[] = [];
    for (let i = 0; i < 5; i++) {
      pauses.push(await failedAlarm(address));
      await evict(address);
    }
    expect(pauses).toEqual([1, 1, 2, 4, 8].map((times) => times * ALARM_BACKOFF));
  });

  it('is set again for a lease as well', async () => {
    const chart = sequence({ ...counting('work', 'rest', 9), slots: 1, lease: '10m' }, final('rest'));
    const address = await newChart(chart);
    await claim(address, 'work', 'x');
    await refuseCommits(address);
    vi.setSystemTime(NOON + 10 * MINUTE);
    expect(await failedAlarm(address)).toBe(ALARM_BACKOFF);
    await allowCommits(address);
    await runDurableObjectAlarm(objectAt(address));
    expect(await holdersOf(address)).toEqual([]);
  });

  it('fails where storage refuses the alarm too, so that the platform repeats it', async () => {
    const address = await newChart(clock);
    await ask(address, 'wait');
    await refuseCommits(address);
    await inStorage(address, (storage) => {
      storage.setAlarm = () => Promise.reject(new Error('no more rows today'));
    });
    vi.setSystemTime(NOON + HOUR);
    await expect(runDurableObjectAlarm(objectAt(address))).rejects.toThrow('no more rows today');
  });
});

describe('an alarm of a machine that cannot be read', () => {
  it('is set again with the longest pause, and fires the timer after the repair', async () => {
    const address = await newChart(clock);
    await ask(address, 'wait');
    await inStorage(address, ({ sql }) => sql.exec('ALTER TABLE machine RENAME COLUMN entries TO hidden'));
    await evict(address);
    await inStorage(address, ({ sql }) => sql.exec('ALTER TABLE timer RENAME COLUMN at TO hidden'));
    vi.setSystemTime(NOON + HOUR);
    expect(await failedAlarm(address)).toBe(ALARM_BACKOFF_MAX);
    await inStorage(address, ({ sql }) => {
      sql.exec('ALTER TABLE machine RENAME COLUMN hidden TO entries');
      sql.exec('ALTER TABLE timer RENAME COLUMN hidden TO at');
    });
    await runDurableObjectAlarm(objectAt(address));
    expect(await statusOf(address)).toMatchObject({ states: ['go'], revision: 2 });
  });
});

describe('an object that starts', () => {
  it('sets an alarm that is gone', async () => {
    const address = await newChart(clock);
    await ask(address, 'wait');
    await inStorage(address, (storage) => storage.deleteAlarm());
    await evict(address);
    expect((await ask(address, 'wait')).status).toBe(200);
    expect((await tracesOf(address)).alarm).toBe(NOON + HOUR);
  });

  it.each([
    ['that has passed: the platform has given it up', NOON + MINUTE],
    ['that is later than the first timer', NOON + 2 * HOUR],
  ])('sets an alarm again %s', async (_, stored) => {
    const address = await newChart(clock);
    await ask(address, 'wait');
    await inStorage(address, (storage) => storage.setAlarm(stored));
    await evict(address);
    vi.setSystemTime(NOON + 2 * MINUTE);
    await ask(address, 'wait');
    expect((await tracesOf(address)).alarm).toBe(NOON + HOUR);
  });

  it('leaves an alarm that is early, for its handler sets the next', async () => {
    const address = await newChart(clock);
    await ask(address, 'wait');
    await inStorage(address, (storage) => storage.setAlarm(NOON + 30 * MINUTE));
    await evict(address);
    await ask(address, 'wait');
    expect((await tracesOf(address)).alarm).toBe(NOON + 30 * MINUTE);
    vi.setSystemTime(NOON + 30 * MINUTE);
    await runDurableObjectAlarm(objectAt(address));
    expect((await tracesOf(address)).alarm).toBe(NOON + HOUR);
  });

  it('sets none where nothing is due', async () => {
    const address = await newChart(sequence(counting('a', 'b'), final('b')));
    await ask(address, 'a');
    await evict(address);
    await ask(address, 'a');
    expect((await tracesOf(address)).alarm).toBeNull();
  });
});

describe('an alarm that storage refuses to set', () => {
  it('is set by the next commit', async () => {
    const address = await newChart(
      sequence({ ...counting('work', 'rest', 9), slots: 2, lease: '10m' }, final('rest')),
    );
    await ask(address, 'work');
    await inStorage(address, (storage) => {
      const { setAlarm } = storage;
      storage.setAlarm = async () => {
        storage.setAlarm = setAlarm;
        throw new Error('planted: the alarm was not set');
      };
    });
    await claim(address, 'work', 'x');
    expect((await tracesOf(address)).alarm).toBeNull();
    await claim(address, 'work', 'y');
    expect((await tracesOf(address)).alarm).toBe(NOON + 10 * MINUTE);
  });
});

/** Runs the alarm at its time, which must fail. @returns after which pause it is set again, in ms. */
async function failedAlarm(address: string): Promise<number> {
  const { alarm } = await tracesOf(address);
  vi.setSystemTime(Math.max(Date.now(), alarm ?? Number.NaN));
  expect(await runDurableObjectAlarm(objectAt(address))).toBe(true);
  return ((await tracesOf(address)).alarm ?? Number.NaN) - Date.now();
}

/** Makes SQLite refuse the row of the history that every commit of a timer writes. */
async function refuseCommits(address: string): Promise<void> {
  await inStorage(address, ({ sql }) => {
    sql.exec(`CREATE TRIGGER broken BEFORE INSERT ON history BEGIN SELECT RAISE(ABORT, 'broken'); END`);
  });
}

async function allowCommits(address: string): Promise<void> {
  await inStorage(address, ({ sql }) => {
    sql.exec('DROP TRIGGER broken');
  });
}
