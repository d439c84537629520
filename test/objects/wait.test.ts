/** `GET …/state&wait=`: the response comes as soon as the state is current, without polling. */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import { counting, final, newAddress, newChart, sequence, timed } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import {
  evict,
  inStorage,
  objectAt,
  readAt,
  report,
  reportTimes,
  send,
  tracesOf,
  updateAt,
} from '../service.ts';
import { TIMED } from '../slowness.ts';
import {
  claim,
  erase,
  put,
  refusedOf,
  release,
  resource,
  revisionOf,
  together,
  verdict,
  waitFor,
  whenWaiting,
} from './callers.ts';

const HOUR = 60 * 60 * 1_000;

beginAtNoon();

const drain = sequence(counting('drain', 'patch', 2), counting('patch', 'done'), final('done'));

describe('a wait for a slot', () => {
  it('ends with a free slot, though the caller that was told first does not take it', async () => {
    const address = await newChart('initial: work\nstates: {work: {slots: 1, on: {update: done}}, done: {}}');
    await claim(address, 'work', 'holder');
    const wait = (by: string) => send('GET', resource(address, 'state', { state: 'work', by, wait: '30s' }));
    const waiting = [wait('one'), wait('two')];
    await whenWaiting(address, 2);
    await release(address, 'work', 'holder');
    // Both long before their own time is up.
    const answers = await Promise.race([
      Promise.all(waiting),
      new Promise<Response[]>((done) => setTimeout(() => done([]), 15_000)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });
});

describe('a wait for a state', () => {
  it('ends at once if the state is current already', async () => {
    const address = await newChart(drain);
    const response = await waitFor(address, 'drain', '60s');
    expect([response.status, await response.text(), revisionOf(response)]).toEqual([200, 'drain', 1]);
  });

  it('ends with the report that enters the state, and with none before', async () => {
    const address = await newChart(drain);
    const waiting = watched(waitFor(address, 'patch', '60s'));
    await whenWaiting(address);
    await report(address, 'drain');
    await settled();
    expect(waiting.isOver()).toBe(false);
    await report(address, 'drain');
    const response = await waiting.answer;
    expect([response.status, await response.text(), revisionOf(response)]).toEqual([200, 'patch', 3]);
  });

  it('ends together with all waits for that state, and with no other', async () => {
    const address = await newChart(drain);
    const patch = Array.from({ length: 20 }, () => waitFor(address, 'patch', '60s'));
    const done = watched(waitFor(address, 'done', '60s'));
    await whenWaiting(address, 21);
    await reportTimes(address, 'drain', 2);
    expect((await Promise.all(patch)).map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(done.isOver()).toBe(false);
    await report(address, 'patch');
    expect((await done.answer).status).toBe(200);
  });

  it('starts a machine that has not begun', async () => {
    const address = await newChart(drain);
    const waiting = waitFor(address, 'patch', '60s');
    await whenWaiting(address);
    await reportTimes(address, 'drain', 2);
    expect((await waiting).status).toBe(200);
  });

  it('ends if the state was entered and left in one commit', async () => {
    const address = await newChart(drain);
    const waiting = waitFor(address, 'patch', '60s');
    await whenWaiting(address);
    await together(address, (machine) =>
      ['drain', 'drain', 'patch'].map((state) => updateAt(machine, { state, event: 'update' })),
    );
    const response = await waiting;
    expect([response.status, await response.text()]).toEqual([200, 'patch']);
  });

  it('ends if the machine passed the state because its time was over already', async () => {
    const address = await newChart(
      sequence(counting('drain', 'pause'), timed('pause', 'done', '2040-06-01T11:00:00'), final('done')),
    );
    const waiting = waitFor(address, 'pause', '60s');
    await whenWaiting(address);
    await report(address, 'drain');
    expect((await waiting).status).toBe(200);
  });

  it('ends if `always` took the machine through the state', async () => {
    const address = await newChart(`
initial: a
states: {a: {on: {update: b}}, b: {always: c}, c: {}}
`);
    const waiting = waitFor(address, 'b', '60s');
    await whenWaiting(address);
    await report(address, 'a');
    expect(await (await waiting).text()).toBe('b');
  });

  it('may be for a state by any of its names, and for a state with others inside', async () => {
    const address = await newChart(`
initial: canary
states:
  canary: {on: {update: fleet}}
  fleet:
    type: parallel
    states: {eu: {initial: drain, states: {drain: {id: eu-drain}}}, us: {}}
`);
    const names = ['fleet', 'fleet.eu', 'eu', 'eu-drain', 'fleet.eu.drain', 'drain'];
    const waiting = names.map((name) => waitFor(address, name, '60s'));
    await whenWaiting(address, 6);
    await report(address, 'canary');
    const answers = await Promise.all(waiting);
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200));
    // The response has the name of the request.
    expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(names);
  });
});

describe('time', () => {
  const clock = sequence(timed('wait', 'go', '2040-06-01T13:00:00'), final('go'));

  it('ends a wait by the alarm', async () => {
    const address = await newChart(clock);
    const waiting = waitFor(address, 'go', '60s');
    while ((await tracesOf(address)).alarm === null) await pause(10);
    vi.setSystemTime(NOON + HOUR);
    expect(await runDurableObjectAlarm(objectAt(address))).toBe(true);
    expect((await waiting).status).toBe(200);
  });

  it('ends a wait by another request if the alarm is late', async () => {
    const address = await newChart(clock);
    const waiting = waitFor(address, 'go', '60s');
    await whenWaiting(address);
    vi.setSystemTime(NOON + HOUR);
    await report(address, 'wait');
    expect((await waiting).status).toBe(200);
  });

  it('ends a wait by itself', TIMED, async () => {
    vi.useRealTimers();
    const soon = new Date(Date.now() + 400).toISOString();
    const address = await newChart(sequence(timed('wait', 'go', soon), final('go')));
    const response = await waitFor(address, 'go', '30s');
    expect(response.status).toBe(200);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(soon));
    expect(Date.now()).toBeLessThan(Date.parse(soon) + 5_000);
  });
});

describe('a wait whose time is over', () => {
  it('is refused as not yet, with Retry-After', async () => {
    const address = await newChart(drain);
    const waiting = watched(waitFor(address, 'patch', '30s'));
    await whenWaiting(address);
    vi.setSystemTime(NOON + 29_000);
    await pause(150);
    expect(waiting.isOver()).toBe(false);
    vi.setSystemTime(NOON + 30_000);
    const response = await waiting.answer;
    expect([response.status, revisionOf(response)]).toEqual([406, 1]);
    expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(await refusedOf(response)).toMatchObject({
      type: 'urn:stateservice:problem:not-current',
      detail: '"patch" is not current yet; current: "drain". "drain" waits for 2 more "update".',
      machine: { revision: 1, states: ['drain'], waiting: [{ state: 'drain', have: 0, need: 2 }] },
    });
  });

  it('does not end before, whatever happens meanwhile', async () => {
    const address = await newChart(sequence(counting('drain', 'done', 99), final('done')));
    const waiting = watched(waitFor(address, 'done', '30s'));
    await whenWaiting(address);
    for (let i = 1; i <= 5; i++) {
      vi.setSystemTime(NOON + i * 5_000);
      await report(address, 'drain');
    }
    expect(waiting.isOver()).toBe(false);
    vi.setSystemTime(NOON + 30_000);
    expect((await waiting.answer).status).toBe(406);
  });

  it('is over at its own time, the shorter one first', async () => {
    const address = await newChart(drain);
    const [short, long] = [
      watched(waitFor(address, 'patch', '5s')),
      watched(waitFor(address, 'patch', '50s')),
    ];
    await whenWaiting(address, 2);
    vi.setSystemTime(NOON + 5_000);
    expect((await short.answer).status).toBe(406);
    expect(long.isOver()).toBe(false);
    await reportTimes(address, 'drain', 2);
    expect((await long.answer).status).toBe(200);
  });

  it('is over in real time too', TIMED, async () => {
    vi.useRealTimers();
    const address = await newChart(drain);
    const from = Date.now();
    expect(await verdict(await waitFor(address, 'patch', '300ms'))).toBe('406 not-current');
    expect(Date.now() - from).toBeGreaterThanOrEqual(290);
    expect(Date.now() - from).toBeLessThan(3_000);
  });

  it('of no time ends at once', async () => {
    const address = await newChart(drain);
    for (const wait of ['0', '0s']) expect((await waitFor(address, 'patch', wait)).status).toBe(406);
  });
});

describe('how long to wait', () => {
  it.each(['60s', '1m', '60', '60000ms', '0.5m', '1s500ms'])('may be written as %s', async (wait) => {
    const address = await newChart(drain);
    expect((await waitFor(address, 'drain', wait)).status).toBe(200);
  });

  it.each(['61s', '61', '2m', '60001ms', '-1', '1 s', 'soon', '', '30S', '1e1', 'Infinity', '9'.repeat(400)])(
    'may not be said as %s',
    async (wait) => {
      const address = await newChart(drain);
      for (const state of ['drain', 'patch']) {
        const response = await waitFor(address, state, wait);
        expect(response.status).toBe(400);
        expect((await refusedOf(response)).detail).toContain('`wait` must be a duration of at most 60s');
      }
    },
  );

  it('leaves nothing behind without a chart', async () => {
    const address = newAddress();
    expect((await waitFor(address, 'drain', '60s')).status).toBe(404);
    expect(await inStorage(address, ({ sql }) => sql.exec('SELECT * FROM sqlite_master').toArray())).toEqual(
      [],
    );
  });
});

describe('a wait that goes on', () => {
  const since = (address: string, state: string, revision: number) =>
    inStorage(address, (_, machine) => readAt(machine, { type: 'is', state, since: revision }));

  it('ends with a state that was entered since, at the revision of its last entry', async () => {
    const address = await newChart(sequence(counting('a', 'b'), counting('b', 'c'), counting('c', 'a')));
    for (const state of ['a', 'b', 'c', 'a', 'b', 'c']) await report(address, state);
    // `b` was entered at revisions 2 and 5.
    expect(await since(address, 'b', 1)).toEqual({ ok: true, revision: 5 });
    expect(await since(address, 'b', 4)).toEqual({ ok: true, revision: 5 });
    expect(await since(address, 'b', 5)).toMatchObject({ ok: false, code: 'not-current' });
    expect(await since(address, 'a', 7)).toEqual({ ok: true, revision: 7 });
  });

  it('ends with a state that one commit has entered and left since', async () => {
    const address = await newChart('initial: a\nstates: {a: {on: {update: b}}, b: {always: c}, c: {}}');
    await report(address, 'a');
    expect(await since(address, 'b', 1)).toEqual({ ok: true, revision: 2 });
    expect(await since(address, 'b', 2)).toMatchObject({ ok: false, code: 'cannot-come' });
  });

  it('does not begin a machine again that was deleted since', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    await erase(address);
    for (const query of [{ type: 'is', state: 'patch' }, { type: 'status' }] as const) {
      const answer = await inStorage(address, (_, machine) => readAt(machine, { ...query, since: 2 }));
      expect(answer).toMatchObject({ ok: false, code: 'no-chart' });
    }
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });

  it('looks at a run that has not begun as any wait does', async () => {
    const run = `${await newChart(drain)}@42`;
    const answer = await inStorage(run, (_, machine) =>
      readAt(machine, { type: 'is', state: 'patch', since: 0 }),
    );
    expect(answer).toMatchObject({ ok: false, code: 'not-current', machine: { revision: 0 } });
  });
});

describe('an eviction', () => {
  it('ends a wait so that the client repeats it, or waits for it', async () => {
    vi.useRealTimers();
    const address = await newChart(drain);
    const waiting = waitFor(address, 'patch', '500ms').then(
      ({ status }) => status,
      () => 'cut off',
    );
    await settled();
    await evict(address);
    expect(await waiting).not.toBe(200);
    await reportTimes(address, 'drain', 2);
    expect((await waitFor(address, 'patch', '60s')).status).toBe(200);
  });
});

describe('a report with a wait', () => {
  it('is processed as without it', async () => {
    const address = await newChart(drain);
    expect((await put(address, 'drain')).status).toBe(200);
    expect((await report(address, 'patch')).status).toBe(406);
  });
});

/** A pending request, and whether it still is. */
function watched(answer: Promise<Response>) {
  let isOver = false;
  answer.finally(() => {
    isOver = true;
  });
  return { answer, isOver: () => isOver };
}

/** Waits until the sent requests have registered. */
async function settled(): Promise<void> {
  await pause(50);
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
