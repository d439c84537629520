/** What fails during a restore, and what goes on. */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it } from 'vitest';
import { counting, final, newChart, sequence } from '../charts.ts';
import { evict, inStorage, objectAt, report, reportTimes } from '../service.ts';
import { documentOf, revisionOf, storyOf, verdict, waitFor } from './callers.ts';
import { watch } from './events.ts';
import { moment, platform, removeStandIn, restore } from './restoring.ts';
import { openSocket } from './sockets.ts';

const drain = sequence(counting('drain', 'patch', 3), counting('patch', 'done', 3), final('done'));

afterEach(removeStandIn);

/** Restores a machine as an edge does that breaks off when the object restarts. */
async function breakOff(address: string, at: number): Promise<void> {
  const command = { type: 'restore', id: 'broken-off', at, by: 'ops' } as const;
  // Not `expect(…).rejects`: it takes the promise of an RPC twice, and a rejection stays unhandled.
  const failure = await objectAt(address)
    .execute([command])
    .then(() => 'no failure', String);
  expect(failure).toContain('the machine is being restored');
}

/** Runs the alarm of the tenant's registry. @returns whether it was set. */
function finish(address: string): Promise<boolean> {
  const [tenant = ''] = address.split('/');
  return runDurableObjectAlarm(env.TENANTS.getByName(tenant));
}

describe('a restore whose edge breaks off', () => {
  it('is in the machine before the next request, if the object restarts in the same isolate', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const at = await moment(address);
    await reportTimes(address, 'drain', 2);
    const { revision } = await documentOf(address);
    await breakOff(address, at);
    expect(revisionOf(await report(address, 'drain'))).toBe(revision + 2);
    expect((await storyOf(address)).slice(-2)).toMatchObject([
      { cause: 'restore', by: 'ops', revision: revision + 1 },
      { cause: 'update' },
    ]);
    expect(await finish(address)).toBe(true);
    expect((await documentOf(address)).revision).toBe(revision + 2);
  });

  it('is finished by the alarm of the registry, if the isolate is gone', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const at = await moment(address);
    await reportTimes(address, 'drain', 2);
    const { revision } = await documentOf(address);
    await breakOff(address, at);
    // The object starts and ends without a look at its machine, and what the isolate knows is gone with it.
    await inStorage(address, () => {});
    await evict(address);
    expect(await finish(address)).toBe(true);
    expect((await storyOf(address)).at(-1)).toMatchObject({
      cause: 'restore',
      by: 'ops',
      revision: revision + 1,
    });
    // And is not repeated.
    expect(await finish(address)).toBe(false);
    expect((await documentOf(address)).revision).toBe(revision + 1);
  });
});

describe('a restore that the platform does not do', () => {
  it('is 503, and nothing has changed', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const at = await moment(address);
    await report(address, 'drain');
    const before = await documentOf(address);
    platform().failNext(new Error('not now'));
    expect(await verdict(await restore(address, at))).toBe('503 lost');
    expect(await documentOf(address)).toEqual(before);
    expect(await verdict(await restore(address, at))).toBe('204');
  });
});

describe('during a restore', () => {
  it('watches end so that their readers come back, and waits go on', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const at = await moment(address);
    await reportTimes(address, 'drain', 2);
    const socket = await openSocket(address);
    const stream = await watch(address);
    const wait = waitFor(address, 'done', '20s');
    await scheduler.wait(50);
    await restore(address, at);
    expect(await socket.closed).toMatchObject({ code: 1012 });
    expect(await stream.next().catch(() => undefined)).toBeUndefined();
    await reportTimes(address, 'drain', 2);
    await reportTimes(address, 'patch', 3);
    expect((await wait).status).toBe(200);
  });
});
