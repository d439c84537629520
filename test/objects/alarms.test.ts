/**
 * Clocks and alarms that are not what they should be: an alarm that is late, comes twice, or comes for a timer that is
 * long gone; a clock that jumps. (What a punctual alarm does is in `time.test.ts`.)
 */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import { ALARM_BURST, ALARM_PACE } from '../../src/objects/alarm.ts';
import { TURN_PAUSE } from '../../src/objects/timer-allowance.ts';
import { counting, final, newChart, sequence } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import {
  ask,
  evict,
  historyOf,
  inStorage,
  objectAt,
  report,
  reportTimes,
  statusOf,
  tracesOf,
} from '../service.ts';
import { claim, documentOf, holdersOf, put, storyOf, verdict } from './callers.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

beginAtNoon();

/** `work` is given up after ten minutes; what was done in time is followed by a rest of an hour. */
const chart = JSON.stringify({
  initial: 'work',
  states: {
    work: { on: { update: { target: 'rest', quorum: 2 } }, after: { '10m': 'failed' } },
    rest: { on: { update: 'work' }, after: { '1h': 'work' } },
    failed: { on: { update: 'work' } },
  },
});

describe('an alarm for a timer that was cancelled', () => {
  it('does nothing, and is set for the present timer', async () => {
    const address = await newChart(chart);
    await reportTimes(address, 'work', 2);
    // It was set for ten past twelve, and the platform does not take it back.
    vi.setSystemTime(NOON + 10 * MINUTE);
    await alarm(address);
    expect(await statusOf(address)).toMatchObject({ states: ['rest'], revision: 3 });
    expect((await tracesOf(address)).alarm).toBe(NOON + HOUR);
  });

  it('does nothing if its state was entered again meanwhile: the new visit has a timer of its own', async () => {
    const address = await newChart(chart);
    vi.setSystemTime(NOON);
    await reportTimes(address, 'work', 2);
    vi.setSystemTime(NOON + 9 * MINUTE);
    await report(address, 'rest');
    vi.setSystemTime(NOON + 10 * MINUTE);
    await alarm(address);
    expect(await statusOf(address)).toMatchObject({ states: ['work'], revision: 4 });
    vi.setSystemTime(NOON + 19 * MINUTE);
    await alarm(address);
    expect(await statusOf(address)).toMatchObject({ states: ['failed'], revision: 5 });
    expect(await tracesOf(address)).toMatchObject({ alarm: null });
  });

  it('does nothing in an object that was evicted meanwhile', async () => {
    const address = await newChart(chart);
    await reportTimes(address, 'work', 2);
    await evict(address);
    vi.setSystemTime(NOON + 10 * MINUTE);
    await alarm(address);
    expect(await statusOf(address)).toMatchObject({ states: ['rest'], revision: 3 });
  });

  it('does nothing for a slot that was released', async () => {
    const address = await newChart(
      sequence({ ...counting('work', 'rest', 9), slots: 1, lease: '10m' }, final('rest')),
    );
    await claim(address, 'work', 'x');
    await put(address, 'work', { by: 'x' });
    await claim(address, 'work', 'y');
    vi.setSystemTime(NOON + 9 * MINUTE);
    await claim(address, 'work', 'y');
    vi.setSystemTime(NOON + 10 * MINUTE);
    await alarm(address);
    expect(await holdersOf(address)).toEqual(['y']);
    expect((await storyOf(address)).map(({ cause }) => cause)).not.toContain('lease-expired');
  });
});

