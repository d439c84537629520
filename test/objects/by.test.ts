/** `by=`: a caller with a name counts once per visit and event. */
import { describe, expect, it } from 'vitest';
import { counting, final, newChart, sequence } from '../charts.ts';
import { evict, reportTimes, updateAt } from '../service.ts';
import { documentOf, put, refusedOf, revisionOf, storyOf, together, verdict } from './callers.ts';

const three = sequence(counting('drain', 'patch', 3), counting('patch', 'drain', 2));

describe('a caller with a name', () => {
  it('counts once per visit', async () => {
    const address = await newChart(three);
    const first = await put(address, 'drain', { by: 'web-01' });
    const again = await put(address, 'drain', { by: 'web-01' });
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(await again.text()).toBe('drain');
    expect([revisionOf(first), revisionOf(again)]).toEqual([2, 2]);
    expect(await documentOf(address)).toMatchObject({ revision: 2, quorums: [{ have: 1, need: 3 }] });
  });

  it('counts in addition to other callers', async () => {
    const address = await newChart(three);
    for (const by of ['web-01', 'web-02', 'web-01', 'web-02', 'web-03']) await put(address, 'drain', { by });
    expect((await documentOf(address)).states).toEqual(['patch']);
  });

  it('gets 200 again after the state was left, and changes nothing', async () => {
    const address = await newChart(
      sequence(counting('drain', 'patch'), counting('patch', 'done', 9), final('done')),
    );
    await put(address, 'drain', { by: 'web-01' });
    await reportTimes(address, 'patch', 3);
    const again = await put(address, 'drain', { by: 'web-01' });
    expect([again.status, await again.text(), revisionOf(again)]).toEqual([200, 'drain', 5]);
    expect(await storyOf(address)).toHaveLength(5);
  });

  it('is refused after the state was left, if it had not reported', async () => {
    const address = await newChart(sequence(counting('drain', 'patch'), counting('patch', 'drain')));
    await put(address, 'drain', { by: 'web-01' });
    expect(await verdict(await put(address, 'drain', { by: 'web-02' }))).toBe('406 not-current');
    expect(await verdict(await put(address, 'drain'))).toBe('406 not-current');
  });

  it('counts again in a new visit', async () => {
    const address = await newChart(three);
    for (const by of ['web-01', 'web-02', 'web-03']) await put(address, 'drain', { by });
    await reportTimes(address, 'patch', 2);
    expect((await put(address, 'drain', { by: 'web-01' })).status).toBe(200);
    expect((await put(address, 'drain', { by: 'web-01' })).status).toBe(200);
    expect((await documentOf(address)).quorums).toMatchObject([{ state: 'drain', have: 1 }]);
  });

  it('is refused if its report was of a visit before the last', async () => {
    const address = await newChart(sequence(counting('drain', 'patch'), counting('patch', 'drain')));
    await put(address, 'drain', { by: 'web-01' });
    await put(address, 'patch');
    await put(address, 'drain', { by: 'web-02' });
    expect(await verdict(await put(address, 'drain', { by: 'web-01' }))).toBe('406 not-current');
    expect(await verdict(await put(address, 'drain', { by: 'web-02' }))).toBe('200');
  });

  it('counts again in a visit that began by leaving the same state', async () => {
    const address = await newChart(`
initial: lap
states:
  lap: {on: {update: {target: lap, reenter: true, quorum: 2}}}
`);
    for (const by of ['a', 'a', 'b', 'b', 'b', 'c', 'a', 'a', 'c']) await put(address, 'lap', { by });
    const counted = (await storyOf(address)).flatMap(({ by }) => by ?? []);
    expect(counted).toEqual(['a', 'b', 'b', 'c', 'a', 'c']);
    // The caller of the last report of the visit before counts first in the present one.
    expect((await put(address, 'lap', { by: 'c' })).status).toBe(200);
    expect((await documentOf(address)).quorums).toMatchObject([{ have: 1, by: ['c'] }]);
  });

  it('is not remembered if its report was refused', async () => {
    const address = await newChart(three);
    expect((await put(address, 'patch', { by: 'web-01' })).status).toBe(406);
    await reportTimes(address, 'drain', 3);
    expect((await put(address, 'patch', { by: 'web-01' })).status).toBe(200);
    expect((await documentOf(address)).quorums).toMatchObject([{ state: 'patch', have: 1 }]);
  });

  it('is different from a caller with almost the same name', async () => {
    const address = await newChart(sequence(counting('drain', 'done', 99), final('done')));
    const names = [
      'web-01',
      'Web-01',
      'web-01 ',
      'web-1',
      'wéb-01',
      '"web-01"',
      'web/01',
      '[]',
      "'",
      '🚀',
      '0',
    ];
    for (const by of [...names, ...names]) expect((await put(address, 'drain', { by })).status).toBe(200);
    const [quorum] = (await documentOf(address)).quorums;
    expect(quorum).toMatchObject({ have: names.length, by: names });
  });

  it('has a name of 1 to 255 characters', async () => {
    const address = await newChart(three);
    expect((await put(address, 'drain', { by: 'x'.repeat(255) })).status).toBe(200);
    for (const by of ['', 'x'.repeat(256)]) {
      const response = await put(address, 'drain', { by });
      expect(response.status).toBe(400);
      expect((await refusedOf(response)).detail).toMatch(/`by`/);
    }
    expect((await documentOf(address)).revision).toBe(2);
  });
});

