/** A run that has not begun: a query is answered as if it began now, and nothing is written. */
import { describe, expect, it, vi } from 'vitest';
import { chartOf as readingOf } from '../chart/run.ts';
import { counting, final, newChart, removeChart, sequence, timed } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import { ask, atSecond, chartOf, problemOf, readAt, report, send, tracesOf, updateAt } from '../service.ts';
import { TIMED } from '../slowness.ts';
import {
  claim,
  documentOf,
  erase,
  put,
  refusedOf,
  release,
  reset,
  resource,
  revisionOf,
  storyOf,
  upload,
  verdict,
  waitFor,
  whenWaiting,
} from './callers.ts';
import { watch } from './events.ts';
import { askForSocket, openSocket } from './sockets.ts';
import { isListed } from './tenants.ts';

const MINUTE = 60_000;
const NOTHING = { tables: [], alarm: null };

const drain = sequence(counting('drain', 'patch', 2), counting('patch', 'done'), final('done'));
const slots = 'initial: work\nstates:\n  work: {slots: 1, on: {update: done}}\n  done: {type: final}\n';

beginAtNoon();

async function newRun(text: string): Promise<string> {
  return `${await newChart(text)}@42`;
}

/** The rows of a run, in its object and in its tenant's registry. */
async function tracesLeft(run: string) {
  return { ...(await tracesOf(run)), listed: await isListed(run) };
}

describe('a query to a run that has not begun', () => {
  it.each(['state?state=drain', '', 'chart', 'history', 'metrics', 'diagram.svg', 'diagram.mmd'])(
    'is answered and leaves nothing: GET {run}/%s',
    async (path) => {
      const run = await newRun(drain);
      const response = await send('GET', `/${run}${path === '' ? '' : `/${path}`}`);
      await response.text();
      expect(response.status).toBe(200);
      expect(revisionOf(response)).toBe(0);
      expect(await tracesLeft(run)).toEqual({ ...NOTHING, listed: false });
    },
  );

  it('is answered by a page that says that it has not begun', async () => {
    const run = await newRun(drain);
    const response = await send('GET', `/${run}`, { headers: { Accept: 'text/html' } });
    expect(await response.text()).toContain('This run has not started');
    expect(await tracesLeft(run)).toEqual({ ...NOTHING, listed: false });
  });

  it('shows the machine as it would begin, and that it has not begun', async () => {
    const run = await newRun(drain);
    expect(await documentOf(run)).toMatchObject({
      states: ['drain'],
      revision: 0,
      started: null,
      since: '2040-06-01T12:00:00.000Z',
      quorums: [{ state: 'drain', have: 0, need: 2, by: [] }],
    });
    expect(await storyOf(run)).toEqual([]);
    expect(await chartOf(run)).toContain('drain');
    expect(await verdict(await ask(run, 'patch'))).toBe('406 not-current');
  });

  it('does not begin its chart’s own machine, which begins with its first request', async () => {
    const run = await newRun(drain);
    const base = run.replace('@42', '');
    await documentOf(run);
    expect(await tracesLeft(base)).toEqual({ ...NOTHING, listed: false });
    expect(await documentOf(base)).toMatchObject({ revision: 1, started: '2040-06-01T12:00:00.000Z' });
    expect((await tracesLeft(base)).listed).toBe(true);
  });

  it('shows the time of each request as the beginning', async () => {
    const run = await newRun('initial: a\nstates:\n  a: {after: {30m: b}}\n  b: {}\n');
    expect((await documentOf(run)).timers).toMatchObject([{ at: '2040-06-01T12:30:00.000Z' }]);
    vi.setSystemTime(NOON + 60 * MINUTE);
    expect(await documentOf(run)).toMatchObject({
      states: ['a'],
      timers: [{ at: '2040-06-01T13:30:00.000Z' }],
    });
    expect(await tracesOf(run)).toEqual(NOTHING);
  });

  it.each([
    ['a time that has passed', sequence(timed('a', 'b', '2040-06-01T11:00:00'), final('b'))],
    ['after: 0s', 'initial: a\nstates:\n  a: {after: {0s: b}}\n  b: {}\n'],
  ])('shows what the beginning causes: %s', async (_, text) => {
    const run = await newRun(text);
    expect((await documentOf(run)).states).toEqual(['b']);
    expect((await ask(run, 'b')).status).toBe(200);
    expect(await tracesOf(run)).toEqual(NOTHING);
  });

  it('is 404 once its chart is gone', async () => {
    const run = await newRun(drain);
    expect((await ask(run, 'drain')).status).toBe(200);
    await removeChart(run.replace('@42', ''));
    expect((await ask(run, 'drain')).status).toBe(404);
    expect(await tracesOf(run)).toEqual(NOTHING);
  });

  it('leaves nothing to delete, or to release', async () => {
    const run = await newRun(slots);
    expect((await erase(run)).status).toBe(404);
    expect((await release(run, 'work', 'web-01')).status).toBe(204);
    const body = JSON.stringify({ client_params: { id: 'web-01', group: 'work' } });
    const headers = { 'fleet-lock-protocol': 'true' };
    expect((await send('POST', `/${run}/v1/steady-state`, { body, headers })).status).toBe(200);
    expect(await tracesLeft(run)).toEqual({ ...NOTHING, listed: false });
  });
});

