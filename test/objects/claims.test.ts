/** Claims: a state with `slots` lets only that many callers work at a time. */
import { describe, expect, it } from 'vitest';
import { counting, final, newAddress, newChart, sequence } from '../charts.ts';
import { ask, evict, executeAt, report, reportTimes, send, tracesOf, updateAt } from '../service.ts';
import {
  claim,
  documentOf,
  holdersOf,
  put,
  refusedOf,
  release,
  reset,
  resource,
  storyOf,
  together,
  verdict,
} from './callers.ts';

/** Both dialects, each with two slots and four reports. */
const charts = {
  sequence: sequence({ ...counting('work', 'rest', 4), slots: 2, lease: '20m' }, counting('rest', 'work')),
  statechart: `
initial: work
states:
  work: {slots: 2, lease: 20m, on: {update: {target: rest, quorum: 4}, abort: rest}}
  rest: {on: {update: work}}
`,
};

describe.each(Object.entries(charts))('in a %s', (_, chart) => {
  it('a claim takes a slot, and the response has the end of its lease', async () => {
    const address = await newChart(chart);
    const before = Date.now();
    const response = await claim(address, 'work', 'a');
    expect([response.status, response.headers.get('Content-Type')]).toEqual([200, 'application/json']);
    const { until, ...body } = await response.json<{ until: string }>();
    expect(body).toEqual({ state: 'work', by: 'a', lease: 1_200 });
    expect(Date.parse(until)).toBeGreaterThanOrEqual(before + 20 * 60_000);
    expect(Date.parse(until)).toBeLessThan(Date.now() + 21 * 60_000);
    expect((await documentOf(address)).claims).toMatchObject([
      { state: 'work', slots: 2, holders: [{ by: 'a', until }] },
    ]);
  });

  it('a claim is refused while all slots are held, with the holders and Retry-After', async () => {
    const address = await newChart(chart);
    for (const by of ['a', 'b']) expect((await claim(address, 'work', by)).status).toBe(200);
    const response = await claim(address, 'work', 'c');
    expect(response.status).toBe(406);
    expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
    const refused = await refusedOf(response);
    expect(refused.type).toBe('urn:stateservice:problem:slots-taken');
    expect(refused.detail).toMatch(
      /^All 2 slots of "work" are taken: held by "a" until \S+Z, held by "b" until \S+Z\.$/,
    );
    expect(refused.holders?.map(({ by }) => by)).toEqual(['a', 'b']);
    expect(refused.machine?.states).toEqual(['work']);
  });

  it('a second claim of a caller renews its slot, and takes no other', async () => {
    const address = await newChart(chart);
    const first = await (await claim(address, 'work', 'a')).json<{ until: string }>();
    await new Promise((done) => setTimeout(done, 20));
    const again = await (await claim(address, 'work', 'a')).json<{ until: string }>();
    expect(Date.parse(again.until)).toBeGreaterThan(Date.parse(first.until));
    const [{ holders } = { holders: [] }] = (await documentOf(address)).claims;
    expect(holders).toMatchObject([{ by: 'a', until: again.until }]);
    expect(Date.parse(holders[0]?.since ?? '')).toBeLessThan(Date.parse(again.until) - 20 * 60_000);
    expect((await claim(address, 'work', 'b')).status).toBe(200);
  });

  it('a report of a holder counts, and frees its slot', async () => {
    const address = await newChart(chart);
    for (const by of ['a', 'b']) await claim(address, 'work', by);
    expect((await put(address, 'work', { by: 'a' })).status).toBe(200);
    expect(await documentOf(address)).toMatchObject({ quorums: [{ have: 1, by: ['a'] }] });
    expect(await holdersOf(address)).toEqual(['b']);
    expect((await claim(address, 'work', 'c')).status).toBe(200);
  });

  it('a report of another caller is refused, and nothing changes', async () => {
    const address = await newChart(chart);
    await claim(address, 'work', 'a');
    for (const by of ['b', undefined]) {
      const response = await put(address, 'work', by === undefined ? {} : { by });
      expect([response.status, response.headers.get('Retry-After')]).toEqual([406, null]);
      const refused = await refusedOf(response);
      expect(refused.type).toBe('urn:stateservice:problem:not-holder');
      expect(refused.holders?.map((holder) => holder.by)).toEqual(['a']);
      expect(refused.detail).toContain('held by "a"');
      expect(refused.detail).toContain('POST …/claims');
    }
    expect((await documentOf(address)).revision).toBe(2);
  });

  it('a report is refused if no slot is held, too', async () => {
    const address = await newChart(chart);
    const refused = await refusedOf(await put(address, 'work', { by: 'a' }));
    expect(refused.detail).toContain('no slot is held');
    expect(refused.holders).toEqual([]);
  });

  it('a released slot is free, and nothing was counted', async () => {
    const address = await newChart(chart);
    for (const by of ['a', 'b']) await claim(address, 'work', by);
    expect((await release(address, 'work', 'a')).status).toBe(204);
    expect(await documentOf(address)).toMatchObject({ quorums: [{ have: 0 }] });
    expect(await holdersOf(address)).toEqual(['b']);
    expect((await put(address, 'work', { by: 'a' })).status).toBe(406);
    expect((await claim(address, 'work', 'c')).status).toBe(200);
  });

  it('releasing a slot that is not held succeeds', async () => {
    const address = await newChart(chart);
    await claim(address, 'work', 'a');
    for (const [state, by] of [
      ['work', 'b'],
      ['rest', 'a'],
    ] as const) {
      expect((await release(address, state, by)).status).toBe(204);
    }
    expect(await holdersOf(address)).toEqual(['a']);
    expect(await storyOf(address)).toHaveLength(2);
  });

  it('all claims end when the state is left', async () => {
    const address = await newChart(chart);
    for (const by of ['a', 'b', 'c', 'd']) {
      await claim(address, 'work', by);
      if (by === 'c') await claim(address, 'work', 'stays');
      await put(address, 'work', { by });
    }
    expect(await documentOf(address)).toMatchObject({ states: ['rest'], claims: [] });
    expect((await tracesOf(address)).alarm).toBeNull();
    // The new visit begins without them.
    await report(address, 'rest');
    expect(await holdersOf(address)).toEqual([]);
    expect((await put(address, 'work', { by: 'stays' })).status).toBe(406);
  });

  it('a state that is not current cannot be claimed', async () => {
    const address = await newChart(chart);
    expect(await verdict(await claim(address, 'nowhere', 'a'))).toBe('406 not-current');
    for (const by of ['a', 'b', 'c', 'd']) {
      await claim(address, 'work', by);
      await put(address, 'work', { by });
    }
    const response = await claim(address, 'work', 'a');
    expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(await verdict(response)).toBe('406 not-current');
  });

  it('a state without slots cannot be claimed', async () => {
    const address = await newChart(chart);
    for (const by of ['a', 'b', 'c', 'd']) {
      await claim(address, 'work', by);
      await put(address, 'work', { by });
    }
    const response = await claim(address, 'rest', 'a');
    expect([response.status, response.headers.get('Retry-After')]).toEqual([406, null]);
    expect(await verdict(response)).toBe('406 no-slots');
    expect((await report(address, 'rest')).status).toBe(200);
  });

  it('a claim survives an eviction, and so does its end', async () => {
    const address = await newChart(chart);
    for (const by of ['a', 'b']) await claim(address, 'work', by);
    await release(address, 'work', 'a');
    await evict(address);
    expect(await holdersOf(address)).toEqual(['b']);
    expect((await put(address, 'work', { by: 'b' })).status).toBe(200);
    await evict(address);
    expect(await holdersOf(address)).toEqual([]);
  });

  it('a reset ends all claims', async () => {
    const address = await newChart(chart);
    for (const by of ['a', 'b']) await claim(address, 'work', by);
    await reset(address);
    expect(await holdersOf(address)).toEqual([]);
    await evict(address);
    expect(await holdersOf(address)).toEqual([]);
    expect((await tracesOf(address)).alarm).toBeNull();
  });

  it('the history has claims, renewals and releases', async () => {
    const address = await newChart(chart);
    await claim(address, 'work', 'a');
    await claim(address, 'work', 'a');
    await put(address, 'work', { by: 'a' });
    await claim(address, 'work', 'b');
    await release(address, 'work', 'b');
    const entry = { state: 'work', from: ['work'], to: ['work'] };
    expect((await storyOf(address)).slice(1)).toMatchObject([
      { ...entry, revision: 2, cause: 'claim', by: 'a', event: null, notes: [] },
      { ...entry, revision: 3, cause: 'claim', by: 'a', event: null, notes: ['renewed'] },
      { ...entry, revision: 4, cause: 'update', by: 'a', event: 'update' },
      { ...entry, revision: 5, cause: 'claim', by: 'b' },
      { ...entry, revision: 6, cause: 'release', by: 'b', event: null },
    ]);
  });

  it('a caller that has reported may claim again, and its repeated report frees the slot again', async () => {
    const address = await newChart(chart);
    for (let i = 0; i < 2; i++) {
      await claim(address, 'work', 'a');
      expect((await put(address, 'work', { by: 'a' })).status).toBe(200);
    }
    expect(await documentOf(address)).toMatchObject({ quorums: [{ have: 1, by: ['a'] }] });
    expect(await holdersOf(address)).toEqual([]);
    await evict(address);
    expect(await holdersOf(address)).toEqual([]);
  });
});

