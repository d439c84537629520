/** `POST {machine}/restore` puts a machine back to a moment, by a stand-in of the platform's recovery. */
import { afterEach, describe, expect, it } from 'vitest';
import { counting, final, newAddress, newChart, sequence } from '../charts.ts';
import { ask, evict, inStorage, report, reportTimes, send, statusOf, tracesOf } from '../service.ts';
import {
  claim,
  documentOf,
  erase,
  holdersOf,
  put,
  resource,
  revisionOf,
  storyOf,
  upload,
  verdict,
} from './callers.ts';
import { watch } from './events.ts';
import { moment, platform, removeStandIn, restore } from './restoring.ts';
import { isListed } from './tenants.ts';

const HOUR = 60 * 60_000;
const STEPS = ['getBookmarkForTime', 'getCurrentBookmark', 'onNextSessionRestoreBookmark', 'abort'];
const drain = sequence(counting('drain', 'patch', 3), counting('patch', 'done', 3), final('done'));

afterEach(removeStandIn);

describe('a restored machine', () => {
  it('is as it was, and its history says who went back, and from where', async () => {
    const address = await newChart(drain);
    await reportTimes(address, 'drain', 2);
    const at = await moment(address);
    await reportTimes(address, 'drain', 1);
    await report(address, 'patch');
    const { revision } = await documentOf(address);
    const response = await restore(address, at, 'ops');
    expect(response.status).toBe(204);
    expect(platform().calls).toEqual(STEPS);
    expect(await documentOf(address)).toMatchObject({ states: ['drain'], quorums: [{ have: 2 }] });
    const story = await storyOf(address);
    expect(story.map(({ cause }) => cause)).toEqual(['start', 'update', 'update', 'restore']);
    expect(story.at(-1)).toMatchObject({
      revision: revisionOf(response),
      by: 'ops',
      from: ['patch'],
      to: ['drain'],
      notes: [
        `put back to ${new Date(at).toISOString()}`,
        `undone: what came after, up to revision ${revision}`,
      ],
    });
  });

  it('goes on: reports count, and it survives an eviction', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const at = await moment(address);
    await reportTimes(address, 'drain', 2);
    await restore(address, at);
    await report(address, 'drain');
    await evict(address);
    await report(address, 'drain');
    expect(await documentOf(address)).toMatchObject({ states: ['patch'] });
  });

  it('never has a revision of what was undone', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const at = await moment(address);
    const undone = [revisionOf(await report(address, 'drain')), revisionOf(await report(address, 'drain'))];
    await restore(address, at);
    for (const revision of undone) {
      expect((await put(address, 'drain', { match: `"${revision}"` })).status).toBe(412);
      expect(revisionOf(await report(address, 'drain'))).toBeGreaterThan(Math.max(...undone));
    }
  });

  it('never has an entry id of what was undone: a reader that comes back gets the restore next', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const at = await moment(address);
    await reportTimes(address, 'drain', 2);
    const [last] = (await storyOf(address)).slice(-1);
    await restore(address, at);
    await report(address, 'drain');
    const watcher = await watch(address, { last: String(last?.id) });
    const told = await watcher.take(2);
    expect(told.map(({ id, event }) => [id, event])).toEqual([
      [5, 'restore'],
      [6, 'update'],
    ]);
    await watcher.close();
    const page = await send('GET', resource(address, 'history', { limit: '2', before: '5' }));
    const { history } = await page.json<{ history: { id: number }[] }>();
    expect(history.map(({ id }) => id)).toEqual([2, 1]);
    // Each entry starts where the one before it ends, also across the ids that are left out.
    const starts = await inStorage(address, ({ sql }) =>
      sql.exec<{ start: number }>('SELECT start FROM history ORDER BY slot').toArray(),
    );
    expect(starts).toEqual(starts.toSorted((one, other) => one.start - other.start));
  });

  it('has the claims and the receipts of the moment', async () => {
    const address = await newChart(`
initial: work
states:
  work: {slots: 1, lease: 10m, on: {update: {target: rest, quorum: 3}}}
  rest: {type: final}
`);
    await claim(address, 'work', 'a');
    await put(address, 'work', { by: 'a' });
    await claim(address, 'work', 'b');
    const at = await moment(address);
    await put(address, 'work', { by: 'b' });
    await restore(address, at);
    expect(await holdersOf(address)).toEqual(['b']);
    await put(address, 'work', { by: 'a' });
    expect((await documentOf(address)).quorums).toMatchObject([{ have: 1 }]);
    await put(address, 'work', { by: 'b' });
    expect((await documentOf(address)).quorums).toMatchObject([{ have: 2, by: ['a', 'b'] }]);
  });

  it('goes on with what was left of its delays, keeps its moments, and sets its alarm', async () => {
    const later = new Date(Date.now() + HOUR).toISOString();
    const address = await newChart(`
initial: work
states:
  work: {after: {2s: late}, at: {'${later}': late}, on: {update: rest}}
  rest: {on: {update: work}}
  late: {type: final}
`);
    await documentOf(address);
    const at = await moment(address);
    await scheduler.wait(500);
    await report(address, 'work');
    const delayed = Date.now() - at;
    await restore(address, at);
    const [first, second] = (await documentOf(address)).timers.map((timer) => Date.parse(timer.at));
    expect(Number(first) - at - 2_000).toBeGreaterThan(delayed - 500);
    expect(second).toBe(Date.parse(later));
    expect((await tracesOf(address)).alarm).toBe(first);
  });

  it('goes on with the pause of the moment, and with what was left of its delays at the pause', async () => {
    const address = await newChart(`
initial: work
states:
  work: {after: {1h: late}, on: {update: rest}}
  rest: {on: {update: work}}
  late: {type: final}
`);
    const { since } = await statusOf(address);
    await send('POST', resource(address, 'pause'));
    const paused = (await storyOf(address)).at(-1)?.at ?? '';
    const at = await moment(address);
    await send('POST', resource(address, 'resume'));
    await report(address, 'work');
    await scheduler.wait(200);
    await restore(address, at);
    expect(await verdict(await ask(address, 'work'))).toBe('406 paused');
    await send('POST', resource(address, 'resume'));
    const resumed = (await storyOf(address)).at(-1)?.at ?? '';
    const [timer] = (await documentOf(address)).timers;
    const left = HOUR - (Date.parse(paused) - Date.parse(since));
    expect(Date.parse(timer?.at ?? '') - Date.parse(resumed)).toBe(left);
  });

  it('ends the leases that are over by now', async () => {
    const address = await newChart(
      sequence({ ...counting('work', 'rest', 9), slots: 1, lease: '1s' }, final('rest')),
    );
    await claim(address, 'work', 'a');
    const at = await moment(address);
    await scheduler.wait(1_000);
    await report(address, 'work');
    await documentOf(address);
    await restore(address, at);
    expect((await storyOf(address)).map(({ cause }) => cause)).toEqual([
      'start',
      'claim',
      'restore',
      'lease-expired',
    ]);
  });

  it('can be put forward again', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const before = await moment(address);
    await reportTimes(address, 'drain', 2);
    const after = await moment(address);
    await restore(address, before);
    expect((await documentOf(address)).states).toEqual(['drain']);
    await restore(address, after);
    expect((await documentOf(address)).states).toEqual(['patch']);
    const revisions = (await storyOf(address)).map(({ revision }) => revision);
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
    expect(new Set(revisions).size).toBe(revisions.length);
  });
});

