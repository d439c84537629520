/** Leases: the slot of a caller that dies is free when its lease ends. */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import { counting, newChart, sequence, timed } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import { evict, objectAt, send, tracesOf } from '../service.ts';
import { claim, holdersOf, put, refusedOf, release, storyOf, verdict } from './callers.ts';

const MINUTE = 60_000;

beginAtNoon();

const one = sequence({ ...counting('work', 'rest', 4), slots: 1, lease: '10m' }, counting('rest', 'work'));
const two = sequence({ ...counting('work', 'rest', 4), slots: 2, lease: '10m' }, counting('rest', 'work'));

describe('a lease that has ended', () => {
  it('frees the slot by the alarm', async () => {
    const address = await newChart(one);
    await claim(address, 'work', 'a');
    expect((await tracesOf(address)).alarm).toBe(NOON + 10 * MINUTE);
    vi.setSystemTime(NOON + 10 * MINUTE);
    expect(await runDurableObjectAlarm(objectAt(address))).toBe(true);
    expect(await tracesOf(address)).toMatchObject({ alarm: null });
    // Read from storage, without a request.
    const story = await storyOf(address);
    expect(story.at(-1)).toMatchObject({ cause: 'lease-expired', by: 'a', state: 'work', revision: 3 });
    expect(await holdersOf(address)).toEqual([]);
  });

  it('frees the slot by the next request if the alarm is late', async () => {
    const address = await newChart(one);
    await claim(address, 'work', 'a');
    vi.setSystemTime(NOON + 10 * MINUTE - 1);
    expect(await verdict(await claim(address, 'work', 'b'))).toBe('406 slots-taken');
    vi.setSystemTime(NOON + 10 * MINUTE);
    expect(await verdict(await claim(address, 'work', 'b'))).toBe('200');
    expect((await storyOf(address)).map(({ cause, by, at }) => [cause, by, at])).toEqual([
      ['start', null, '2040-06-01T12:00:00.000Z'],
      ['claim', 'a', '2040-06-01T12:00:00.000Z'],
      ['lease-expired', 'a', '2040-06-01T12:10:00.000Z'],
      ['claim', 'b', '2040-06-01T12:10:00.000Z'],
    ]);
  });

  it('frees the slot after an eviction', async () => {
    const address = await newChart(one);
    await claim(address, 'work', 'a');
    await evict(address);
    vi.setSystemTime(NOON + 10 * MINUTE);
    expect(await runDurableObjectAlarm(objectAt(address))).toBe(true);
    await evict(address);
    expect(await verdict(await claim(address, 'work', 'b'))).toBe('200');
  });

  it('is in the history at its own time, however late it is processed', async () => {
    const address = await newChart(two);
    await claim(address, 'work', 'a');
    vi.setSystemTime(NOON + MINUTE);
    await claim(address, 'work', 'b');
    vi.setSystemTime(NOON + 60 * MINUTE);
    const ended = (await storyOf(address)).filter(({ cause }) => cause === 'lease-expired');
    expect(ended.map(({ by, at }) => [by, at])).toEqual([
      ['a', '2040-06-01T12:10:00.000Z'],
      ['b', '2040-06-01T12:11:00.000Z'],
    ]);
  });

  it('is a change: it has a revision, and ends a wait for one', async () => {
    const address = await newChart(one);
    await claim(address, 'work', 'a');
    const waiting = send('GET', `/${address}?wait=60s`, { headers: { 'If-None-Match': '"2"' } });
    await new Promise((done) => setTimeout(done, 50));
    vi.setSystemTime(NOON + 10 * MINUTE);
    await runDurableObjectAlarm(objectAt(address));
    expect(await (await waiting).json()).toMatchObject({ revision: 3, claims: [{ holders: [] }] });
  });

  it('ends the right to report', async () => {
    const address = await newChart(one);
    await claim(address, 'work', 'a');
    vi.setSystemTime(NOON + 10 * MINUTE);
    expect(await verdict(await put(address, 'work', { by: 'a' }))).toBe('406 not-holder');
    await claim(address, 'work', 'a');
    expect(await verdict(await put(address, 'work', { by: 'a' }))).toBe('200');
  });

  it('has no effect after a release or a report', async () => {
    const address = await newChart(two);
    for (const by of ['a', 'b']) await claim(address, 'work', by);
    await release(address, 'work', 'a');
    await put(address, 'work', { by: 'b' });
    expect((await tracesOf(address)).alarm).toBeNull();
    vi.setSystemTime(NOON + 60 * MINUTE);
    expect((await storyOf(address)).map(({ cause }) => cause)).not.toContain('lease-expired');
  });
});

