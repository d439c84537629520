/**
 * Waits and streams at an object that storage has left behind: a second object of the address has committed meanwhile,
 * or the alarm has not come. Both objects are live and share storage, as at Cloudflare for a while after one was replaced.
 */
import { describe, expect, it, vi } from 'vitest';
import type { Machine } from '../../src/index.ts';
import { MISSED_LENGTH } from '../../src/limits.ts';
import { ALARM_BURST } from '../../src/objects/alarm.ts';
import { STORAGE_POLL } from '../../src/objects/storage-poll.ts';
import { counting, final, newChart, sequence, timed } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import {
  ask,
  atSecond,
  executeAt,
  inStorage,
  machinePath,
  report,
  reportTimes,
  send,
  tracesOf,
  updateAt,
} from '../service.ts';
import { TIMED } from '../slowness.ts';
import { documentOf, put, revisionOf, storyOf, verdict, waitFor, whenWaiting } from './callers.ts';
import { watch } from './events.ts';
import { openSocket } from './sockets.ts';

beginAtNoon();

const drain = sequence(counting('drain', 'patch', 2), counting('patch', 'done'), final('done'));

describe('a wait, when a second object of the address commits', () => {
  it('ends with the state that it is for', async () => {
    const address = await newChart(drain);
    const waiting = waitFor(address, 'patch', '60s');
    await whenWaiting(address);
    await atSecond(address, (second) => updates(second, 'drain', 'drain'));
    const response = await waiting;
    expect([response.status, await response.text(), revisionOf(response)]).toEqual([200, 'patch', 3]);
  });

  it('ends where the state was entered and left between two looks', async () => {
    const address = await newChart(drain);
    const waiting = waitFor(address, 'patch', '60s');
    await whenWaiting(address);
    await atSecond(address, (second) => updates(second, 'drain', 'drain', 'patch'));
    expect(await (await waiting).text()).toBe('patch');
  });

  it('ends where the state cannot come any more', async () => {
    const chart = JSON.stringify({
      initial: 'a',
      states: { a: { on: { left: 'b', right: 'c' } }, b: { type: 'final' }, c: { type: 'final' } },
    });
    const address = await newChart(chart);
    const waiting = waitFor(address, 'b', '60s');
    await whenWaiting(address);
    await atSecond(address, (second) => updateAt(second, { state: 'a', event: 'right' }));
    expect((await waiting).status).toBe(406);
  });

  it('ends with the next revision', async () => {
    const address = await newChart(drain);
    await ask(address, 'drain');
    const headers = { 'If-None-Match': '"1"' };
    const waiting = send('GET', `${machinePath(address)}?wait=60s`, { headers });
    await whenWaiting(address);
    await atSecond(address, (second) => updates(second, 'drain'));
    expect(revisionOf(await waiting)).toBe(2);
  });

  it('goes on where its state has not come', async () => {
    const address = await newChart(drain);
    const waiting = waitFor(address, 'done', '60s');
    await whenWaiting(address);
    await atSecond(address, (second) => updates(second, 'drain', 'drain'));
    await looked();
    await report(address, 'patch');
    expect(await (await waiting).text()).toBe('done');
  });

  it('ends with the beginning of its run', async () => {
    const run = `${await newChart(drain)}@42`;
    const waiting = waitFor(run, 'patch', '60s');
    await whenWaiting(run);
    await atSecond(run, (second) => updates(second, 'drain', 'drain'));
    expect(await (await waiting).text()).toBe('patch');
  });

  it('ends when that object erases the machine, and begins nothing anew', async () => {
    const address = await newChart(drain);
    const waiting = waitFor(address, 'done', '60s');
    const events = await watch(address);
    await whenWaiting(address);
    await atSecond(address, (second) => executeAt(second, { type: 'erase' }));
    expect((await waiting).status).toBe(404);
    expect(await events.next()).toBeUndefined();
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
    expect((await ask(address, 'drain')).status).toBe(200);
  });
});

