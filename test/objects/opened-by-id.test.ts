/** An object that is opened by its id, as the dashboard or a script can: it does not know which machine it is. */
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { counting, final, newChart, sequence } from '../charts.ts';
import { report, statusOf, tracesOf } from '../service.ts';

const chart = sequence(counting('a', 'b', 9), final('b'));
const REFUSED = { ok: false, code: 'wrong-address', detail: expect.stringContaining('opened by its name') };

it('refuses every command and query, and changes nothing', async () => {
  const address = await newChart(chart);
  const object = env.MACHINES.get(env.MACHINES.idFromString(env.MACHINES.idFromName(address).toString()));
  const update = { type: 'update', state: 'a', event: 'update' } as const;
  expect(await object.execute([update, update])).toMatchObject([REFUSED, REFUSED]);
  expect(await object.read([{ type: 'status' }])).toMatchObject([REFUSED]);
  const response = await object.fetch('https://machine/');
  expect([response.status, await response.json()]).toMatchObject([400, REFUSED]);
  // The object ends a moment later: the next call by name gets one that knows its name.
  await scheduler.wait(100);
  expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  expect(await statusOf(address)).toMatchObject({ states: ['a'], revision: 1 });
  expect((await report(address, 'a')).status).toBe(200);
});

it('refuses without a machine behind the id', async () => {
  const object = env.MACHINES.get(env.MACHINES.newUniqueId());
  expect(await object.execute([{ type: 'start' }])).toMatchObject([REFUSED]);
});