describe('a cycle of short timers', () => {
  const ring = (ms: number) =>
    JSON.stringify({ initial: 'a', states: { a: { after: { [ms]: 'b' } }, b: { after: { [ms]: 'a' } } } });

  /** Fires the alarms of a cycle, each at its moment. @returns the pauses between them, ms. */
  async function gapsOf(address: string, alarms: number): Promise<number[]> {
    const gaps: number[] = [];
    for (let i = 0; i < alarms; i++) {
      const at = (await tracesOf(address)).alarm ?? Number.NaN;
      gaps.push(at - Date.now());
      vi.setSystemTime(at);
      await alarm(address);
    }
    return gaps;
  }

  it('has an alarm for each of the first timers, and then fewer', async () => {
    const address = await newChart(ring(1));
    await ask(address, 'a');
    const gaps = await gapsOf(address, ALARM_BURST + 4);
    expect(Math.max(...gaps.slice(0, ALARM_BURST - 1))).toBe(1);
    const late = gaps.slice(ALARM_BURST + 1);
    expect(Math.min(...late)).toBeGreaterThan(ALARM_PACE / 2);
  });

  it('is in the right state for a request at any time', async () => {
    const address = await newChart(ring(100));
    await ask(address, 'a');
    await gapsOf(address, ALARM_BURST + 2);
    const { revision } = await documentOf(address);
    vi.setSystemTime(Date.now() + ALARM_PACE / 2);
    expect((await documentOf(address)).revision).toBe(revision + ALARM_PACE / 2 / 100);
  });
});

describe('a machine that is behind by more than a turn of timers', () => {
  const ring = JSON.stringify({
    type: 'parallel',
    states: {
      round: { initial: 'a', states: { a: { after: { 1: 'b' } }, b: { after: { 1: 'a' } } } },
      work: {
        on: { update: { target: '.more', quorum: 1_000 } },
        initial: 'less',
        states: { less: {}, more: {} },
      },
    },
  });

  /** A ring of timers that slept for a day. */
  async function asleep(): Promise<string> {
    const address = await newChart(ring);
    await ask(address, 'work');
    vi.setSystemTime(NOON + 24 * 60 * MINUTE);
    return address;
  }

  it('fires one turn of them for all requests of half a second', async () => {
    const address = await asleep();
    const { revision } = await documentOf(address);
    for (let i = 0; i < 5; i++) expect((await documentOf(address)).revision).toBe(revision);
    vi.setSystemTime(Date.now() + TURN_PAUSE);
    expect((await documentOf(address)).revision).toBe(1 + 2 * (revision - 1));
  });

  it('fires one turn of them for all reports of a batch, and counts each report', async () => {
    const { revision: turn } = await documentOf(await asleep());
    vi.setSystemTime(NOON);
    const address = await asleep();
    const outcomes = await inStorage(address, (_, machine) =>
      machine.execute(
        Array.from({ length: 10 }, () => ({ type: 'update', state: 'work', event: 'update' }) as const),
      ),
    );
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(10);
    const { revision } = await documentOf(address);
    expect(revision).toBe(turn + 10);
  });
});

describe('an alarm that goes off twice', () => {
  it('fires each timer of a cycle once, at the time at which it was due', async () => {
    const ring = JSON.stringify({
      initial: 'a',
      states: { a: { after: { '10m': 'b' } }, b: { after: { '20m': 'a' } } },
    });
    const address = await newChart(ring);
    await ask(address, 'a');
    for (const minutes of [10, 30, 40]) {
      vi.setSystemTime(NOON + minutes * MINUTE);
      await Promise.all([alarm(address), alarm(address)]);
      await alarm(address);
    }
    expect((await storyOf(address)).map(({ cause, at }) => [cause, at.slice(11, 16)])).toEqual([
      ['start', '12:00'],
      ['timer', '12:10'],
      ['timer', '12:30'],
      ['timer', '12:40'],
    ]);
  });

  it('fires a timer once if requests come at the same time', async () => {
    const address = await newChart(chart);
    await ask(address, 'work');
    vi.setSystemTime(NOON + 10 * MINUTE);
    const [asked, , reported] = await Promise.all([
      ask(address, 'failed'),
      alarm(address),
      report(address, 'work'),
      alarm(address),
    ]);
    expect([asked.status, asked.headers.get('ETag')]).toEqual([200, '"2"']);
    expect(reported.status).toBe(406);
    expect(await statusOf(address)).toMatchObject({ states: ['failed'], revision: 2 });
  });
});