describe('a lease that is renewed', () => {
  it('ends later, and the alarm moves with it', async () => {
    const address = await newChart(one);
    await claim(address, 'work', 'a');
    vi.setSystemTime(NOON + 9 * MINUTE);
    await claim(address, 'work', 'a');
    expect((await tracesOf(address)).alarm).toBe(NOON + 19 * MINUTE);
    vi.setSystemTime(NOON + 18 * MINUTE);
    expect(await verdict(await claim(address, 'work', 'b'))).toBe('406 slots-taken');
    vi.setSystemTime(NOON + 19 * MINUTE);
    expect(await verdict(await claim(address, 'work', 'b'))).toBe('200');
  });

  it('leaves the alarm at the lease that ends first', async () => {
    const address = await newChart(two);
    await claim(address, 'work', 'a');
    vi.setSystemTime(NOON + MINUTE);
    await claim(address, 'work', 'b');
    expect((await tracesOf(address)).alarm).toBe(NOON + 10 * MINUTE);
    await claim(address, 'work', 'a');
    expect((await tracesOf(address)).alarm).toBe(NOON + 11 * MINUTE);
    await release(address, 'work', 'b');
    await claim(address, 'work', 'a');
    expect((await tracesOf(address)).alarm).toBe(NOON + 11 * MINUTE);
  });
});

describe("a lease beside the chart's own clock", () => {
  const chart = sequence(
    { ...timed('work', 'rest', '2040-06-01T12:05:00'), slots: 1, lease: '10m' },
    counting('rest', 'work'),
  );

  it('ends with the state if the clock comes first', async () => {
    const address = await newChart(chart);
    await claim(address, 'work', 'a');
    expect((await tracesOf(address)).alarm).toBe(NOON + 5 * MINUTE);
    vi.setSystemTime(NOON + 30 * MINUTE);
    expect((await storyOf(address)).map(({ cause }) => cause)).toEqual(['start', 'claim', 'timer']);
    expect((await tracesOf(address)).alarm).toBeNull();
  });

  it('ends before the state if it is shorter', async () => {
    const address = await newChart(
      sequence(
        { ...timed('work', 'rest', '2040-06-01T12:05:00'), slots: 1, lease: '2m' },
        counting('rest', 'work'),
      ),
    );
    await claim(address, 'work', 'a');
    vi.setSystemTime(NOON + 30 * MINUTE);
    expect((await storyOf(address)).map(({ cause, at }) => [cause, at.slice(11, 16)])).toEqual([
      ['start', '12:00'],
      ['claim', '12:00'],
      ['lease-expired', '12:02'],
      ['timer', '12:05'],
    ]);
  });
});

describe('Retry-After of a refused claim', () => {
  it.each([
    ['soon', 10 * MINUTE - 7_000, '7'],
    ['in half a minute at most', 0, '30'],
    ['not before a second', 10 * MINUTE - 100, '1'],
  ])('is the time until a slot may be free: %s', async (_, later, seconds) => {
    const address = await newChart(one);
    await claim(address, 'work', 'a');
    vi.setSystemTime(NOON + later);
    const response = await claim(address, 'work', 'b');
    expect(response.headers.get('Retry-After')).toBe(seconds);
    expect((await refusedOf(response)).holders).toEqual([{ by: 'a', until: '2040-06-01T12:10:00.000Z' }]);
  });
});

describe('a lease that the chart does not name', () => {
  it('is 15 minutes', async () => {
    const address = await newChart('initial: a\nstates: {a: {slots: 1, on: {update: b}}, b: {}}');
    expect(await (await claim(address, 'a', 'x')).json()).toMatchObject({
      until: '2040-06-01T12:15:00.000Z',
    });
  });
});