describe('in one batch', () => {
  it('no more claims succeed than there are slots', async () => {
    const address = await newChart(charts.sequence);
    const callers = Array.from({ length: 20 }, (_, i) => `web-${i}`);
    const answers = await together(address, (machine) =>
      callers.map((by) => executeAt(machine, { type: 'claim', state: 'work', by })),
    );
    expect(answers.map(({ ok }) => ok)).toEqual(callers.map((_, i) => i < 2));
    expect(await holdersOf(address)).toEqual(['web-0', 'web-1']);
  });

  it('a slot passes from caller to caller', async () => {
    const address = await newChart(charts.sequence);
    const answers = await together<{ ok: boolean }>(address, (machine) => [
      executeAt(machine, { type: 'claim', state: 'work', by: 'a' }),
      executeAt(machine, { type: 'claim', state: 'work', by: 'b' }),
      executeAt(machine, { type: 'claim', state: 'work', by: 'c' }),
      updateAt(machine, { state: 'work', event: 'update', by: 'a' }),
      executeAt(machine, { type: 'claim', state: 'work', by: 'c' }),
      executeAt(machine, { type: 'release', state: 'work', by: 'b' }),
      executeAt(machine, { type: 'claim', state: 'work', by: 'd' }),
      executeAt(machine, { type: 'claim', state: 'work', by: 'e' }),
    ]);
    expect(answers.map(({ ok }) => ok)).toEqual([true, true, false, true, true, true, true, false]);
    await evict(address);
    expect((await holdersOf(address)).sort()).toEqual(['c', 'd']);
  });

  it.each(['report', 'release'] as const)('a slot that was renewed is free after the %s', async (end) => {
    const address = await newChart(charts.sequence);
    await together<{ ok: boolean }>(address, (machine) => [
      executeAt(machine, { type: 'claim', state: 'work', by: 'a' }),
      executeAt(machine, { type: 'claim', state: 'work', by: 'a' }),
      executeAt(machine, { type: 'claim', state: 'work', by: 'a' }),
      end === 'report'
        ? updateAt(machine, { state: 'work', event: 'update', by: 'a' })
        : executeAt(machine, { type: 'release', state: 'work', by: 'a' }),
    ]);
    expect(await holdersOf(address)).toEqual([]);
    await evict(address);
    expect(await holdersOf(address)).toEqual([]);
  });

  it('a slot that was released and taken again is held', async () => {
    const address = await newChart(charts.sequence);
    await claim(address, 'work', 'a');
    await together<{ ok: boolean }>(address, (machine) => [
      executeAt(machine, { type: 'release', state: 'work', by: 'a' }),
      executeAt(machine, { type: 'claim', state: 'work', by: 'a' }),
      executeAt(machine, { type: 'claim', state: 'work', by: 'a' }),
    ]);
    await evict(address);
    expect(await holdersOf(address)).toEqual(['a']);
  });

  it('a claim ends with the visit in which it was made', async () => {
    const address = await newChart(
      sequence({ ...counting('work', 'rest'), slots: 1 }, counting('rest', 'work')),
    );
    await together<{ ok: boolean }>(address, (machine) => [
      executeAt(machine, { type: 'claim', state: 'work', by: 'a' }),
      updateAt(machine, { state: 'work', event: 'update', by: 'a' }),
      updateAt(machine, { state: 'rest', event: 'update' }),
      executeAt(machine, { type: 'claim', state: 'work', by: 'b' }),
    ]);
    await evict(address);
    expect(await holdersOf(address)).toEqual(['b']);
  });
});

