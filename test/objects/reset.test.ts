/** `POST {machine}/reset` restarts the machine from the newest chart. The history goes on. */
import { describe, expect, it } from 'vitest';
import { Draft } from '../../src/objects/draft.ts';
import { wake } from '../../src/objects/machine-state.ts';
import { recordsIn } from '../../src/objects/records.ts';
import { restart } from '../../src/objects/restart.ts';
import { update } from '../../src/objects/update.ts';
import { MachineStore } from '../../src/store/machine-store.ts';
import { counting, final, newAddress, newChart, putChart, removeChart, sequence } from '../charts.ts';
import { evict, executeAt, inStorage, report, reportTimes, tracesOf } from '../service.ts';
import {
  documentOf,
  put,
  refusedOf,
  reset,
  revisionOf,
  storyOf,
  together,
  upload,
  verdict,
} from './callers.ts';

const drain = sequence(counting('drain', 'patch', 2), counting('patch', 'done'), final('done'));
const other = sequence(counting('first', 'second'), final('second'));

describe('a reset', () => {
  it('enters the initial state again, and counts from the beginning', async () => {
    const address = await newChart(drain);
    await reportTimes(address, 'drain', 2);
    const response = await reset(address);
    expect([response.status, revisionOf(response), await response.text()]).toEqual([204, 4, '']);
    expect(await documentOf(address)).toMatchObject({ states: ['drain'], quorums: [{ have: 0 }] });
  });

  it('does not undo an upload that was answered before it', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const large = Array.from({ length: 900 }, (_, i) => counting(`old${i}`, `old${i + 1}`));
    await putChart(address, sequence(...large, final('old900')));
    // Read already, as of a page that checks what is typed.
    await upload(newAddress(), other);
    const [restarted, uploaded] = await Promise.all([reset(address), upload(address, other, '?reset=true')]);
    expect(uploaded.status).toBe(200);
    expect([204, 503]).toContain(restarted.status);
    expect(await documentOf(address)).toMatchObject({ states: ['first'], chart: { source: 'upload' } });
  });

  it('is in the history, with its caller', async () => {
    const address = await newChart(drain);
    await reportTimes(address, 'drain', 2);
    await reset(address, 'admin');
    await report(address, 'drain');
    expect((await storyOf(address)).slice(-2)).toMatchObject([
      {
        id: 4,
        revision: 4,
        cause: 'reset',
        by: 'admin',
        from: ['patch'],
        to: ['drain'],
        state: null,
        event: null,
      },
      { id: 5, revision: 5, cause: 'update', from: ['drain'], to: ['drain'] },
    ]);
  });

  it('forgets the callers of reports: they count once more', async () => {
    const address = await newChart(drain);
    await put(address, 'drain', { by: 'a' });
    await put(address, 'drain', { by: 'b' });
    await reset(address);
    expect(await verdict(await put(address, 'patch', { by: 'a' }))).toBe('406 not-current');
    for (const by of ['a', 'a', 'b']) expect((await put(address, 'drain', { by })).status).toBe(200);
    expect((await documentOf(address)).states).toEqual(['patch']);
  });

  it('forgets reports to the chart as a whole', async () => {
    const address = await newChart(
      'id: all\ninitial: a\non: {update: {target: .b, quorum: 2}}\nstates: {a: {}, b: {}}',
    );
    await put(address, 'all', { by: 'a' });
    await reset(address);
    expect((await documentOf(address)).quorums).toMatchObject([{ have: 0, by: [] }]);
    await put(address, 'all', { by: 'a' });
    expect((await documentOf(address)).quorums).toMatchObject([{ have: 1, by: ['a'] }]);
  });

  it('forgets reports before it in the same turn, and not the ones after it', async () => {
    const address = await newChart(drain);
    await put(address, 'drain', { by: 'a' });
    await inStorage(address, (storage) => {
      const store = new MachineStore(storage);
      const machine = wake(store);
      if (machine === undefined) throw new Error('there is no machine');
      const source = { ...machine.source, text: store.chartText(), definition: machine.chart.definition };
      const draft = new Draft(machine, recordsIn(store));
      const report = (by: string) =>
        update(draft, { type: 'update', state: 'drain', event: 'update', by, key: by }, Date.now());
      report('b');
      restart(draft, { ok: true, chart: machine.chart, source, warnings: [] }, 'reset', {}, Date.now());
      report('a');
      storage.transactionSync(() => draft.changes && store.write(draft.changes));
    });
    await evict(address);
    expect(await documentOf(address)).toMatchObject({ states: ['drain'], quorums: [{ have: 1, by: ['a'] }] });
    expect(revisionOf(await put(address, 'drain', { by: 'a' }))).toBe(5);
    // `b` counts again by its name, and not by its key.
    expect(revisionOf(await put(address, 'drain', { by: 'b', key: 'b' }))).toBe(3);
    expect(revisionOf(await put(address, 'drain', { by: 'b' }))).toBe(6);
  });

  it('sets the timers again', async () => {
    const address = await newChart('initial: a\nstates: {a: {after: {1h: b}, on: {update: b}}, b: {}}');
    await report(address, 'a');
    expect((await tracesOf(address)).alarm).toBeNull();
    await reset(address);
    const { timers } = await documentOf(address);
    expect(timers).toHaveLength(1);
    expect((await tracesOf(address)).alarm).toBe(Date.parse(timers[0]?.at ?? ''));
    await reset(address);
    await evict(address);
    expect((await documentOf(address)).timers).toHaveLength(1);
  });

  it('sets the context again', async () => {
    const address = await newChart(
      'initial: a\ncontext: {n: 0}\nstates: {a: {on: {update: {actions: [{assign: {n: context.n + 1}}]}}}}',
    );
    await reportTimes(address, 'a', 3);
    expect((await documentOf(address)).context).toEqual({ n: 3 });
    await reset(address);
    await evict(address);
    expect((await documentOf(address)).context).toEqual({ n: 0 });
  });

  it('of a machine that is done begins it again', async () => {
    const address = await newChart(other);
    await report(address, 'first');
    expect((await documentOf(address)).status).toBe('done');
    await reset(address);
    expect(await documentOf(address)).toMatchObject({ status: 'active', states: ['first'] });
  });

  it('of a machine that has not begun begins it', async () => {
    const address = await newChart(drain);
    expect((await reset(address)).status).toBe(204);
    expect(await documentOf(address)).toMatchObject({ states: ['drain'], revision: 1 });
  });

  it('survives an eviction', async () => {
    const address = await newChart(drain);
    await reportTimes(address, 'drain', 2);
    await reset(address);
    await evict(address);
    expect(await documentOf(address)).toMatchObject({
      states: ['drain'],
      revision: 4,
      quorums: [{ have: 0 }],
    });
  });

  it('may be done any number of times in one batch', async () => {
    const address = await newChart(drain);
    await together(address, (machine) => [
      executeAt(machine, { type: 'reset' }),
      executeAt(machine, { type: 'reset' }),
      executeAt(machine, { type: 'reset' }),
    ]);
    await evict(address);
    expect(await documentOf(address)).toMatchObject({ states: ['drain'], revision: 4 });
    expect((await storyOf(address)).map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  });

  it('is refused without a chart, and leaves nothing behind', async () => {
    const address = newAddress();
    expect(await verdict(await reset(address))).toBe('404 no-chart');
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });

  it('is refused with an empty name', async () => {
    const address = await newChart(drain);
    expect((await reset(address, '')).status).toBe(400);
  });
});

