/** Notifications of a server that is killed while it sends them: nothing is lost, and nothing is out of order. */
import { afterAll, expect, it } from 'vitest';
import { type Receiver, SECRET, startReceiver, verify } from './receiver.ts';
import { cleanUp, type Server, startServer, temporaryFolder, until } from './server.ts';

/** How often the server is killed. */
const KILLS = Number(process.env.NOTIFICATION_KILLS ?? 2);

/** How long messages may take to arrive, in ms: an attempt that was cut is made again after 15 s. */
const SOON = 50_000;

let receiver: Receiver | undefined;
afterAll(async () => {
  receiver?.stop();
  await cleanUp();
});

it(
  'sends each message at least once, and first in the order of the history',
  async () => {
    const heard = await startReceiver();
    receiver = heard;
    // Slow enough to be behind the reports, so that each kill cuts an attempt.
    heard.behaviours.set('/ops', (_, response) => void setTimeout(() => response.writeHead(204).end(), 20));
    const data = await temporaryFolder();
    const start = () => startServer({ data, env: { HOOK_OPS: `${heard.url}/ops ${SECRET}` } });
    let server: Server = await start();
    const chart = {
      initial: 'a',
      notify: [{ on: ['a', 'b'], to: 'OPS' }],
      states: { a: { on: { update: 'b' } }, b: { on: { update: 'a' } } },
    };
    const machine = () => `${server.url}/acme/told`;
    const uploaded = await fetch(`${machine()}/chart`, { method: 'PUT', body: JSON.stringify(chart) });
    expect(uploaded.status).toBe(201);

    let accepted = 0;
    /** Reports until the server is gone. */
    const report = async () => {
      for (let i = 0; ; i++) {
        const response = await fetch(`${machine()}/state?state=${i % 2 === 0 ? 'a' : 'b'}`, {
          method: 'PUT',
        });
        await response.body?.cancel();
        if (response.ok) accepted += 1;
      }
    };
    for (let kill = 0; kill < KILLS; kill++) {
      const before = heard.received.length;
      const reporting = report().catch(() => {});
      await until(() => heard.received.length >= before + 5, SOON);
      await server.kill9();
      await reporting;
      server = await start();
    }
    // The first request after a start finds the alarm set, or sends what is due by itself.
    const { revision } = (await (await fetch(machine())).json()) as { revision: number };
    expect(revision).toBeGreaterThan(accepted);
    const isAllSent = async () => {
      const { hooks } = (await (await fetch(`${machine()}/notifications`)).json()) as {
        hooks: readonly { readonly pending: number; readonly dropped: object | null }[];
      };
      return hooks.every(({ pending, dropped }) => pending === 0 && dropped === null);
    };
    await until(isAllSent, SOON);

    const ids = heard.at('/ops').map(({ id }) => id);
    const all = Array.from({ length: revision }, (_, i) => i + 1);
    expect([...new Set(ids)]).toEqual(all);
    for (const message of heard.received) verify(message);
  },
  4 * SOON + KILLS * 2 * SOON,
);