describe('a caller without a name', () => {
  it('counts each time', async () => {
    const address = await newChart(three);
    await reportTimes(address, 'drain', 2);
    expect((await documentOf(address)).quorums).toMatchObject([{ have: 2, by: [] }]);
  });
});

describe('repeats in one batch', () => {
  const report = (state: string, by: string) => ({ state, event: 'update', by });

  it('count once', async () => {
    const address = await newChart(three);
    const answers = await together(address, (machine) =>
      ['a', 'a', 'b', 'a', 'b'].map((by) => updateAt(machine, report('drain', by))),
    );
    expect(answers).toMatchObject([2, 2, 3, 3, 3].map((revision) => ({ ok: true, revision })));
    expect((await documentOf(address)).quorums).toMatchObject([{ have: 2, by: ['a', 'b'] }]);
  });

  it('get 200 after the first of them has left the state', async () => {
    const address = await newChart(sequence(counting('drain', 'patch'), counting('patch', 'drain', 2)));
    const answers = await together(address, (machine) => [
      updateAt(machine, report('drain', 'a')),
      updateAt(machine, report('drain', 'a')),
      updateAt(machine, report('drain', 'b')),
    ]);
    expect(answers).toMatchObject([
      { ok: true, revision: 2 },
      { ok: true, revision: 2 },
      { ok: false, code: 'not-current' },
    ]);
  });

  it('count again once a new visit has begun in the same batch', async () => {
    const address = await newChart(sequence(counting('drain', 'patch'), counting('patch', 'drain')));
    const answers = await together(address, (machine) =>
      ['drain', 'drain', 'patch', 'drain', 'drain'].map((state) => updateAt(machine, report(state, 'a'))),
    );
    expect(answers).toMatchObject([2, 2, 3, 4, 4].map((revision) => ({ ok: true, revision })));
  });
});

describe('an eviction', () => {
  it('forgets no report of the present visit', async () => {
    const address = await newChart(three);
    await put(address, 'drain', { by: 'web-01' });
    await evict(address);
    expect(revisionOf(await put(address, 'drain', { by: 'web-01' }))).toBe(2);
    expect((await documentOf(address)).quorums).toMatchObject([{ have: 1, by: ['web-01'] }]);
  });

  it('forgets no report of the last visit', async () => {
    const address = await newChart(sequence(counting('drain', 'patch'), counting('patch', 'drain', 2)));
    await put(address, 'drain', { by: 'web-01' });
    await evict(address);
    expect(revisionOf(await put(address, 'drain', { by: 'web-01' }))).toBe(2);
  });

  it('makes no old report one of the new visit', async () => {
    const address = await newChart(sequence(counting('drain', 'patch'), counting('patch', 'drain')));
    await put(address, 'drain', { by: 'web-01' });
    await put(address, 'patch');
    await evict(address);
    expect(revisionOf(await put(address, 'drain', { by: 'web-01' }))).toBe(4);
  });
});

