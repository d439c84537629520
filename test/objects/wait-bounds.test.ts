/** Waits are bounded in number and in time: an object does not learn that a client has left. */
import { describe, expect, it, vi } from 'vitest';
import { WAIT_MAX, WAITERS } from '../../src/limits.ts';
import { counting, final, newChart, sequence } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import { ask, inStorage, machinePath, readAt, report, send } from '../service.ts';
import { refusedOf, waitFor, whenWaiting } from './callers.ts';

beginAtNoon();

const drain = sequence(counting('drain', 'patch', 9), counting('patch', 'done'), final('done'));

describe('a wait beyond the bound', () => {
  it('is refused with Retry-After, and the machine continues', async () => {
    const address = await newChart(drain);
    await ask(address, 'drain');
    const crowded = inStorage(address, async (_, machine) => {
      const ends = Array.from({ length: WAITERS }, () =>
        readAt(machine, { type: 'is', state: 'patch', wait: WAIT_MAX }),
      );
      return (await Promise.all(ends)).filter(({ ok }) => ok).length;
    });
    await whenWaiting(address, WAITERS);
    for (const response of [
      await waitFor(address, 'patch', '60s'),
      await send('GET', `${machinePath(address)}?wait=60s`, { headers: { 'If-None-Match': '"1"' } }),
    ]) {
      expect(response.status).toBe(503);
      expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
      expect(await refusedOf(response)).toMatchObject({
        type: 'urn:stateservice:problem:too-many-waiting',
        machine: { revision: 1, states: ['drain'] },
      });
    }
    // A query without a wait is answered.
    expect((await ask(address, 'patch')).status).toBe(406);
    for (let i = 0; i < 9; i++) expect((await report(address, 'drain')).status).toBe(200);
    expect(await crowded).toBe(WAITERS);
    expect((await waitFor(address, 'patch', '60s')).status).toBe(200);
  });
});

describe('clients that disconnect during a wait', () => {
  it('leave room when their waits end', async () => {
    const address = await newChart(drain);
    await ask(address, 'drain');
    const controller = new AbortController();
    const vanished = Array.from({ length: 100 }, () =>
      waitFor(address, 'patch', '5s', { signal: controller.signal }).catch(() => 'gone'),
    );
    await whenWaiting(address, 100);
    controller.abort();
    expect(await Promise.all(vanished)).toEqual(Array(100).fill('gone'));

    const room = () =>
      inStorage(address, async (_, machine) => {
        const ends = Array.from({ length: WAITERS }, () =>
          readAt(machine, { type: 'is', state: 'patch', wait: 1_000 }),
        );
        vi.setSystemTime(Date.now() + 1_000);
        const answers = await Promise.all(ends);
        return answers.filter((answer) => !answer.ok && answer.code === 'not-current').length;
      });
    // The object does not learn that they have left.
    expect(await room()).toBe(WAITERS - 100);
    vi.setSystemTime(NOON + 5_000);
    await pause(250);
    expect(await room()).toBe(WAITERS);
  });
});

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
