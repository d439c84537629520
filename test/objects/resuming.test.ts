/** Wherever its connection is cut, a watcher that reconnects with its last id misses nothing and gets nothing twice. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { counting, newChart, sequence } from '../charts.ts';
import { ask, report, updateAt } from '../service.ts';
import { type Entry, storyOf, together } from './callers.ts';
import { type Told, watch } from './events.ts';
import { openSocket } from './sockets.ts';

/** Reports, one after the other or in one batch, and the number of events that are read before a cut. */
const rounds = fc.array(
  fc.record({ reports: fc.integer({ min: 1, max: 6 }), inOneBatch: fc.boolean(), read: fc.nat(8) }),
  { minLength: 1, maxLength: 6 },
);

const ring = sequence(counting('a', 'b', 3), counting('b', 'a'));

describe('a watcher whose connection is cut at random', () => {
  it('gets exactly the history, by server-sent events', async () => {
    await fc.assert(
      fc.asyncProperty(rounds, async (all) => {
        const address = await started();
        const total = 1 + all.reduce((sum, { reports }) => sum + reports, 0);
        const updates = send(address, all);
        const told: Told[] = [];
        let reader = await watch(address, { after: '0' });
        for (const { read } of all) {
          told.push(...(await reader.take(Math.min(read, total - told.length))));
          await reader.close();
          reader = await watch(address, { last: String(told.at(-1)?.id ?? 0) });
        }
        told.push(...(await reader.take(total - told.length)));
        await Promise.all([updates, reader.close()]);
        expect(told.map(({ data }) => data)).toEqual(await storyOf(address));
      }),
      { numRuns: 15 },
    );
  }, 30_000);

  it('gets exactly the history, by WebSocket', async () => {
    await fc.assert(
      fc.asyncProperty(rounds, async (all) => {
        const address = await started();
        const total = 1 + all.reduce((sum, { reports }) => sum + reports, 0);
        const updates = send(address, all);
        const told: Entry[] = [];
        let socket = await openSocket(address, '0');
        for (const { read } of all) {
          told.push(...(await socket.take(Math.min(read, total - told.length))));
          socket.close();
          socket = await openSocket(address, String(told.at(-1)?.id ?? 0));
        }
        told.push(...(await socket.take(total - told.length)));
        await updates;
        socket.close();
        expect(told).toEqual(await storyOf(address));
      }),
      { numRuns: 15 },
    );
  }, 30_000);
});

async function started(): Promise<string> {
  const address = await newChart(ring);
  await ask(address, 'a');
  return address;
}

/** Reports to the current state: every fourth report is to `b`. */
async function send(
  address: string,
  all: readonly { reports: number; inOneBatch: boolean }[],
): Promise<void> {
  let sent = 0;
  for (const { reports, inOneBatch } of all) {
    const states = Array.from({ length: reports }, () => (++sent % 4 === 0 ? 'b' : 'a'));
    if (inOneBatch) {
      await together(address, (machine) =>
        states.map((state) => updateAt(machine, { state, event: 'update' })),
      );
    } else for (const state of states) await report(address, state);
  }
}