describe('the newest chart', () => {
  it('is used after a reset, and not before', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    expect((await documentOf(address)).chart.newer).toBe(false);
    await putChart(address, other);
    await evict(address);
    expect(await documentOf(address)).toMatchObject({ states: ['drain'], chart: { newer: true } });
    await reset(address);
    expect(await documentOf(address)).toMatchObject({
      states: ['first'],
      revision: 3,
      chart: { newer: false },
    });
    await evict(address);
    expect((await documentOf(address)).states).toEqual(['first']);
  });

  it('may have the other dialect', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    await putChart(address, 'initial: a\nstates: {a: {after: {1h: b}}, b: {}}');
    await reset(address);
    await evict(address);
    expect(await documentOf(address)).toMatchObject({ dialect: 'statechart', states: ['a'], quorums: [] });
  });

  it('that is not valid is refused, and the machine continues as before', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    await putChart(address, 'current_state: nowhere\nstates:\n  - name: a\n');
    const response = await reset(address);
    expect(response.status).toBe(422);
    expect((await refusedOf(response)).errors).toMatchObject([{ line: 1, path: 'current_state' }]);
    expect(await documentOf(address)).toMatchObject({
      states: ['drain'],
      revision: 2,
      quorums: [{ have: 1 }],
    });
  });

  it('is the machine’s own if there is no other any more', async () => {
    const address = await newChart(drain);
    await reportTimes(address, 'drain', 2);
    await removeChart(address);
    expect((await documentOf(address)).chart.newer).toBe(false);
    await reset(address);
    await evict(address);
    expect(await documentOf(address)).toMatchObject({ states: ['drain'], chart: { source: 'bundle' } });
  });

  it('is the uploaded one if there are both', async () => {
    const address = newAddress();
    await upload(address, drain);
    await putChart(address, other);
    expect((await documentOf(address)).chart).toMatchObject({ source: 'upload', newer: false });
    await reset(address);
    expect(await documentOf(address)).toMatchObject({ states: ['drain'], chart: { source: 'upload' } });
  });
});
