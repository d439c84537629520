/** Memory is only a cache of storage. */
import { describe, expect, it } from 'vitest';
import { counting, final, newChart, removeChart, sequence, timed } from '../charts.ts';
import {
  ask,
  chartOf,
  evict,
  historyOf,
  inStorage,
  report,
  reportTimes,
  statusOf,
  tracesOf,
} from '../service.ts';

const chart = sequence(
  counting('a', 'b', 3),
  counting('b', 'night', 2),
  timed('night', 'day', '2999-01-01T00:00:00'),
  final('day'),
);

describe('a machine whose object was evicted', () => {
  it('is in the same state, with the same counts', async () => {
    const address = await newChart(chart);
    await reportTimes(address, 'a', 2);
    await evict(address);
    expect((await ask(address, 'a')).headers.get('ETag')).toBe('"3"');
    await evict(address);
    await reportTimes(address, 'a', 1);
    expect((await ask(address, 'b')).status).toBe(200);
  });

  it('has the same status, chart and history', async () => {
    const address = await newChart(chart);
    await reportTimes(address, 'a', 3);
    await reportTimes(address, 'b', 1);
    const before = [await statusOf(address), await chartOf(address), await historyOf(address)];
    await evict(address);
    expect([await statusOf(address), await chartOf(address), await historyOf(address)]).toEqual(before);
  });

  it('keeps its timer and its alarm', async () => {
    const address = await newChart(chart);
    await reportTimes(address, 'a', 3);
    await reportTimes(address, 'b', 2);
    const { timers } = await statusOf(address);
    const { alarm } = await tracesOf(address);
    await evict(address);
    expect(timers).toMatchObject([{ at: '2999-01-01T00:00:00.000Z' }]);
    expect((await statusOf(address)).timers).toEqual(timers);
    expect((await tracesOf(address)).alarm).toBe(alarm);
    expect(alarm).not.toBeNull();
  });

  it('needs no chart but its own to wake up', async () => {
    const address = await newChart(chart);
    await reportTimes(address, 'a', 1);
    await removeChart(address);
    await evict(address);
    await reportTimes(address, 'a', 2);
    expect((await ask(address, 'b')).status).toBe(200);
  });

  it('counts exactly if it is evicted between every two reports', async () => {
    const address = await newChart(sequence(counting('a', 'b', 4), counting('b', 'c', 20), final('c')));
    for (let i = 0; i < 10; i++) {
      expect((await report(address, i < 4 ? 'a' : 'b')).headers.get('ETag')).toBe(`"${i + 2}"`);
      await evict(address);
    }
    expect((await statusOf(address)).quorums).toMatchObject([{ state: 'b', have: 6 }]);
  });
});

describe('the machine in memory', () => {
  it('is dropped when storage differs, for a query', async () => {
    const address = await machineThatMovedOnInStorage();
    expect((await ask(address, 'b')).status).toBe(200);
    expect((await ask(address, 'a')).status).toBe(406);
  });

  it('is dropped when storage differs, for a report', async () => {
    const address = await machineThatMovedOnInStorage();
    expect((await report(address, 'a')).status).toBe(406);
    const counted = await report(address, 'b');
    expect([counted.status, counted.headers.get('ETag')]).toEqual([200, '"42"']);
    expect((await statusOf(address)).quorums).toMatchObject([{ state: 'b', have: 1 }]);
  });

  it('is dropped when storage differs, for every document', async () => {
    const address = await machineThatMovedOnInStorage();
    expect(await statusOf(address)).toMatchObject({ revision: 41, states: ['b'] });
    expect(await chartOf(await machineThatMovedOnInStorage())).toContain('"current_state":"b"');
    expect((await historyOf(await machineThatMovedOnInStorage())).history[0]).toMatchObject({ revision: 41 });
  });
});

/**
 * A machine of which the object remembers that it is in `a`, at revision 1, while storage says that it is in
 * `b`, at revision 41: as if a second object of the same name had been at work meanwhile.
 */
async function machineThatMovedOnInStorage(): Promise<string> {
  const model = await newChart(chart);
  await reportTimes(model, 'a', 3);
  const [row] = await inStorage(model, ({ sql }) => sql.exec('SELECT snapshot FROM machine').toArray());
  const address = await newChart(chart);
  expect((await ask(address, 'a')).headers.get('ETag')).toBe('"1"');
  await inStorage(address, ({ sql }) => {
    sql.exec('UPDATE machine SET revision = 41, entries = 2, snapshot = ?', row?.snapshot ?? null);
    sql.exec(
      `INSERT INTO history (slot, revision, at, cause, event, before, after, entered, notes, start)
       VALUES (2, 41, 0, 'update', 'update', '["a"]', '["b"]', '["b"]', '[]', 0)`,
    );
  });
  return address;
}