describe('in a statechart', () => {
  const parallel = `
initial: fleet
context: {n: 0}
states:
  fleet:
    type: parallel
    on: {abort: stopped}
    states:
      eu: {slots: 1, initial: one, states: {one: {on: {update: two}}, two: {on: {update: one}}}}
      us: {slots: 1, on: {update: {actions: [{assign: {n: 0}}]}}}
      log: {on: {note: {actions: [{assign: {n: context.n + 1}}]}}}
  stopped: {}
`;

  it('each state has its own slots', async () => {
    const address = await newChart(parallel);
    expect((await claim(address, 'fleet.eu', 'a')).status).toBe(200);
    expect((await claim(address, 'fleet.us', 'b')).status).toBe(200);
    expect((await claim(address, 'fleet.us', 'a')).status).toBe(406);
    expect((await documentOf(address)).claims).toMatchObject([
      { state: 'fleet.eu', slots: 1, holders: [{ by: 'a' }] },
      { state: 'fleet.us', slots: 1, holders: [{ by: 'b' }] },
    ]);
  });

  it('a report to a state inside a state with slots needs a slot', async () => {
    const address = await newChart(parallel);
    expect(await verdict(await put(address, 'fleet.eu.one', { by: 'a' }))).toBe('406 not-holder');
    await claim(address, 'fleet.eu', 'a');
    expect(await verdict(await put(address, 'fleet.eu.one', { by: 'a' }))).toBe('200');
    expect((await documentOf(address)).states).toContain('fleet.eu.two');
    // The slot is free, and the state was not left.
    expect(await verdict(await put(address, 'fleet.eu.two', { by: 'a' }))).toBe('406 not-holder');
  });

  it('an event that is not counted needs no slot, and frees the slot of its caller', async () => {
    const address = await newChart(`
initial: patch
states:
  patch:
    slots: 2
    on:
      update: {target: done, quorum: 3}
      fail: {target: aborted, quorum: 2}
      skip: {actions: [{raise: skipped}]}
      abort: aborted
  done: {type: final}
  aborted: {type: final}
`);
    for (const by of ['a', 'b']) await claim(address, 'patch', by);
    expect(await verdict(await put(address, 'patch', { event: 'fail', by: 'c' }))).toBe('406 not-holder');
    expect(await verdict(await put(address, 'patch', { event: 'fail' }))).toBe('406 not-holder');
    expect(await verdict(await put(address, 'patch', { event: 'skip', by: 'a' }))).toBe('200');
    expect(await holdersOf(address)).toEqual(['b']);
    expect(await verdict(await put(address, 'patch', { event: 'skip', by: 'c' }))).toBe('200');
    expect(await holdersOf(address)).toEqual(['b']);
    expect(await verdict(await put(address, 'patch', { event: 'abort' }))).toBe('200');
    expect(await documentOf(address)).toMatchObject({ states: ['aborted'], claims: [] });
  });

  it('an event that a state around it counts needs the slot too', async () => {
    const address = await newChart(`
initial: fleet
states:
  fleet:
    initial: eu
    on: {fail: {target: done, quorum: 2}, stop: done}
    states: {eu: {slots: 1, on: {update: '#done'}}}
  done: {id: done}
`);
    expect(await verdict(await put(address, 'eu', { event: 'fail', by: 'a' }))).toBe('406 not-holder');
    expect(await verdict(await put(address, 'eu', { event: 'stop', by: 'a' }))).toBe('200');
  });

  it('a report to a state around it that a state inside takes needs the slot', async () => {
    const address = await newChart(`
initial: fleet
states:
  fleet:
    initial: eu
    states: {eu: {slots: 1, initial: one, states: {one: {on: {update: '#done'}}}}}
  done: {id: done}
`);
    expect(await verdict(await put(address, 'fleet', { by: 'a' }))).toBe('406 not-holder');
    await claim(address, 'eu', 'a');
    expect(await verdict(await put(address, 'fleet', { by: 'a' }))).toBe('200');
    expect((await documentOf(address)).states).toEqual(['done']);
  });

  it('a report to a state around it needs no slot if no state inside takes it', async () => {
    const address = await newChart(parallel);
    expect(await verdict(await put(address, 'fleet', { event: 'note' }))).toBe('200');
    expect(await verdict(await put(address, 'fleet', { event: 'abort' }))).toBe('200');
  });

  it('claims end when a state around theirs is left', async () => {
    const address = await newChart(parallel);
    await claim(address, 'fleet.eu', 'a');
    await put(address, 'fleet', { event: 'abort' });
    await evict(address);
    expect(await documentOf(address)).toMatchObject({ states: ['stopped'], claims: [] });
    expect((await tracesOf(address)).alarm).toBeNull();
  });

  it('a report that no transition takes leaves the slot with its holder', async () => {
    const address = await newChart(`
initial: work
context: {open: false}
states:
  work: {slots: 1, on: {update: {target: rest, guard: context.open}}}
  rest: {}
`);
    await claim(address, 'work', 'a');
    expect(await verdict(await put(address, 'work', { by: 'a' }))).toBe('406 not-taken');
    expect(await holdersOf(address)).toEqual(['a']);
  });

  it('a region with slots cannot be claimed at the end of the chart', async () => {
    const region = '{slots: 2, initial: x, states: {x: {on: {update: e}}, e: {type: final}}}';
    const address = await newChart(`type: parallel\nstates: {a: ${region}}`);
    await claim(address, 'a', 'm');
    expect(await verdict(await put(address, 'a.x', { by: 'm' }))).toBe('200');
    expect(await verdict(await claim(address, 'a', 'n'))).toBe('406 final-state');
  });

  it('a state that is left and entered by one event begins without claims', async () => {
    const address = await newChart(`
initial: work
states: {work: {slots: 2, on: {update: {target: work, reenter: true}}}}
`);
    for (const by of ['a', 'b']) await claim(address, 'work', by);
    await put(address, 'work', { by: 'a' });
    expect(await holdersOf(address)).toEqual([]);
  });
});

