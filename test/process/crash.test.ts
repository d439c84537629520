/** A server that is killed while requests are in flight loses nothing that it has acknowledged. */
import { afterEach, describe, expect, it } from 'vitest';
import { fileOf } from './charts.ts';
import { cleanUp, type Server, startServer } from './server.ts';

afterEach(cleanUp);

/** Does not end, so the count is the number of updates. */
const COUNTING = `current_state: a
states:
  - {name: a, func: increment, current: {key: n, value: 0}, target: {name: b, when: {key: n, value: 1000000000}}}
  - {name: b}
`;

const CLIENTS = 16;

/** Of the timer, ms. */
const DELAY = 1_500;

describe('a kill -9 under load', () => {
  it('loses no update that was answered, and counts none twice', async () => {
    const chart = await fileOf(COUNTING);
    let server = await startServer({ chart });
    let sent = 0;
    let answered = 0;
    for (let crash = 0; crash < 3; crash++) {
      const load = Promise.all(
        Array.from({ length: CLIENTS }, async () => {
          for (;;) {
            sent += 1;
            const status = await statusOf(server, 'PUT', '/state?state=a');
            if (status === undefined) return;
            expect(status).toBe(200);
            answered += 1;
          }
        }),
      );
      await new Promise((done) => setTimeout(done, 400 + 150 * crash));
      await server.kill9();
      await load;
      server = await startServer({ chart, data: server.data });
      const { have, revision } = await countOf(server);
      // Each report that was cut off may have been counted, and was not answered.
      expect(have).toBeGreaterThanOrEqual(answered);
      expect(have).toBeLessThanOrEqual(sent);
      expect(revision).toBe(have + 1);
    }
    expect(answered).toBeGreaterThan(3 * CLIENTS);
  });

  it('fires a timer that was due meanwhile, on the first request after it', async () => {
    const chart = await fileOf(
      `initial: before\nstates:\n  before: {after: {${DELAY}: after}}\n  after: {}\n`,
    );
    const first = await startServer({ chart });
    // The request begins the machine, so the timer is not due yet, however slow this machine is.
    expect(await statusOf(first, 'GET', '/state?state=before')).toBe(200);
    await first.kill9();
    await new Promise((done) => setTimeout(done, DELAY));
    const second = await startServer({ chart, data: first.data });
    expect(await statusOf(second, 'GET', '/state?state=after')).toBe(200);
    const { history }: { history: readonly { at: string; cause: string }[] } = await (
      await fetch(`${second.url}/history`)
    ).json();
    const [fired, began] = history.map(({ at }) => Date.parse(at));
    expect(history.map(({ cause }) => cause)).toEqual(['timer', 'start']);
    expect(Number(fired) - Number(began)).toBe(DELAY);
  });
});

/** @returns undefined if the connection was lost. */
async function statusOf({ url }: Server, method: string, path: string): Promise<number | undefined> {
  try {
    const response = await fetch(url + path, { method });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return undefined;
  }
}

/** The present count of the chart. */
async function countOf({ url }: Server): Promise<{ have: number; revision: number }> {
  const status: unknown = await (await fetch(url)).json();
  const { quorums, revision } = status as { quorums: [{ have: number }]; revision: number };
  return { have: quorums[0].have, revision };
}
