/** The history: every commit with its cause, its caller, the states before and after. */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import { final, newChart, sequence, timed } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import { evict, historyOf, machinePath, objectAt, report, send } from '../service.ts';
import {
  claim,
  type Entry,
  put,
  release,
  reset,
  resource,
  revisionOf,
  storyOf,
  upload,
  verdict,
} from './callers.ts';

const MINUTE = 60_000;

beginAtNoon();

const chart = `
initial: work
context: {failed: 0}
states:
  work:
    slots: 2
    lease: 10m
    after: {1h: late}
    on:
      update: {target: rest, quorum: 2}
      check: {target: rest, guard: context.missing > 0}
      try: [{target: rest, guard: context.missing > 0}, {actions: [{assign: {failed: 1}}]}]
      grow: {actions: [{assign: {failed: context.nothing}}]}
  rest: {on: {update: work}}
  late: {}
`;

describe('the history', () => {
  it('has every cause, with its caller, its state, and the states before and after', async () => {
    const address = await newChart(chart);
    const later = () => vi.setSystemTime(Date.now() + MINUTE);
    await claim(address, 'work', 'a');
    later();
    await claim(address, 'work', 'b');
    later();
    await put(address, 'work', { by: 'b', event: 'update' });
    later();
    await claim(address, 'work', 'b');
    later();
    await release(address, 'work', 'b');
    vi.setSystemTime(NOON + 10 * MINUTE);
    await runDurableObjectAlarm(objectAt(address));
    vi.setSystemTime(NOON + 60 * MINUTE);
    await runDurableObjectAlarm(objectAt(address));
    later();
    await reset(address, 'admin');
    later();
    const uploaded = await upload(
      address,
      sequence(timed('one', 'two', '2040-06-01T13:04:00'), final('two')),
      '?by=admin',
    );
    expect(await verdict(uploaded)).toBe('200');
    vi.setSystemTime(NOON + 70 * MINUTE);

    const work = { from: ['work'], to: ['work'], notes: [] };
    expect(await storyOf(address)).toEqual([
      entry(1, '12:00', { cause: 'start', from: [], to: ['work'], entered: ['work'] }),
      entry(2, '12:00', { ...work, cause: 'claim', state: 'work', by: 'a' }),
      entry(3, '12:01', { ...work, cause: 'claim', state: 'work', by: 'b' }),
      entry(4, '12:02', { ...work, cause: 'update', event: 'update', state: 'work', by: 'b' }),
      entry(5, '12:03', { ...work, cause: 'claim', state: 'work', by: 'b' }),
      entry(6, '12:04', { ...work, cause: 'release', state: 'work', by: 'b' }),
      entry(7, '12:10', { ...work, cause: 'lease-expired', state: 'work', by: 'a' }),
      entry(8, '13:00', { cause: 'timer', from: ['work'], to: ['late'], entered: ['late'] }),
      entry(9, '13:01', { cause: 'reset', by: 'admin', from: ['late'], to: ['work'], entered: ['work'] }),
      entry(10, '13:02', { cause: 'upload', by: 'admin', from: ['work'], to: ['one'], entered: ['one'] }),
      entry(11, '13:04', { cause: 'timer', from: ['one'], to: ['two'], entered: ['two'] }),
    ]);
  });

  it('has the entered states, of regions and of a state that is entered again', async () => {
    const address = await newChart(`
initial: rollout
states:
  rollout:
    type: parallel
    states:
      eu: {initial: drain, states: {drain: {on: {update: deploy, again: {target: drain, reenter: true}}}, deploy: {}}}
      us: {initial: drain, states: {drain: {on: {update: check}}, check: {always: deploy}, deploy: {}}}
`);
    await put(address, 'rollout.eu.drain', { event: 'again' });
    await put(address, 'rollout.eu.drain');
    await put(address, 'rollout.us.drain');
    const entered = [
      ['rollout', 'rollout.eu', 'rollout.eu.drain', 'rollout.us', 'rollout.us.drain'],
      ['rollout.eu.drain'],
      ['rollout.eu.deploy'],
      ['rollout.us.check', 'rollout.us.deploy'],
    ];
    expect((await storyOf(address)).map((told) => told.entered)).toEqual(entered);
    await evict(address);
    expect((await storyOf(address)).map((told) => told.entered)).toEqual(entered);
  });

  it('is the same after an eviction', async () => {
    const address = await newChart(chart);
    await claim(address, 'work', 'a');
    await put(address, 'work', { by: 'a', event: 'try' });
    const before = await storyOf(address);
    await evict(address);
    expect(await storyOf(address)).toEqual(before);
  });

  it('has a caller only if the request has one', async () => {
    const address = await newChart('initial: a\nstates: {a: {on: {update: {target: b, quorum: 9}}}, b: {}}');
    await put(address, 'a', { by: 'web-01' });
    await report(address, 'a');
    expect((await storyOf(address)).map(({ by }) => by)).toEqual([null, 'web-01', null]);
  });

  it('has the event by its own name, and none for the clock', async () => {
    const address = await newChart(`
initial: a
states:
  a: {on: {fail: b}}
  b: {entry: [{raise: {event: ring, delay: 1m}}], on: {ring: c}}
  c: {after: {1m: a}}
`);
    await put(address, 'a', { event: 'fail' });
    vi.setSystemTime(NOON + 5 * MINUTE);
    expect((await storyOf(address)).map(({ cause, event }) => [cause, event])).toEqual([
      ['start', null],
      ['update', 'fail'],
      ['timer', 'ring'],
      ['timer', null],
    ]);
  });
});