describe('a machine that a second object has erased and begun again', () => {
  it('has its tables again where this object writes to them, though it knew those of before', async () => {
    const address = await newChart(drain);
    await reportTimes(address, 'drain', 2);
    await put(address, 'patch', { by: 'a' });
    // The drawing reads the states that were left.
    expect((await send('GET', `/${address}/diagram.svg`)).status).toBe(200);
    await atSecond(address, async (second) => {
      await executeAt(second, { type: 'erase' });
      await updates(second, 'drain');
    });
    expect((await put(address, 'drain', { by: 'a' })).status).toBe(200);
    expect((await put(address, 'drain', { by: 'a' })).status).toBe(200);
    expect(await documentOf(address)).toMatchObject({ states: ['patch'] });
  });

  it('is not taken for the one in memory, though it has as many entries', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const events = await watch(address);
    await atSecond(address, async (second) => {
      await executeAt(second, { type: 'erase' });
      await updates(second, 'drain');
    });
    expect(revisionOf(await ask(address, 'drain'))).toBe(4);
    expect(await events.next()).toBeUndefined();
  });
});

describe('a watch, when a second object of the address commits', () => {
  it('as a stream tells every entry once, of both objects', async () => {
    const address = await newChart(drain);
    await ask(address, 'drain');
    const events = await watch(address);
    const first = events.next();
    await settled();
    await atSecond(address, (second) => updates(second, 'drain', 'drain'));
    expect((await first)?.id).toBe(2);
    expect((await events.next())?.id).toBe(3);
    await report(address, 'patch');
    expect((await events.next())?.id).toBe(4);
    await events.close();
  });

  it('as a stream continues from storage where more was committed than is told at once', async () => {
    const many = Math.ceil(MISSED_LENGTH / 200);
    const address = await newChart(sequence(counting('drain', 'done', 2 * many), final('done')));
    await ask(address, 'drain');
    const events = await watch(address);
    const told = events.take(many);
    await settled();
    await atSecond(address, (second) => updates(second, ...Array(many).fill('drain')));
    expect((await told).map(({ id }) => id)).toEqual(Array.from({ length: many }, (_, i) => i + 2));
    await events.close();
  });

  it('as a WebSocket tells at the next request what storage has had meanwhile', async () => {
    const address = await newChart(drain);
    await ask(address, 'drain');
    const socket = await openSocket(address);
    // The second object would tell the socket itself: a test's objects share their sockets.
    await inStorage(address, ({ sql }) => {
      sql.exec(
        `INSERT INTO history (slot, revision, at, cause, event, before, after, entered, notes, start)
         VALUES (2, 2, 0, 'update', 'update', '["drain"]', '["drain"]', '["drain"]', '[]', 0)`,
      );
      sql.exec('UPDATE machine SET revision = 2, entries = 2');
    });
    await report(address, 'drain');
    expect((await socket.take(2)).map(({ id }) => id)).toEqual([2, 3]);
    socket.close();
  });
});

describe('a WebSocket that has missed more than can be told at once', () => {
  it('is closed, so that its reader comes back with its last id', async () => {
    const address = await newChart(drain);
    await ask(address, 'drain');
    const socket = await openSocket(address);
    await inStorage(address, ({ sql }) => sql.exec('UPDATE machine SET revision = 5, entries = 5'));
    await ask(address, 'drain');
    expect(await socket.closed).toMatchObject({ code: 1013 });
  });
});

describe('an alarm that never comes', () => {
  const clock = sequence(timed('wait', 'go', '2040-06-01T12:00:40'), final('go'));

  it('leaves no wait and no stream without the timer’s event', async () => {
    const address = await newChart(clock);
    const waiting = waitFor(address, 'go', '60s');
    const events = await watch(address);
    await inStorage(address, (storage) => storage.deleteAlarm());
    vi.setSystemTime(NOON + 40_000 - 1);
    await looked();
    expect(await revisionStored(address)).toBe(1);
    vi.setSystemTime(NOON + 40_000);
    const response = await waiting;
    expect([await response.text(), revisionOf(response)]).toEqual(['go', 2]);
    expect(await events.next()).toMatchObject({ id: 2, event: 'timer' });
    expect((await storyOf(address)).map(({ at }) => at.slice(11, 19))).toEqual(['12:00:00', '12:00:40']);
    await events.close();
  });

  it('delays a wait by less than a look: storage is read when the timer is due', TIMED, async () => {
    vi.useRealTimers();
    const chart = { initial: 'a', states: { a: { after: { '300ms': 'b' } }, b: { type: 'final' } } };
    const address = await newChart(JSON.stringify(chart));
    const began = Date.now();
    const waiting = waitFor(address, 'b', '60s');
    await settled();
    await inStorage(address, (storage) => storage.deleteAlarm());
    expect((await waiting).status).toBe(200);
    expect(Date.now() - began).toBeLessThan(STORAGE_POLL);
  });
});