describe('a claim with a missing or wrong parameter', () => {
  it.each([
    ['no state', { by: 'a' }, '`?state=NAME`'],
    ['no caller', { state: 'work' }, 'must name the caller'],
    ['an empty name', { state: 'work', by: '' }, '`by`'],
    ['too long a name', { state: 'work', by: 'x'.repeat(256) }, '`by`'],
  ])('names %s', async (_, query, words) => {
    const address = await newChart(charts.sequence);
    await ask(address, 'work');
    for (const method of ['POST', 'DELETE']) {
      const response = await send(method, resource(address, 'claims', query));
      expect(response.status).toBe(400);
      const { detail } = await refusedOf(response);
      expect(detail).toContain(words.replaceAll('`?', '?').replaceAll('NAME`', 'NAME'));
    }
    expect((await documentOf(address)).revision).toBe(1);
  });

  it('is 404 without a chart', async () => {
    const address = newAddress();
    expect(await verdict(await claim(address, 'work', 'a'))).toBe('404 no-chart');
    expect(await verdict(await release(address, 'work', 'a'))).toBe('404 no-chart');
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });
});

describe('a state without slots', () => {
  it.each([
    ['s.i', '"s.i" has no slots of its own; claim one of "s".'],
    ['s.j', '"s.j" has no slots of its own; claim one of "s", one of "s.j.k".'],
    ['o', '"o" has no slots: every caller may work while it is current.'],
  ])('names the states whose slots a report to it needs: %s', async (state, detail) => {
    const address = await newChart(`
type: parallel
states:
  s:
    type: parallel
    slots: 2
    states:
      i: {}
      j: {initial: k, states: {k: {slots: 1, on: {update: l}}, l: {slots: 1}}}
  o: {}
`);
    expect((await refusedOf(await claim(address, state, 'a'))).detail).toBe(detail);
  });

  it('takes reports of every caller', async () => {
    const address = await newChart(sequence(counting('work', 'rest', 3), final('rest')));
    await reportTimes(address, 'work', 2);
    expect((await documentOf(address)).claims).toEqual([]);
    expect(await verdict(await claim(address, 'work', 'a'))).toBe('406 no-slots');
  });
});
