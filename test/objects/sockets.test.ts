/** `watch` as a WebSocket: the same changes, while the object may hibernate. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import { HISTORY_ROWS, SOCKET_BACKLOG, SOCKET_CHECK, SOCKET_SLICE, SOCKETS } from '../../src/limits.ts';
import { MachineStore } from '../../src/store/machine-store.ts';
import { counting, final, newAddress, newChart, sequence } from '../charts.ts';
import { ask, evict, inStorage, objectAt, report, reportTimes, tracesOf, updateAt } from '../service.ts';
import { claim, erase, refusedOf, reportMany, storyOf, verdict } from './callers.ts';
import { askForSocket, openSocket, type Socket } from './sockets.ts';

const long = sequence(counting('drain', 'done', 1_000_000), final('done'));

describe('a watcher by WebSocket', () => {
  it('gets every change, as it is in the history', async () => {
    const address = await newChart('initial: a\nstates: {a: {slots: 1, on: {update: b}}, b: {}}');
    const socket = await openSocket(address, '0');
    await claim(address, 'a', 'web-01');
    await report(address, 'a');
    const story = await storyOf(address);
    expect(await socket.take(story.length)).toEqual(story);
    socket.close();
  });

  it('gets new changes, and no earlier ones', async () => {
    const address = await newChart(long);
    await reportTimes(address, 'drain', 3);
    const socket = await openSocket(address);
    await report(address, 'drain');
    expect((await socket.next()).id).toBe(5);
    socket.close();
  });

  it('gets what it has missed since ?after=', async () => {
    const address = await newChart(long);
    await reportTimes(address, 'drain', 7);
    const socket = await openSocket(address, '5');
    await report(address, 'drain');
    expect((await socket.take(4)).map(({ id }) => id)).toEqual([6, 7, 8, 9]);
    socket.close();
  });

  it('first gets the gap that the history does not have any more', async () => {
    const address = await newChart(long);
    await ask(address, 'drain');
    // As if there had been many more before.
    await inStorage(address, (storage) => skip(storage, HISTORY_ROWS + 20));
    await evict(address);
    const socket = await openSocket(address, '5');
    expect(JSON.parse(await socket.text())).toEqual({ gap: { from: 6, to: HISTORY_ROWS + 20 } });
    await report(address, 'drain');
    expect((await socket.next()).id).toBe(HISTORY_ROWS + 21);
    socket.close();
  });

  it.each(['abc', '-1', '1.5'])('is refused with %s for an id', async (after) => {
    const address = await newChart(long);
    const response = await askForSocket(address, after);
    expect(response.status).toBe(400);
    expect((await refusedOf(response)).detail).toContain('`after`');
  });

  it('is refused without a chart, and leaves nothing behind', async () => {
    const address = newAddress();
    expect(await verdict(await askForSocket(address))).toBe('404 no-chart');
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });

  it('may write Upgrade in any case, as browsers and libraries do', async () => {
    const address = await newChart(long);
    const { exports } = await import('cloudflare:workers');
    const response = await exports.default.fetch(
      new Request(`https://service.test/${address}/watch`, { headers: { Upgrade: 'WebSocket' } }),
    );
    expect(response.status).toBe(101);
    response.webSocket?.accept();
    response.webSocket?.close();
  });
});

describe('an object that sleeps', () => {
  it('wakes for a report, and sends it to the watchers from before', async () => {
    const address = await newChart(long);
    const sockets = [await openSocket(address), await openSocket(address, '0')];
    await evict(address);
    await report(address, 'drain');
    expect((await sockets[0]?.next())?.id).toBe(2);
    expect((await sockets[1]?.take(2))?.map(({ id }) => id)).toEqual([1, 2]);
    await evict(address);
    await report(address, 'drain');
    expect((await sockets[0]?.next())?.id).toBe(3);
    for (const socket of sockets) socket.close();
  });

  it('is not woken by a ping, which is answered', async () => {
    const address = await newChart(long);
    const socket = await openSocket(address);
    await evict(address);
    const before = await timesAnswered(address);
    socket.send('ping');
    expect(await socket.text()).toBe('pong');
    expect(await timesAnswered(address)).toBe(before + 1);
    socket.close();
  });
});

describe('a socket', () => {
  it('is closed when the machine is deleted', async () => {
    const address = await newChart(long);
    const socket = await openSocket(address);
    await erase(address);
    expect(await socket.closed).toEqual({ code: 1001, reason: 'the machine was deleted' });
  });

  it('is closed when a machine that has slept is deleted', async () => {
    const address = await newChart(long);
    const socket = await openSocket(address);
    await evict(address);
    await erase(address);
    expect((await socket.closed).code).toBe(1001);
  });

  it('that its client closes is dropped, and the others get changes', async () => {
    const address = await newChart(long);
    const [gone, stays] = [await openSocket(address), await openSocket(address)];
    gone.close();
    expect((await gone.closed).code).toBe(1000);
    await reportTimes(address, 'drain', 2);
    expect((await stays.take(2)).map(({ id }) => id)).toEqual([2, 3]);
    await vi.waitFor(async () => expect(await socketsOf(address)).toBe(1));
    stays.close();
  });

  it.each([
    ['a word', 'hello'],
    ['a document', '{"state":"drain"}'],
    ['nothing', ''],
    ['a long message', 'x'.repeat(100_000)],
  ])('is closed if it sends anything but "ping", and nothing changes: %s', async (_, text) => {
    const address = await newChart(long);
    const [talks, listens] = [await openSocket(address), await openSocket(address)];
    talks.send(text);
    expect((await talks.closed).code).toBe(1009);
    await report(address, 'drain');
    expect((await listens.next()).id).toBe(2);
    expect(await storyOf(address)).toHaveLength(2);
    listens.close();
  });

  it('gets what it has missed up to a bound, and reconnects for the rest', async () => {
    const address = await newChart(long);
    await reportMany(address, 3_000);
    const seen: number[] = [];
    while (seen.length < 2_000) {
      const socket = await openSocket(address, String(seen.length));
      expect(await socket.closed).toEqual({ code: 1013, reason: expect.stringContaining('?after=') });
      seen.push(...socket.rest().map(({ id }) => id));
    }
    const last = await openSocket(address, String(seen.length));
    seen.push(...(await last.take(3_001 - seen.length)).map(({ id }) => id));
    expect(seen).toEqual(Array.from({ length: 3_001 }, (_, i) => i + 1));
    last.close();
  });
});

describe('a reader that sends no ping', () => {
  const enough = SOCKET_BACKLOG + SOCKET_CHECK;

  it('is cut after so many events, and misses nothing when it reconnects', async () => {
    const address = await newChart(long);
    const [silent, alive] = [await openSocket(address, '0'), await openSocket(address, '0')];
    for (let told = 0; told < enough; told += SOCKET_CHECK) {
      await reportMany(address, SOCKET_CHECK);
      alive.send('ping');
    }
    const { code, reason } = await silent.closed;
    expect([code, reason]).toEqual([1013, expect.stringContaining('?after=')]);
    const seen = await silent.take(SOCKET_BACKLOG);
    expect(seen.at(-1)?.id).toBe(SOCKET_BACKLOG);
    const again = await openSocket(address, String(SOCKET_BACKLOG));
    expect((await again.next()).id).toBe(SOCKET_BACKLOG + 1);
    await report(address, 'drain');
    expect(await socketsOf(address)).toBe(2);
    again.close();
    alive.close();
  }, 60_000);

  it('is cut even if the object has slept meanwhile', async () => {
    const address = await newChart(long);
    const silent = await openSocket(address);
    for (let told = 0; told < enough; told += SOCKET_BACKLOG / 2) {
      await reportMany(address, SOCKET_BACKLOG / 2);
      await evict(address);
    }
    expect((await silent.closed).code).toBe(1013);
  }, 60_000);
});

describe('more WebSockets than one slice has', () => {
  const SLICES = 3;
  const MARK = '"another request"';

  /** Opens sockets of several slices, changes the machine, and sends a mark to all sockets as soon as that is answered. */
  async function changeAndMark(): Promise<{ address: string; sockets: Socket[] }> {
    const address = await newChart(long);
    const sockets = await Promise.all(
      Array.from({ length: SLICES * SOCKET_SLICE }, () => openSocket(address)),
    );
    await runInDurableObject(objectAt(address), async (machine, state) => {
      await updateAt(machine, { state: 'drain', event: 'update' });
      for (const socket of state.getWebSockets()) socket.send(MARK);
    });
    return { address, sockets };
  }

  it('get their messages in slices: a change is answered after the first one', async () => {
    const { sockets } = await changeAndMark();
    const firsts = await Promise.all(sockets.map((socket) => socket.text()));
    expect(firsts.filter((text) => text !== MARK)).toHaveLength(SOCKET_SLICE);
    for (const socket of sockets) socket.close();
  }, 60_000);

  it('get every change once and in order, also those that follow meanwhile', async () => {
    const { address, sockets } = await changeAndMark();
    const late = await openSocket(address);
    const later = await openSocket(address, '0');
    await reportTimes(address, 'drain', 3);
    for (const socket of sockets) {
      const ids = (await socket.take(5)).flatMap(({ id }) => id ?? []);
      expect(ids).toEqual([2, 3, 4, 5]);
    }
    expect((await late.take(3)).map(({ id }) => id)).toEqual([3, 4, 5]);
    expect((await later.take(5)).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
    await report(address, 'drain');
    const all = [...sockets, late, later];
    const nexts = await Promise.all(all.map((socket) => socket.next()));
    expect(new Set(nexts.map(({ id }) => id))).toEqual(new Set([6]));
    for (const socket of all) socket.close();
  }, 60_000);
});