describe('in a statechart', () => {
  const chart = `
initial: canary
states:
  canary:
    on:
      update: {target: fleet, quorum: 3}
      fail: {target: rollback, quorum: 2}
      look: {actions: []}
  fleet:
    type: parallel
    states:
      eu: {initial: one, states: {one: {on: {update: {target: two, quorum: 2}}}, two: {on: {back: one}}}}
      us: {initial: one, states: {one: {on: {update: {target: two, quorum: 2}}}, two: {}}}
  rollback: {}
`;
  const inFleet = async () => {
    const address = await newChart(chart);
    await reportTimes(address, 'canary', 3);
    return address;
  };

  it('each event counts separately', async () => {
    const address = await newChart(chart);
    for (const event of ['update', 'fail', 'update', 'fail'])
      await put(address, 'canary', { by: 'a', event });
    expect((await documentOf(address)).quorums).toMatchObject([
      { event: 'update', have: 1, by: ['a'] },
      { event: 'fail', have: 1, by: ['a'] },
    ]);
  });

  it('each region counts separately', async () => {
    const address = await inFleet();
    for (const region of ['fleet.eu', 'fleet.us', 'fleet.eu', 'fleet.us'])
      await put(address, region, { by: 'a' });
    expect((await documentOf(address)).quorums).toMatchObject([
      { state: 'fleet.eu.one', have: 1, by: ['a'] },
      { state: 'fleet.us.one', have: 1, by: ['a'] },
    ]);
  });

  it('a caller counts once per visit of the state in its report, even if states inside it change', async () => {
    const address = await inFleet();
    await put(address, 'fleet.eu', { by: 'a' });
    await put(address, 'fleet.eu', { by: 'b' });
    await put(address, 'fleet.eu', { event: 'back' });
    // `eu` was never left: the report to it still counts.
    expect(revisionOf(await put(address, 'fleet.eu', { by: 'a' }))).toBe(
      (await documentOf(address)).revision,
    );
    expect((await documentOf(address)).quorums).toMatchObject([{ state: 'fleet.eu.one', have: 0 }, {}]);
    // `one` was left and entered: that is another visit.
    expect((await put(address, 'fleet.eu.one', { by: 'a' })).status).toBe(200);
    expect((await documentOf(address)).quorums).toMatchObject([
      { state: 'fleet.eu.one', have: 1, by: ['a'] },
      {},
    ]);
  });

  it('a name is the same state under its path and its key', async () => {
    const address = await newChart(`
initial: outer
states:
  outer:
    initial: deep
    states: {deep: {id: short, on: {update: {target: '#end', quorum: 5}}}}
  end: {id: end}
`);
    for (const name of ['short', 'outer.deep', 'deep']) await put(address, name, { by: 'a' });
    expect((await documentOf(address)).quorums).toMatchObject([{ state: 'short', have: 1, by: ['a'] }]);
  });

  it('a report that no transition takes is not remembered', async () => {
    const address = await newChart(`
initial: a
context: {open: false}
states:
  a: {on: {update: {target: b, guard: context.open}, open: {actions: [{assign: {open: true}}]}}}
  b: {}
`);
    expect(await verdict(await put(address, 'a', { by: 'web-01' }))).toBe('406 not-taken');
    await put(address, 'a', { event: 'open' });
    expect(await verdict(await put(address, 'a', { by: 'web-01' }))).toBe('200');
    expect((await documentOf(address)).states).toEqual(['b']);
  });
});

describe('the status document', () => {
  it('lists the callers that have reported, the first one in front', async () => {
    const address = await newChart(sequence(counting('drain', 'done', 9), final('done')));
    for (const by of ['zoe', 'adam', 'zoe', 'mia']) await put(address, 'drain', { by });
    await reportTimes(address, 'drain', 2);
    expect((await documentOf(address)).quorums).toEqual([
      { state: 'drain', event: 'update', have: 5, need: 9, by: ['zoe', 'adam', 'mia'] },
    ]);
  });

  it('lists no caller of an earlier visit', async () => {
    const address = await newChart(three);
    for (const by of ['a', 'b', 'c']) await put(address, 'drain', { by });
    for (const by of ['c', 'd']) await put(address, 'patch', { by });
    await put(address, 'drain', { by: 'b' });
    expect((await documentOf(address)).quorums).toMatchObject([{ state: 'drain', by: ['b'] }]);
  });

  it('lists callers whose event was counted by a wildcard', async () => {
    const address = await newChart(`
initial: a
states:
  a: {on: {'build.*': {target: b, quorum: 3}, '*': {target: b, quorum: 4}}}
  b: {}
`);
    await put(address, 'a', { by: 'x', event: 'build.done' });
    await put(address, 'a', { by: 'y', event: 'other' });
    expect((await documentOf(address)).quorums).toMatchObject([
      { event: 'build.*', have: 1, by: ['x'] },
      { event: '*', have: 1, by: ['y'] },
    ]);
  });

  it('has the counts that a refusal lists', async () => {
    const address = await newChart(three);
    await put(address, 'drain', { by: 'a' });
    const refused = await refusedOf(await put(address, 'patch', { by: 'a' }));
    expect(refused.machine?.waiting).toEqual([{ state: 'drain', event: 'update', have: 1, need: 3 }]);
    expect(refused.detail).toContain('"drain" waits for 2 more "update"');
  });
});
