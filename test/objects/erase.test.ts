/** `DELETE {machine}` erases the machine, as if its address had never been used. */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Tenant } from '../../src/index.ts';
import { DELETED } from '../../src/limits.ts';
import { RegistryTable } from '../../src/store/registry-table.ts';
import { counting, final, newAddress, newChart, sequence, timed } from '../charts.ts';
import {
  ask,
  evict,
  executeAt,
  inStorage,
  objectAt,
  report,
  reportTimes,
  tracesOf,
  updateAt,
} from '../service.ts';
import { claim, documentOf, erase, put, revisionOf, storyOf, upload, verdict } from './callers.ts';
import { inTenant, newTenant } from './tenants.ts';

const NOTHING = { tables: [], alarm: null };
const drain = sequence({ ...counting('drain', 'patch', 2), slots: 1 }, counting('patch', 'drain'));

/** A machine with rows in each of its tables, and an alarm. */
async function full(): Promise<string> {
  const address = newAddress();
  await upload(address, drain);
  await claim(address, 'drain', 'a');
  await put(address, 'drain', { by: 'a', key: 'k1' });
  await claim(address, 'drain', 'b');
  await put(address, 'drain', { by: 'b' });
  await report(address, 'patch');
  await claim(address, 'drain', 'c');
  return address;
}

describe('a machine that is deleted', () => {
  it('leaves no table and no alarm', async () => {
    const address = await full();
    expect((await tracesOf(address)).alarm).not.toBeNull();
    const response = await erase(address);
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(await tracesOf(address)).toEqual(NOTHING);
    await evict(address);
    expect(await tracesOf(address)).toEqual(NOTHING);
  });

  it('is gone, and so is the chart that was uploaded to it', async () => {
    const address = await full();
    await erase(address);
    expect(await verdict(await ask(address, 'drain'))).toBe('404 no-chart');
    expect(await verdict(await report(address, 'drain'))).toBe('404 no-chart');
    expect(await verdict(await erase(address))).toBe('404 no-chart');
    expect(await tracesOf(address)).toEqual(NOTHING);
  });

  it('begins again when it is used again, as if new but for its revisions', async () => {
    const address = await full();
    const { revision } = await documentOf(address);
    await erase(address);
    expect((await upload(address, drain)).status).toBe(201);
    expect(await documentOf(address)).toMatchObject({
      states: ['drain'],
      revision: revision + 1,
      quorums: [{ have: 0, by: [] }],
      claims: [{ holders: [] }],
    });
    expect((await storyOf(address)).map(({ id, cause }) => [id, cause])).toEqual([[1, 'upload']]);
    // Keys and reports are forgotten as well.
    await claim(address, 'drain', 'a');
    expect(revisionOf(await put(address, 'drain', { by: 'a', key: 'k1' }))).toBe(revision + 3);
  });

  it('begins again from a bound chart', async () => {
    const address = await newChart(sequence(counting('a', 'b', 2), counting('b', 'a')));
    await reportTimes(address, 'a', 2);
    await erase(address);
    expect(await tracesOf(address)).toEqual(NOTHING);
    expect(revisionOf(await ask(address, 'a'))).toBe(4);
  });

  it('sets its alarm again, even for the same moment', async () => {
    const address = await newChart(sequence(timed('a', 'b', '2040-06-01T12:00:00'), counting('b', 'a')));
    await ask(address, 'a');
    const { alarm } = await tracesOf(address);
    await erase(address);
    await ask(address, 'a');
    expect(alarm).not.toBeNull();
    expect((await tracesOf(address)).alarm).toBe(alarm);
  });

  it('is not brought back by an alarm that was due', async () => {
    const address = await full();
    await inStorage(address, async (_, machine) => {
      await executeAt(machine, { type: 'erase' });
      await machine.alarm();
    });
    expect(await runDurableObjectAlarm(objectAt(address))).toBe(false);
    expect(await tracesOf(address)).toEqual(NOTHING);
  });

  it('can be deleted after an eviction', async () => {
    const address = await full();
    await evict(address);
    expect((await erase(address)).status).toBe(204);
    expect(await tracesOf(address)).toEqual(NOTHING);
  });
});

