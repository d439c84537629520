/** Answers that an isolate keeps for requests that accept a stale one. */
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RecentAnswers } from '../../src/edge/recent-answers.ts';
import type { Answer, IsQuery } from '../../src/objects/results.ts';
import { refuse } from '../../src/refusal.ts';
import { newChart } from '../charts.ts';
import { send, statePath } from '../service.ts';

const CHART = `initial: drain
states:
  drain: {on: {update: patch}}
  patch: {on: {update: drain}}
`;

const MACHINE = { revision: 7, states: ['drain'], waiting: [] };

describe('an isolate', () => {
  it('asks once for as long as the answer may be stale', async () => {
    const asked = answering({ ok: true, revision: 7 });
    const recent = new RecentAnswers();
    for (let i = 0; i < 100; i++) await recent.for('acme/release', 'drain', 5_000).ask(asked);
    expect(asked).toHaveBeenCalledOnce();
    await recent.for('acme/release', 'patch', 5_000).ask(asked);
    await recent.for('acme/other', 'drain', 5_000).ask(asked);
    expect(asked).toHaveBeenCalledTimes(3);
  });

  it('asks anew once the answer is older, counted from when it was asked for', async () => {
    let now = Date.now();
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now);
    onTestFinished(() => clock.mockRestore());
    const recent = new RecentAnswers();
    const slow = vi.fn(async (): Promise<Answer<IsQuery>> => {
      now += 400;
      return { ok: true, revision: 7 };
    });
    const stale = recent.for('acme/release', 'drain', 1_000);
    await stale.ask(slow);
    now += 600;
    expect(stale.ageOf(await stale.ask(slow))).toBe(1_000);
    now += 1;
    expect(stale.find()).toBeUndefined();
    await stale.ask(slow);
    expect(slow).toHaveBeenCalledTimes(2);
  });

  it('keeps a refusal of the machine, and none of the platform', async () => {
    const recent = new RecentAnswers();
    const refused = answering(refuse('not-current', 'It is not.', { machine: MACHINE }));
    await recent.for('acme/release', 'patch', 5_000).ask(refused);
    await recent.for('acme/release', 'patch', 5_000).ask(refused);
    expect(refused).toHaveBeenCalledOnce();
    const lost = answering(refuse('lost', 'It is lost.'));
    await recent.for('acme/release', 'drain', 5_000).ask(lost);
    await recent.for('acme/release', 'drain', 5_000).ask(lost);
    expect(lost).toHaveBeenCalledTimes(2);
  });

  it('forgets what it knows of a machine to which it has sent a command, also what is in flight', async () => {
    const recent = new RecentAnswers();
    const asked = answering({ ok: true, revision: 7 });
    await recent.for('acme/release', 'drain', 5_000).ask(asked);
    recent.forget('acme/release');
    const { promise, resolve } = Promise.withResolvers<Answer<IsQuery>>();
    const inFlight = recent.for('acme/release', 'drain', 5_000).ask(() => promise);
    recent.forget('acme/release');
    resolve({ ok: true, revision: 7 });
    await inFlight;
    await recent.for('acme/release', 'drain', 5_000).ask(asked);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it('keeps no more characters than it may, whatever is asked for', async () => {
    const most = 1_000;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ maxLength: 400 }), { maxLength: 30 }), async (states) => {
        const recent = new RecentAnswers(most);
        const asked = answering({ ok: true, revision: 7 });
        for (const state of states) await recent.for('acme/release', state, 5_000).ask(asked);
        asked.mockClear();
        // The newest are kept: those that are asked for again without a call fit into the bound together.
        const kept = [];
        for (const state of new Set([...states].reverse())) {
          const calls = asked.mock.calls.length;
          await recent.for('acme/release', state, 5_000).ask(asked);
          if (asked.mock.calls.length > calls) break;
          kept.push(state);
        }
        expect(kept.length).toBeGreaterThan(states.length === 0 ? -1 : 0);
        expect(kept.slice(1).reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(most);
      }),
      { numRuns: 50 },
    );
  });
});

describe('`max-stale`', () => {
  it('is answered with the `Age` of the answer, and without it not', async () => {
    const address = await newChart(CHART);
    const fresh = await send('GET', statePath(address, 'drain'));
    expect([fresh.status, fresh.headers.get('Age')]).toEqual([200, null]);
    for (const state of ['drain', 'patch']) {
      const first = await send('GET', `${statePath(address, state)}&max-stale=30s`);
      const again = await send('GET', `${statePath(address, state)}&max-stale=30s`);
      for (const { headers } of [first, again]) expect(headers.get('Age')).toMatch(/^\d+$/);
      expect([again.status, again.headers.get('ETag')]).toEqual([first.status, first.headers.get('ETag')]);
      expect(await again.text()).toBe(await first.text());
    }
  });

  it('sees the reports of the same edge', async () => {
    const address = await newChart(CHART);
    await send('GET', `${statePath(address, 'drain')}&max-stale=30s`);
    await send('PUT', statePath(address, 'drain'));
    expect((await send('GET', `${statePath(address, 'drain')}&max-stale=30s`)).status).toBe(406);
    expect((await send('GET', `${statePath(address, 'patch')}&max-stale=30s`)).status).toBe(200);
  });

  it('has no effect on a request with `by`', async () => {
    const address = await newChart(CHART);
    const response = await send('GET', `${statePath(address, 'drain')}&max-stale=30s&by=web-1`);
    expect([response.status, response.headers.get('Age')]).toEqual([200, null]);
  });

  it.each(['61s', '-1s', 'soon', ''])('refuses %j', async (value) => {
    const address = await newChart(CHART);
    const response = await send('GET', `${statePath(address, 'drain')}&max-stale=${value}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining('`max-stale`') });
  });
});

function answering(answer: Answer<IsQuery>) {
  return vi.fn(async () => answer);
}