describe('a machine that has not changed since the moment', () => {
  it('is not restarted', async () => {
    const address = await newChart(drain);
    const revision = revisionOf(await report(address, 'drain'));
    await scheduler.wait(3);
    const response = await restore(address, await moment(address));
    expect([response.status, revisionOf(response)]).toEqual([204, revision]);
    expect(platform().calls).toEqual(['getBookmarkForTime']);
  });
});

describe('an address that had no machine at the moment', () => {
  it('is 404 before the machine began', async () => {
    const address = await newChart(drain);
    const at = await moment(address);
    await report(address, 'drain');
    expect(await verdict(await restore(address, at))).toBe('404 no-chart');
    expect(platform().calls).toEqual(['getBookmarkForTime']);
  });

  it('is 404, and the machine goes on, where its history does not reach as far', async () => {
    const address = await newChart(drain);
    const at = await moment(address);
    await reportTimes(address, 'drain', 2);
    await inStorage(address, ({ sql }) => sql.exec('DELETE FROM history WHERE slot = 1'));
    const before = await documentOf(address);
    expect(await verdict(await restore(address, at))).toBe('404 no-chart');
    expect(platform().calls).toEqual([...STEPS, ...STEPS.slice(1)]);
    expect(await documentOf(address)).toEqual(before);
    expect(await isListed(address)).toBe(true);
    expect(revisionOf(await report(address, 'drain'))).toBe(before.revision + 1);
  });

  it('is 404 if it was never used, and leaves nothing', async () => {
    const address = newAddress();
    const at = await moment(address);
    expect(await verdict(await restore(address, at))).toBe('404 no-chart');
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });
});

describe('a machine that was deleted', () => {
  it('comes back, is listed again, and goes on above its last revision', async () => {
    const address = newAddress();
    await upload(address, drain);
    await report(address, 'drain');
    const at = await moment(address);
    const last = revisionOf(await report(address, 'drain'));
    await erase(address);
    expect(await isListed(address)).toBe(false);
    const response = await restore(address, at);
    expect(response.status).toBe(204);
    expect(revisionOf(response)).toBeGreaterThan(last);
    expect(await isListed(address)).toBe(true);
    expect(await documentOf(address)).toMatchObject({ states: ['drain'], quorums: [{ have: 1 }] });
    const [entry] = (await storyOf(address)).slice(-1);
    expect(entry).toMatchObject({ cause: 'restore', from: [], to: ['drain'] });
    expect(entry?.id).toBeGreaterThan(last);
  });

  it('stays deleted if it did not exist at the moment either', async () => {
    const address = newAddress();
    const at = await moment(address);
    await upload(address, drain);
    await erase(address);
    await scheduler.wait(3);
    expect(await verdict(await restore(address, at))).toBe('404 no-chart');
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
    expect(await isListed(address)).toBe(false);
  });
});