describe('a guard that could not be evaluated', () => {
  it('is noted with the report that it refused, which is no change', async () => {
    const address = await newChart(chart);
    await claim(address, 'work', 'a');
    const response = await put(address, 'work', { by: 'a', event: 'check' });
    expect([response.status, revisionOf(response)]).toEqual([406, 2]);
    expect((await storyOf(address)).at(-1)).toEqual(
      entry(2, '12:00', {
        id: 3,
        cause: 'refused',
        event: 'check',
        state: 'work',
        by: 'a',
        from: ['work'],
        to: ['work'],
        notes: [expect.stringMatching(/^guard context\.missing > 0: .*missing/)],
      }),
    );
  });

  it('is noted with the report that took another transition', async () => {
    const address = await newChart(chart);
    await claim(address, 'work', 'a');
    expect((await put(address, 'work', { by: 'a', event: 'try' })).status).toBe(200);
    expect((await storyOf(address)).at(-1)).toMatchObject({
      cause: 'update',
      event: 'try',
      notes: [expect.stringMatching(/^guard context\.missing > 0: /)],
    });
  });

  it('is noted with the timer for which it was evaluated', async () => {
    const address = await newChart(`
initial: a
states: {a: {after: {1m: [{target: b, guard: context.missing}, {target: c}]}}, b: {}, c: {}}
`);
    await storyOf(address);
    vi.setSystemTime(NOON + MINUTE);
    expect((await storyOf(address)).at(-1)).toMatchObject({
      cause: 'timer',
      to: ['c'],
      notes: [expect.stringContaining('guard context.missing')],
    });
  });
});

describe('a report whose assignment fails', () => {
  it('is noted with its reason', async () => {
    const address = await newChart(chart);
    await claim(address, 'work', 'a');
    expect(await verdict(await put(address, 'work', { by: 'a', event: 'grow' }))).toBe(
      '406 expression-failed',
    );
    expect((await storyOf(address)).at(-1)).toMatchObject({
      id: 3,
      revision: 2,
      cause: 'refused',
      event: 'grow',
      by: 'a',
      notes: [expect.stringContaining('assign context.nothing')],
    });
  });

  it('is not noted if it was only not current, not taken, or not by a holder', async () => {
    const address = await newChart(chart);
    await put(address, 'rest', { by: 'a' });
    await put(address, 'work', { by: 'a' });
    await claim(address, 'work', 'a');
    await put(address, 'work', { by: 'a', event: 'unknown' });
    expect((await storyOf(address)).map(({ cause }) => cause)).toEqual(['start', 'claim']);
  });
});

describe('pages', () => {
  it('go by ids, which increase even if the revision does not', async () => {
    const address = await newChart(chart);
    await claim(address, 'work', 'a');
    for (let i = 0; i < 5; i++) await put(address, 'work', { by: 'a', event: 'check' });
    await put(address, 'work', { by: 'a', event: 'try' });
    const seen: Entry[] = [];
    for (let query = '?limit=3'; query !== ''; ) {
      const { history, before } = await historyOf(address, query);
      seen.push(...(history as Entry[]));
      query = before === undefined ? '' : `?limit=3&before=${before}`;
    }
    expect(seen.map(({ id, revision }) => [id, revision])).toEqual([
      [8, 3],
      ...[7, 6, 5, 4, 3].map((id) => [id, 2]),
      [2, 2],
      [1, 1],
    ]);
  });
});

describe('lines of JSON', () => {
  it('have the same entries, one a line', async () => {
    const address = await newChart(chart);
    await claim(address, 'work', 'line\nbreak');
    await put(address, 'work', { by: 'line\nbreak' });
    const response = await lines(address);
    expect([response.headers.get('Content-Type'), revisionOf(response)]).toEqual(['application/x-ndjson', 3]);
    const text = new TextDecoder().decode(await response.arrayBuffer());
    const { history } = await historyOf(address);
    expect(text.endsWith('\n')).toBe(true);
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(history);
  });

  it('are in pages as well', async () => {
    const address = await newChart(chart);
    for (const by of ['a', 'b']) await claim(address, 'work', by);
    const text = new TextDecoder().decode(
      await (await lines(address, { limit: '1', before: '3' })).arrayBuffer(),
    );
    expect(text.split('\n')).toEqual([expect.stringContaining('"by":"a"'), '']);
  });

  it('are none for an empty page', async () => {
    const address = await newChart(chart);
    const text = new TextDecoder().decode(await (await lines(address, { before: '1' })).arrayBuffer());
    expect(text).toBe('');
  });

  it('are sent if Accept lists them among others', async () => {
    const address = await newChart(chart);
    for (const [accept, type] of [
      ['application/json, application/x-ndjson', 'application/x-ndjson'],
      ['application/json', 'application/json'],
      ['*/*', 'application/json'],
    ] as const) {
      const response = await send('GET', `${machinePath(address)}/history`, { headers: { Accept: accept } });
      await response.body?.cancel();
      expect(response.headers.get('Content-Type')).toBe(type);
    }
  });
});

function lines(address: string, query: Record<string, string> = {}): Promise<Response> {
  return send('GET', resource(address, 'history', query), { headers: { Accept: 'application/x-ndjson' } });
}

/** An entry of a history without refusals: its id is the revision. */
function entry(revision: number, time: string, more: Partial<Entry>): Entry {
  const nothing = { event: null, state: null, by: null, sub: null, from: [], to: [], entered: [], notes: [] };
  return { id: revision, revision, at: `2040-06-01T${time}:00.000Z`, cause: '', ...nothing, ...more };
}