describe('a ring of short timers', () => {
  it('fires no more often where it is watched than by its alarms', async () => {
    vi.useRealTimers();
    const ring = { initial: 'a', states: { a: { after: { 1: 'b' } }, b: { after: { 1: 'a' } } } };
    const address = await newChart(JSON.stringify(ring));
    await ask(address, 'a');
    const commits = await countCommits(address);
    const events = await watch(address);
    await new Promise((done) => setTimeout(done, 3 * STORAGE_POLL));
    expect(commits()).toBeGreaterThan(0);
    expect(commits()).toBeLessThanOrEqual(ALARM_BURST + 1);
    await events.close();
  });
});

describe('storage', () => {
  it('is read once a second for all that wait, and not at all where nothing does', TIMED, async () => {
    const address = await newChart(drain);
    const waiting = ['patch', 'done', 'done'].map((state) => waitFor(address, state, '60s'));
    const events = await Promise.all([watch(address), watch(address)]);
    await whenWaiting(address, 3);
    const reads = await countReads(address);
    await new Promise((done) => setTimeout(done, 3 * STORAGE_POLL + STORAGE_POLL / 2));
    expect(reads()).toBeGreaterThanOrEqual(2);
    expect(reads()).toBeLessThanOrEqual(4);
    for (const stream of events) await stream.close();
    for (const state of ['drain', 'drain', 'patch']) await report(address, state);
    await Promise.all(waiting);
    await looked();
    const after = reads();
    await looked();
    expect(reads()).toBe(after);
  });

  it('that cannot be read ends waits and streams, and they are told of the fault', async () => {
    const address = await newChart(drain);
    const waiting = waitFor(address, 'done', '60s');
    const events = await watch(address);
    await whenWaiting(address);
    await inStorage(address, ({ sql }) => sql.exec('ALTER TABLE machine RENAME COLUMN entries TO hidden'));
    expect(await verdict(await waiting)).toBe('500 internal-error');
    expect(await events.next()).toBeUndefined();
  });
});

describe('queries of one call', () => {
  it('share one look at storage', async () => {
    const address = await newChart(drain);
    const queries = Array.from({ length: 50 }, () => ({ type: 'is', state: 'drain' }) as const);
    await ask(address, 'drain');
    const reads = await countReads(address);
    const answers = await inStorage(address, (_, machine) => machine.read(queries));
    expect(reads()).toBe(1);
    expect(answers).toEqual(queries.map(() => ({ ok: true, revision: 1 })));
  });

  it('see what a second object has committed', async () => {
    const address = await newChart(drain);
    await ask(address, 'drain');
    await atSecond(address, (second) => updates(second, 'drain', 'drain'));
    const answers = await inStorage(address, (_, machine) =>
      machine.read(['drain', 'patch'].map((state) => ({ type: 'is', state }) as const)),
    );
    expect(answers).toMatchObject([{ ok: false }, { ok: true, revision: 3 }]);
  });
});

/** Sends `update` to the states, in one batch. Each must be accepted. */
async function updates(machine: Machine, ...states: readonly string[]): Promise<void> {
  const outcomes = await Promise.all(states.map((state) => updateAt(machine, { state, event: 'update' })));
  expect(outcomes.filter(({ ok }) => !ok)).toEqual([]);
}

/** Counts the statements that an object executes from here on. */
async function countReads(address: string): Promise<() => number> {
  let count = 0;
  await inStorage(address, ({ sql }) => {
    const exec = sql.exec.bind(sql);
    sql.exec = (query, ...bindings) => {
      count += 1;
      return exec(query, ...bindings);
    };
  });
  return () => count;
}

/** Counts the commits of an object from here on. */
async function countCommits(address: string): Promise<() => number> {
  let count = 0;
  await inStorage(address, (storage) => {
    const transactionSync = storage.transactionSync.bind(storage);
    storage.transactionSync = (closure) => {
      count += 1;
      return transactionSync(closure);
    };
  });
  return () => count;
}

/** Reads the revision in storage and asks nothing, for a request would do the alarm's work. */
async function revisionStored(address: string): Promise<unknown> {
  return inStorage(address, ({ sql }) => sql.exec('SELECT revision FROM machine').one().revision);
}

async function settled(): Promise<void> {
  await new Promise((done) => setTimeout(done, 50));
}

/** Waits for more than one look at storage. */
async function looked(): Promise<void> {
  await new Promise((done) => setTimeout(done, STORAGE_POLL + 200));
}