describe('reports at the same time as a deletion', () => {
  const update = { state: 'a', event: 'update' };

  it('are counted before, or get 404', async () => {
    const address = newAddress();
    await upload(address, sequence(counting('a', 'b', 100), counting('b', 'a')));
    const [first, erased, second] = await inStorage(address, (_, machine) =>
      Promise.all([
        updateAt(machine, update),
        executeAt(machine, { type: 'erase' }),
        updateAt(machine, update),
      ]),
    );
    expect(erased).toMatchObject({ ok: true });
    for (const answer of [first, second]) {
      if (!answer.ok) expect(answer.code).toBe('no-chart');
    }
    expect(second.ok).toBe(false);
    await evict(address);
    expect(await tracesOf(address)).toEqual(NOTHING);
  });

  it('leave nothing behind, however many there are', async () => {
    const address = newAddress();
    await upload(address, sequence(counting('a', 'b', 100), counting('b', 'a')));
    const answers = await Promise.all([
      ...Array.from({ length: 20 }, () => report(address, 'a')),
      erase(address),
      ...Array.from({ length: 20 }, () => report(address, 'a')),
    ]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 204, 404]));
    expect(await tracesOf(address)).toEqual(NOTHING);
  });

  it('may start a bound chart again, whole', async () => {
    const address = await newChart(sequence(counting('a', 'b', 100), counting('b', 'a')));
    await ask(address, 'a');
    await Promise.all([erase(address), ...Array.from({ length: 20 }, () => report(address, 'a'))]);
    await report(address, 'a');
    const before = await documentOf(address);
    await evict(address);
    expect(await documentOf(address)).toEqual(before);
    const story = await storyOf(address);
    expect(story.map(({ id }) => id)).toEqual(story.map((_, i) => i + 1));
    expect(story.at(-1)?.revision).toBe(before.revision);
  });
});

describe('a machine that has not begun', () => {
  it('cannot be deleted, and does not begin by that', async () => {
    const address = newAddress();
    expect(await verdict(await erase(address))).toBe('404 no-chart');
    expect(await tracesOf(address)).toEqual(NOTHING);
  });
});

describe('the revisions of a deleted machine', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });
  const drain = sequence(counting('drain', 'done', 5), final('done'));

  it.each(['a chart’s own machine', 'a run'])('never come again: %s', async (kind) => {
    const address = `${await newChart(drain)}${kind === 'a run' ? '@7' : ''}`;
    await put(address, 'drain');
    const seen = revisionOf(await put(address, 'drain'));
    expect((await erase(address)).status).toBe(204);
    expect(revisionOf(await put(address, 'drain'))).toBeGreaterThan(seen);
    // An entity tag of the deleted machine matches no later machine.
    expect((await put(address, 'drain', { match: `"${seen}"` })).status).toBe(412);
    expect((await documentOf(address)).quorums).toMatchObject([{ have: 1 }]);
  });

  it('never come again where the registry does not hear of the deletion', async () => {
    const tenant = newTenant();
    const address = `${tenant}/release`;
    await upload(address, drain);
    const seen = revisionOf(await put(address, 'drain'));
    vi.spyOn(Tenant.prototype, 'leave').mockRejectedValueOnce(new Error('planted: the call was lost'));
    expect((await erase(address)).status).toBe(204);
    await upload(address, drain);
    expect(revisionOf(await put(address, 'drain'))).toBeGreaterThan(seen);
  });

  it('are kept before anything is deleted: without the registry, the machine stays', async () => {
    const tenant = newTenant();
    const address = `${tenant}/release`;
    await upload(address, drain);
    const seen = revisionOf(await put(address, 'drain'));
    const lost = Object.assign(new Error('planted: the call was lost'), { retryable: true });
    vi.spyOn(Tenant.prototype, 'keepRevision').mockRejectedValueOnce(lost);
    expect(await verdict(await erase(address))).toBe('503 overloaded');
    expect((await documentOf(address)).revision).toBe(seen);
  });

  it('are forgotten one by one beyond a bound, and still never come again', async () => {
    const tenant = newTenant();
    const registry = await inTenant(tenant, (sql, storage) => {
      const table = new RegistryTable(storage);
      const member = (i: number) => ({ chart: 'release', run: String(i) });
      for (let i = 0; i < DELETED + 3; i++) {
        table.enter(member(i), 1);
        table.keepRevision(member(i), i === 1 ? 50 : 5);
        table.leave(member(i));
      }
      const rows = sql.exec<{ rows: number }>('SELECT count(*) AS rows FROM deleted').one().rows;
      return { rows, last: [0, DELETED + 2, DELETED + 9].map((i) => table.lastRevision(member(i))) };
    });
    expect(registry).toEqual({ rows: DELETED, last: [50, 50, 50] });
  });
});
