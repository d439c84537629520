/** Waits when the machine restarts, gets another chart, or is deleted. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { counting, final, newAddress, newChart, putChart, sequence } from '../charts.ts';
import { ask, machinePath, report, reportTimes, send, tracesOf } from '../service.ts';
import { erase, reset, upload, verdict, waitFor, whenWaiting } from './callers.ts';

// It stands still: a wait that does not end for a reason does not end.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(Date.parse('2040-06-01T12:00:00Z'));
});
afterEach(() => {
  vi.useRealTimers();
});

const drain = sequence(counting('drain', 'patch'), counting('patch', 'done'), final('done'));

describe('when the machine is reset', () => {
  it('a wait for the initial state ends', async () => {
    const address = await newChart(sequence(counting('a', 'b'), counting('b', 'a')));
    await report(address, 'a');
    const waiting = waitFor(address, 'a', '60s');
    await whenWaiting(address);
    await reset(address);
    expect(await (await waiting).text()).toBe('a');
  });

  it('a wait for a later state continues', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const waiting = waitFor(address, 'done', '60s');
    await whenWaiting(address);
    await reset(address);
    await settled();
    for (const state of ['drain', 'patch']) await report(address, state);
    expect(await (await waiting).text()).toBe('done');
  });

  it('a wait for a state that the newest chart does not have ends', async () => {
    const address = await newChart(drain);
    await ask(address, 'drain');
    const waiting = waitFor(address, 'done', '60s');
    await whenWaiting(address);
    await putChart(address, sequence(counting('other', 'end'), final('end')));
    await reset(address);
    expect(await verdict(await waiting)).toBe('406 not-current');
  });
});

describe('when another chart is uploaded', () => {
  it('a wait is for the name, not for the place in the chart', async () => {
    const address = await newChart(drain);
    await ask(address, 'drain');
    const waiting = waitFor(address, 'patch', '60s');
    await whenWaiting(address);
    // In the new chart the state at the place of `patch` is current from the start.
    const text = JSON.stringify({
      current_state: 'second',
      states: [
        counting('first', 'second'),
        counting('second', 'patch'),
        counting('patch', 'done'),
        final('done'),
      ],
    });
    expect((await upload(address, text)).status).toBe(200);
    await settled();
    await report(address, 'second');
    const response = await waiting;
    expect([response.status, await response.text(), response.headers.get('ETag')]).toEqual([
      200,
      'patch',
      '"3"',
    ]);
  });

  it('a wait for a state that the new chart does not have ends', async () => {
    const address = await newChart(drain);
    await ask(address, 'drain');
    const waiting = waitFor(address, 'patch', '60s');
    await whenWaiting(address);
    await upload(address, sequence(counting('first', 'second'), counting('second', 'first')));
    expect(await verdict(await waiting)).toBe('406 not-current');
  });

  it('a wait for the initial state ends', async () => {
    const address = await newChart(drain);
    await ask(address, 'drain');
    const waiting = waitFor(address, 'done', '60s');
    await whenWaiting(address);
    await upload(address, sequence(counting('done', 'drain'), final('drain')));
    expect(await (await waiting).text()).toBe('done');
  });
});

describe('when the machine is deleted', () => {
  it('a wait for a state ends, and does not begin the machine again', async () => {
    const address = newAddress();
    await upload(address, drain);
    const waiting = waitFor(address, 'done', '60s');
    await whenWaiting(address);
    expect((await erase(address)).status).toBe(204);
    expect(await verdict(await waiting)).toBe('404 no-chart');
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });

  it('a wait for the next revision ends, and does not begin the machine again', async () => {
    const address = newAddress();
    await upload(address, drain);
    const waiting = send('GET', `${machinePath(address)}?wait=60s`, { headers: { 'If-None-Match': '"1"' } });
    await whenWaiting(address);
    await erase(address);
    expect(await verdict(await waiting)).toBe('404 no-chart');
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });

  it('a wait does not begin a machine with a bound chart again either', async () => {
    const address = await newChart(drain);
    await reportTimes(address, 'drain', 1);
    const waiting = [
      waitFor(address, 'done', '60s'),
      send('GET', `${machinePath(address)}?wait=60s`, { headers: { 'If-None-Match': '"2"' } }),
    ];
    await whenWaiting(address, 2);
    await erase(address);
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([404, 404]);
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
    // Only this request begins a machine, at the revision after the last of the deleted one.
    expect((await ask(address, 'drain')).headers.get('ETag')).toBe('"3"');
  });
});

async function settled(): Promise<void> {
  await new Promise((done) => setTimeout(done, 50));
}