describe('a machine that was deleted', () => {
  it.each(['chart', 'run'])(
    'is not begun again by a request that goes on after an entry: a %s',
    async (kind) => {
      const base = await newChart(drain);
      const address = kind === 'run' ? `${base}@1` : base;
      await report(address, 'drain');
      expect((await send('DELETE', `/${address}`)).status).toBe(204);
      const page = { headers: { Accept: 'text/html' } };
      expect((await send('GET', `/${address}?after=2`)).status).toBe(404);
      expect((await send('GET', `/${address}?after=2`, page)).status).toBe(404);
      expect((await send('GET', resource(address, 'watch', { after: '2' }))).status).toBe(404);
      expect((await askForSocket(address, '2')).status).toBe(404);
      expect(await tracesLeft(address)).toEqual({ ...NOTHING, listed: false });
      expect((await ask(address, 'drain')).status).toBe(200);
    },
  );
});

describe('the chart of runs that have not begun', () => {
  it('is read once for all of them: to read a large one takes far longer than to answer', TIMED, async () => {
    const states = Array.from({ length: 900 }, (_, i) => counting(`s${i}`, `s${i + 1}`));
    const address = await newChart(sequence(...states, final('s900')));
    const took = async (run: string) => {
      const from = performance.now();
      expect((await ask(`${address}@${run}`, 's0')).status).toBe(200);
      return performance.now() - from;
    };
    const first = await took('a');
    const others = [];
    for (const run of ['b', 'c', 'd', 'e', 'f']) others.push(await took(run));
    expect(Math.min(...others)).toBeLessThan(first / 2);
  });
});

describe('a run begins', () => {
  it('with its first report', async () => {
    const run = await newRun(drain);
    await documentOf(run);
    vi.setSystemTime(NOON + MINUTE);
    expect(revisionOf(await report(run, 'drain'))).toBe(2);
    expect(await documentOf(run)).toMatchObject({ revision: 2, started: '2040-06-01T12:01:00.000Z' });
    expect((await tracesLeft(run)).listed).toBe(true);
  });

  it('with its first claim', async () => {
    const run = await newRun(slots);
    expect((await claim(run, 'work', 'web-01')).status).toBe(200);
    expect((await documentOf(run)).revision).toBe(2);
  });

  it('with a reset, and shows when it has begun', async () => {
    const run = await newRun(drain);
    await reset(run);
    expect(await documentOf(run)).toMatchObject({ revision: 1, started: '2040-06-01T12:00:00.000Z' });
    vi.setSystemTime(NOON + MINUTE);
    await reset(run);
    expect(await documentOf(run)).toMatchObject({ revision: 2, started: '2040-06-01T12:01:00.000Z' });
  });
});

describe('a refused report at a run that has not begun', () => {
  it('begins nothing and leaves its key free', async () => {
    const run = await newRun(drain);
    for (const state of ['patch', 'nowhere']) {
      expect((await put(run, state, { key: 'early' })).status).toBe(406);
      expect(await tracesLeft(run)).toEqual({ ...NOTHING, listed: false });
    }
    expect((await put(run, 'drain', { key: 'early' })).status).toBe(200);
    expect((await put(run, 'drain', { key: 'early' })).status).toBe(200);
    expect((await documentOf(run)).quorums).toMatchObject([{ have: 1 }]);
  });
});

describe('the chart of a run that begins', () => {
  it('enters its initial state once', async () => {
    const run = await newRun(drain);
    // A second object: the first one's modules are not the test's.
    await atSecond(run, (second) => readAt(second, { type: 'is', state: 'drain' }));
    const entered = vi.spyOn(Object.getPrototypeOf(readingOf(drain).machine()), 'getInitialSnapshot');
    const outcome = await atSecond(run, (second) => updateAt(second, { state: 'drain', event: 'update' }));
    expect(outcome).toMatchObject({ ok: true });
    expect(entered).toHaveBeenCalledTimes(1);
    entered.mockRestore();
  });
});

