/** `watch` as server-sent events: every change as it happens, and the missed ones after a reconnect. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { HISTORY_ROWS, STREAM_PAGE, STREAM_STALL, STREAMS } from '../../src/limits.ts';
import { STREAM_HEARTBEAT } from '../../src/objects/event-streams.ts';
import { MachineStore } from '../../src/store/machine-store.ts';
import { counting, final, newAddress, newChart, sequence } from '../charts.ts';
import { ask, inStorage, readAt, report, reportTimes, tracesOf, updateAt } from '../service.ts';
import {
  claim,
  erase,
  put,
  refusedOf,
  reportMany,
  reset,
  storyOf,
  together,
  upload,
  verdict,
} from './callers.ts';
import { EventReader, openEvents, watch } from './events.ts';

const long = sequence(counting('drain', 'done', 1_000_000), final('done'));

describe('a watcher', () => {
  it('gets every change, as it is in the history', async () => {
    const address = await newChart(`
initial: work
states:
  work: {slots: 1, on: {update: {target: rest, quorum: 2}, bad: {target: rest, guard: context.missing}}}
  rest: {on: {update: work}}
`);
    const watcher = await watch(address, { after: '0' });
    await claim(address, 'work', 'a');
    await put(address, 'work', { by: 'a' });
    await claim(address, 'work', 'b');
    await put(address, 'work', { by: 'b', event: 'bad' });
    await put(address, 'work', { by: 'b' });
    await reset(address, 'admin');
    await upload(address, long, '?reset=true');
    const story = await storyOf(address);
    const told = await watcher.take(story.length);
    expect(told.map(({ data }) => data)).toEqual(story);
    expect(told.map(({ id }) => id)).toEqual(story.map(({ id }) => id));
    expect(told.map(({ event }) => event)).toEqual([
      'start',
      'claim',
      'update',
      'claim',
      'refused',
      'update',
      'reset',
      'upload',
    ]);
    await watcher.close();
  });

  it('gets the changes of one commit in order', async () => {
    const address = await newChart(long);
    await ask(address, 'drain');
    const watcher = await watch(address);
    await together(address, (machine) =>
      ['a', 'b', 'c'].map((by) => updateAt(machine, { state: 'drain', event: 'update', by })),
    );
    expect((await watcher.take(3)).map(({ data }) => data)).toMatchObject([
      { by: 'a' },
      { by: 'b' },
      { by: 'c' },
    ]);
    await watcher.close();
  });

  it('gets new changes, and no earlier ones', async () => {
    const address = await newChart(long);
    await reportTimes(address, 'drain', 3);
    const watcher = await watch(address);
    await report(address, 'drain');
    expect((await watcher.next())?.id).toBe(5);
    await watcher.close();
  });

  it('gets the same as any other watcher', async () => {
    const address = await newChart(long);
    const watchers = await Promise.all([1, 2, 3].map(() => watch(address, { after: '0' })));
    await reportTimes(address, 'drain', 5);
    const told = await Promise.all(watchers.map((watcher) => watcher.take(6)));
    expect(told[1]).toEqual(told[0]);
    expect(told[2]).toEqual(told[0]);
    await Promise.all(watchers.map((watcher) => watcher.close()));
  });

  it('starts a machine that has not begun', async () => {
    const address = await newChart(long);
    const watcher = await watch(address, { after: '0' });
    expect(await watcher.next()).toMatchObject({ id: 1, event: 'start' });
    await watcher.close();
  });

  it('gets a stream that no cache may store, with the delay before a reconnect', async () => {
    const address = await newChart(long);
    const response = await openEvents(address, { after: '0' });
    expect(response.headers.get('Content-Type')).toBe('text/event-stream');
    expect(response.headers.get('Cache-Control')).toBe('no-store, no-transform');
    await response.body?.cancel();
    const watcher = await watch(address, { after: '0' });
    await watcher.next();
    expect(watcher.asides).toEqual(['retry: 1000']);
    await watcher.close();
  });

  it('is told where it begins: a browser that loses it before its first entry goes on from there', async () => {
    const address = await newChart(long);
    await reportTimes(address, 'drain', 3);
    for (const [from, id] of [
      [{}, 4],
      [{ last: '2' }, 2],
      [{ after: '0' }, 0],
      [{ last: '99' }, 0],
    ] as const) {
      const watcher = await watch(address, from);
      expect(await watcher.begins()).toBe(id);
      await watcher.close();
    }
  });

  it('is refused without a chart, and leaves nothing behind', async () => {
    const address = newAddress();
    expect(await verdict(await openEvents(address))).toBe('404 no-chart');
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });
});

describe('a watcher that reconnects', () => {
  const eight = async () => {
    const address = await newChart(long);
    await reportTimes(address, 'drain', 7);
    return address;
  };

  it.each([
    ['Last-Event-ID', { last: '5' }],
    ['?after=', { after: '5' }],
    ['Last-Event-ID before ?after=, which is from the first time', { last: '5', after: '1' }],
  ])('gets what it has missed since %s', async (_, from) => {
    const address = await eight();
    const watcher = await watch(address, from);
    await report(address, 'drain');
    expect((await watcher.take(4)).map(({ id }) => id)).toEqual([6, 7, 8, 9]);
    await watcher.close();
  });

  it('gets nothing a second time', async () => {
    const address = await eight();
    const watcher = await watch(address, { last: '8' });
    await report(address, 'drain');
    expect((await watcher.next())?.id).toBe(9);
    await watcher.close();
  });

  it('gets everything of a machine that has begun again since', async () => {
    const address = await eight();
    await erase(address);
    await report(address, 'drain');
    const watcher = await watch(address, { last: '8' });
    expect((await watcher.take(2)).map(({ id, event }) => [id, event])).toEqual([
      [1, 'start'],
      [2, 'update'],
    ]);
    await watcher.close();
  });

  it.each(['abc', '-1', '1.5', '1e3', '9'.repeat(17)])('is refused with %s for an id', async (id) => {
    const address = await eight();
    for (const [name, from] of [
      ['`Last-Event-ID`', { last: id }],
      ['`after`', { after: id }],
    ] as const) {
      const response = await openEvents(address, from);
      expect(response.status).toBe(400);
      expect((await refusedOf(response)).detail).toContain(name);
    }
  });
});

describe('a history that has dropped missed entries', () => {
  const ENTRIES = HISTORY_ROWS + 345;
  let address = '';
  beforeAll(async () => {
    address = await newChart(long);
    await ask(address, 'drain');
    await inStorage(address, (storage) => fill(new MachineStore(storage), ENTRIES));
  });

  it('is sent as a gap, and then all its entries', async () => {
    const watcher = await watch(address, { last: '5' });
    expect(await watcher.next()).toEqual({ id: undefined, event: 'gap', data: { from: 6, to: 345 } });
    const told = await watcher.take(HISTORY_ROWS);
    expect(told.map(({ id }) => id)).toEqual(Array.from({ length: HISTORY_ROWS }, (_, i) => 346 + i));
    await report(address, 'drain');
    expect((await watcher.next())?.id).toBe(ENTRIES + 1);
    await watcher.close();
  });

  it('is no gap if it has exactly what was missed', async () => {
    const { entries } = await newest(address);
    const watcher = await watch(address, { last: String(entries - HISTORY_ROWS) });
    expect((await watcher.next())?.id).toBe(entries - HISTORY_ROWS + 1);
    await watcher.close();
  });
});

describe('a reader that does not read', () => {
  const total = 2_000;

  it('continues from the history when it reads again, and delays no other reader', async () => {
    const address = await newChart(long);
    const slow = await watch(address, { after: '0' });
    const quick = await watch(address, { after: '0' });
    const told = quick.take(total + 1);
    for (let i = 0; i < 4; i++) await reportMany(address, total / 4);
    const ids = Array.from({ length: total + 1 }, (_, i) => i + 1);
    expect((await told).map(({ id }) => id)).toEqual(ids);
    expect((await slow.take(total + 1)).map(({ id }) => id)).toEqual(ids);
    await report(address, 'drain');
    expect((await slow.next())?.id).toBe(total + 2);
    await Promise.all([quick.close(), slow.close()]);
  }, 30_000);

  it('gets one page, however much it has missed', async () => {
    const address = await newChart(long);
    await reportMany(address, total);
    await inStorage(address, async (_, machine) => {
      const answer = await readAt(machine, { type: 'watch', after: 0 });
      if (!answer.ok) throw new Error(answer.detail);
      const reader = answer.events.getReader();
      const sizes: number[] = [];
      for (let i = 0; i < 3; i++) sizes.push((await reader.read()).value?.length ?? 0);
      for (const size of sizes) expect(size).toBeLessThan(2 * STREAM_PAGE);
      expect(sizes[1]).toBeGreaterThan(STREAM_PAGE / 2);
      await reader.cancel();
    });
  });

  it('is cut after a while, and frees its place', async () => {
    const address = await newChart(long);
    await reportMany(address, total);
    await inStorage(address, async (_, machine) => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
      const answer = await readAt(machine, { type: 'watch', after: 0 });
      if (!answer.ok) throw new Error(answer.detail);
      const reader = answer.events.getReader();
      await reader.read();
      vi.advanceTimersByTime(STREAM_STALL + STREAM_HEARTBEAT);
      vi.useRealTimers();
      await expect(reader.read()).rejects.toThrow('too slow');
      expect(await readAt(machine, { type: 'metrics' })).toMatchObject({ streams: 0 });
    });
  });
});

describe('a stream', () => {
  it('is kept open by comments while nothing happens', async () => {
    const address = await newChart(long);
    await ask(address, 'drain');
    const asides = await inStorage(address, async (_, machine) => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
      const answer = await readAt(machine, { type: 'watch' });
      if (!answer.ok) throw new Error(answer.detail);
      const reader = new EventReader(answer.events);
      const told = reader.next();
      for (let i = 0; i < 2; i++) {
        await scheduler.wait(10);
        vi.advanceTimersByTime(STREAM_HEARTBEAT);
      }
      await scheduler.wait(10);
      await updateAt(machine, { state: 'drain', event: 'update' });
      await told;
      await reader.close();
      vi.useRealTimers();
      return reader.asides;
    });
    expect(asides).toEqual(['retry: 1000', ': still here', ': still here']);
  });

  it('ends when the machine is deleted', async () => {
    const address = await newChart(long);
    const watcher = await watch(address, { after: '0' });
    await watcher.next();
    await erase(address);
    expect(await watcher.next()).toBeUndefined();
  });

  it('is refused while there are too many, until one of them closes', async () => {
    const address = await newChart(long);
    await ask(address, 'drain');
    const watchers = await Promise.all(Array.from({ length: STREAMS }, () => watch(address)));
    const response = await openEvents(address);
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(await verdict(response)).toBe('503 too-many-waiting');
    await watchers[0]?.close();
    // The object learns of it when it sends the next change.
    await reportTimes(address, 'drain', 2);
    await vi.waitFor(async () => (await watch(address)).close());
    await Promise.all(watchers.slice(1).map((watcher) => watcher.close()));
  }, 30_000);
});

/** Reports many times, in one batch. */
async function newest(address: string): Promise<{ entries: number }> {
  return inStorage(address, (storage) => ({ entries: new MachineStore(storage).version()?.entries ?? 0 }));
}

/** Writes entries until there are `until`, as a machine would in as many updates. */
function fill(store: MachineStore, until: number): void {
  const machine = store.load();
  if (machine === undefined) throw new Error('there is no machine to fill');
  const ids = Array.from({ length: until - machine.entries }, (_, i) => machine.entries + 1 + i);
  store.write({
    snapshot: machine.snapshot,
    timersSet: [],
    timersCleared: [],
    left: [],
    claimsSet: [],
    freed: [],
    claimsCleared: [],
    receipts: [],
    revision: until,
    entries: until,
    at: until,
    history: ids.map((id) => ({
      id,
      revision: id,
      at: id,
      cause: 'update',
      event: 'update',
      state: 'drain',
      by: null,
      sub: null,
      from: ['drain'],
      to: ['drain'],
      entered: [],
      notes: [],
    })),
  });
}