describe('an alarm that is late', () => {
  it('fires all timers that were due, each at its time, before a report is counted', async () => {
    const address = await newChart(chart);
    await reportTimes(address, 'work', 2);
    vi.setSystemTime(NOON + 65 * MINUTE);
    // The rest is over for five minutes: this is the first of two in the second visit.
    expect(await verdict(await report(address, 'work'))).toBe('200');
    expect(await documentOf(address)).toMatchObject({
      states: ['work'],
      revision: 5,
      quorums: [{ have: 1 }],
      timers: [{ at: '2040-06-01T13:10:00.000Z' }],
    });
    await alarm(address);
    expect((await documentOf(address)).revision).toBe(5);
  });
});

describe('a clock that jumps ahead', () => {
  it('fires what is due, once, and a jump back undoes nothing', async () => {
    const address = await newChart(chart);
    await ask(address, 'work');
    vi.setSystemTime(NOON + 24 * HOUR);
    expect((await ask(address, 'failed')).headers.get('ETag')).toBe('"2"');
    vi.setSystemTime(NOON + MINUTE);
    await alarm(address);
    expect((await ask(address, 'failed')).headers.get('ETag')).toBe('"2"');
    vi.setSystemTime(NOON + 10 * MINUTE);
    await alarm(address);
    expect(await statusOf(address)).toMatchObject({ states: ['failed'], revision: 2 });
    expect((await historyOf(address)).history).toHaveLength(2);
  });

  it('counts each report once, before the jump, during it, and after it', async () => {
    const address = await newChart(sequence(counting('a', 'b', 9), final('b')));
    for (const at of [NOON, NOON + 24 * HOUR, NOON + 1, NOON - 24 * HOUR, NOON + HOUR]) {
      vi.setSystemTime(at);
      for (const by of ['x', 'x']) expect((await put(address, 'a', { by: `${by}-${at}` })).status).toBe(200);
    }
    expect((await storyOf(address)).map(({ revision }) => revision)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await documentOf(address)).toMatchObject({ revision: 6, quorums: [{ have: 5 }] });
  });
});

describe('a clock that jumps back', () => {
  it('keeps a state that was entered in the future, and its timer', async () => {
    const address = await newChart(chart);
    vi.setSystemTime(NOON + HOUR);
    await reportTimes(address, 'work', 2);
    vi.setSystemTime(NOON - HOUR);
    await evict(address);
    expect(await documentOf(address)).toMatchObject({
      states: ['rest'],
      timers: [{ at: '2040-06-01T14:00:00.000Z' }],
    });
    await alarm(address);
    expect((await tracesOf(address)).alarm).toBe(NOON + 2 * HOUR);
    vi.setSystemTime(NOON + 2 * HOUR);
    await alarm(address);
    expect(await statusOf(address)).toMatchObject({ states: ['work'], revision: 4 });
  });

  it('measures new timers from the new time', async () => {
    const address = await newChart(chart);
    await ask(address, 'work');
    vi.setSystemTime(NOON - HOUR);
    await reportTimes(address, 'work', 2);
    expect((await documentOf(address)).timers).toMatchObject([{ at: '2040-06-01T12:00:00.000Z' }]);
    expect((await tracesOf(address)).alarm).toBe(NOON);
    vi.setSystemTime(NOON);
    await alarm(address);
    expect(await statusOf(address)).toMatchObject({ states: ['work'], revision: 4 });
  });

  it('ends a lease at the promised time, and gives the slot to no other caller before', async () => {
    const address = await newChart(
      sequence({ ...counting('work', 'rest', 9), slots: 1, lease: '10m' }, final('rest')),
    );
    await claim(address, 'work', 'x');
    vi.setSystemTime(NOON - HOUR);
    await alarm(address);
    expect(await verdict(await claim(address, 'work', 'y'))).toBe('406 slots-taken');
    // A renewal by the new clock has the full length.
    expect(await (await claim(address, 'work', 'x')).json()).toMatchObject({
      until: '2040-06-01T11:10:00.000Z',
    });
    vi.setSystemTime(NOON - HOUR + 10 * MINUTE);
    await alarm(address);
    expect(await holdersOf(address)).toEqual([]);
    expect(await verdict(await claim(address, 'work', 'y'))).toBe('200');
  });
});

/** Runs the alarm as the platform does. */
async function alarm(address: string): Promise<void> {
  const isSet = await runDurableObjectAlarm(objectAt(address));
  if (!isSet) await inStorage(address, (_, machine) => machine.alarm());
}