describe('the revision 0 of a run that has not begun', () => {
  it('is matched by a report that begins it, once', async () => {
    const run = await newRun(drain);
    expect((await put(run, 'drain', { match: '"0"' })).status).toBe(200);
    expect(await verdict(await put(run, 'drain', { match: '"0"' }))).toBe('412 wrong-revision');
  });

  it('is matched by one of several reports at once', async () => {
    const run = await newRun(drain);
    const answers = await Promise.all(Array.from({ length: 4 }, () => put(run, 'drain', { match: '"0"' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
  });

  it('is the only one: a report for another revision is 412 and begins nothing', async () => {
    const run = await newRun(drain);
    expect(await verdict(await put(run, 'drain', { match: '"1"' }))).toBe('412 wrong-revision');
    expect(await tracesLeft(run)).toEqual({ ...NOTHING, listed: false });
  });

  it('is 304 in If-None-Match', async () => {
    const run = await newRun(drain);
    const response = await send('GET', `/${run}`, { headers: { 'If-None-Match': '"0"' } });
    expect(response.status).toBe(304);
  });
});

describe('waiting for a run that has not begun', () => {
  it('ends at once for the first state', async () => {
    const run = await newRun(drain);
    expect((await waitFor(run, 'drain', '30s')).status).toBe(200);
    expect(await tracesOf(run)).toEqual(NOTHING);
  });

  it('ends with the report that enters the state', async () => {
    const run = await newRun(sequence(counting('drain', 'patch'), counting('patch', 'done'), final('done')));
    const waiting = waitFor(run, 'patch', '30s');
    await whenWaiting(run);
    expect(await tracesOf(run)).toEqual(NOTHING);
    await report(run, 'drain');
    const response = await waiting;
    expect([response.status, revisionOf(response)]).toEqual([200, 2]);
  });

  it('continues after its beginning, if that does not enter the state', async () => {
    const run = await newRun(drain);
    const waiting = waitFor(run, 'patch', '30s');
    await whenWaiting(run);
    await report(run, 'drain');
    await settled();
    await report(run, 'drain');
    expect((await waiting).status).toBe(200);
  });

  it('ends in time, and leaves nothing behind', async () => {
    const run = await newRun(drain);
    vi.useRealTimers();
    expect((await refusedOf(await waitFor(run, 'patch', '200ms'))).machine?.revision).toBe(0);
    expect(await tracesLeft(run)).toEqual({ ...NOTHING, listed: false });
  });

  it('for the next revision ends with its beginning', async () => {
    const run = await newRun(slots);
    const waiting = send('GET', `/${run}?wait=30s`, { headers: { 'If-None-Match': '"0"' } });
    await whenWaiting(run);
    await claim(run, 'work', 'web-01');
    const response = await waiting;
    expect(response.status).toBe(200);
    expect(revisionOf(response)).toBeGreaterThan(0);
  });

  it('ends when a timer of the chart would fire', async () => {
    vi.useRealTimers();
    const soon = new Date(Date.now() + 1_500).toISOString();
    const run = await newRun(`initial: a\nstates:\n  a: {at: {'${soon}': b}}\n  b: {}\n`);
    expect((await waitFor(run, 'b', '10s')).status).toBe(200);
    expect(await tracesOf(run)).toEqual(NOTHING);
  });

  it('by a watch gets its beginning', async () => {
    const run = await newRun(drain);
    const events = await watch(run, { after: '0' });
    const socket = await openSocket(run);
    await report(run, 'drain');
    expect((await events.take(2)).map(({ id, event }) => [id, event])).toEqual([
      [1, 'start'],
      [2, 'update'],
    ]);
    expect((await socket.take(2)).map(({ cause }) => cause)).toEqual(['start', 'update']);
    await events.close();
    socket.close();
  });
});

it('a run of an uploaded chart is answered as one of a bound one', async () => {
  const base = await newChart(drain);
  await upload(base, sequence(counting('other', 'end'), final('end')));
  expect(await documentOf(`${base}@1`)).toMatchObject({ states: ['other'], chart: { source: 'upload' } });
  expect((await problemOf(await ask(`${base}@1`, 'drain'))).detail).toContain('no state');
  expect(await tracesOf(`${base}@1`)).toEqual(NOTHING);
  expect((await send('GET', resource(`${base}@1`, 'history'))).status).toBe(200);
});

/** Leaves the requests that were sent the time to arrive. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 100));
}