describe('a WebSocket beyond the bound', () => {
  it('is refused', async () => {
    const address = await newChart(long);
    // Kept until the end: an end that is collected as garbage closes its WebSocket.
    const readers: WebSocket[] = [];
    await runInDurableObject(objectAt(address), (_, state) => {
      while (readers.length < SOCKETS) {
        const { 0: reader, 1: server } = new WebSocketPair();
        readers.push(reader);
        state.acceptWebSocket(server);
      }
    });
    const response = await askForSocket(address);
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(await verdict(response)).toBe('503 too-many-waiting');
    // The machine continues.
    expect((await report(address, 'drain')).status).toBe(200);
    expect(readers).toHaveLength(SOCKETS);
  }, 120_000);
});

async function socketsOf(address: string): Promise<number> {
  return runInDurableObject(objectAt(address), (_, state) => state.getWebSockets().length);
}

/** How often the platform has answered a ping, as it notes with each socket: 0 or 1. */
async function timesAnswered(address: string): Promise<number> {
  return runInDurableObject(
    objectAt(address),
    (_, state) =>
      state.getWebSockets().filter((socket) => state.getWebSocketAutoResponseTimestamp(socket) !== null)
        .length,
  );
}

/** Counts entries that are not stored: the history is a ring, and they would have been overwritten. */
function skip(storage: DurableObjectStorage, entries: number): void {
  const { sql } = storage;
  const store = new MachineStore(storage);
  const machine = store.load();
  if (machine === undefined) throw new Error('there is no machine');
  sql.exec('DELETE FROM history');
  sql.exec('UPDATE machine SET entries = ?', entries);
}
