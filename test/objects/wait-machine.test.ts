/** `GET {machine}` with `If-None-Match` and `wait=`: blocks until the next revision, else 304. */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import { NEWEST_FOR } from '../../src/objects/chart-source.ts';
import { counting, final, newChart, putChart, sequence, timed } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import { ask, machinePath, objectAt, report, reportTimes, send, updateAt } from '../service.ts';
import { claim, type Document, put, reset, revisionOf, together, upload, whenWaiting } from './callers.ts';

beginAtNoon();

const drain = sequence(counting('drain', 'patch', 2), counting('patch', 'done'), final('done'));

describe('without a wait', () => {
  it('the revision that is known is 304, without a body', async () => {
    const address = await newChart(drain);
    const response = await status(address, '"1"');
    expect([response.status, revisionOf(response), await response.text()]).toEqual([304, 1, '']);
  });

  it.each([
    ['an old one', '"1"', 200],
    ['the present one', '"2"', 304],
    // nginx and Cloudflare weaken the tag of what they compress; RFC 9110, section 13.1.2, compares weakly.
    ['the present one, weakened on the way', 'W/"2"', 304],
    ['several, the present one among them', '"1", W/"2"', 304],
    ['several old ones', '"1", "7"', 200],
    ['a tag that is not ours', '"x2"', 200],
  ])('%s is compared weakly: %s', async (_, known, expected) => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const response = await status(address, known);
    expect([response.status, revisionOf(response)]).toEqual([expected, 2]);
    await response.body?.cancel();
  });

  it('some 100 revisions are read, and no more', async () => {
    const address = await newChart(drain);
    const statusOf = async (others: number) => {
      const response = await status(address, `${'"1000",'.repeat(others)}"1"`);
      await response.body?.cancel();
      return response.status;
    };
    expect([await statusOf(100), await statusOf(10_000)]).toEqual([304, 200]);
  });
});

describe('a wait for the next revision', () => {
  it('ends at once if there is one already', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const response = await status(address, '"1"', '60s');
    expect([response.status, (await documentIn(response)).revision]).toEqual([200, 2]);
  });

  it('ends at once if no revision is known', async () => {
    const address = await newChart(drain);
    expect((await documentIn(await status(address, undefined, '60s'))).revision).toBe(1);
  });

  it.each(['"2"', 'W/"2"', '"1", "2"'])('ends with any report: %s', async (known) => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const waiting = status(address, known, '60s');
    await whenWaiting(address);
    await report(address, 'drain');
    expect(await documentIn(await waiting)).toMatchObject({ revision: 3, states: ['patch'] });
  });

  it('ends with a claim', async () => {
    const address = await newChart('initial: a\nstates: {a: {slots: 1, on: {update: b}}, b: {}}');
    await ask(address, 'a');
    const waiting = status(address, '"1"', '60s');
    await whenWaiting(address);
    await claim(address, 'a', 'web-01');
    expect((await documentIn(await waiting)).claims).toMatchObject([{ holders: [{ by: 'web-01' }] }]);
  });

  it('ends with the alarm', async () => {
    const address = await newChart(sequence(timed('wait', 'go', '2040-06-01T13:00:00'), final('go')));
    await ask(address, 'wait');
    const waiting = status(address, '"1"', '60s');
    await whenWaiting(address);
    vi.setSystemTime(NOON + 60 * 60 * 1_000);
    await runDurableObjectAlarm(objectAt(address));
    expect((await documentIn(await waiting)).states).toEqual(['go']);
  });

  it('is 304 when its time is over', async () => {
    const address = await newChart(drain);
    await ask(address, 'drain');
    const waiting = status(address, '"1"', '30s');
    await whenWaiting(address);
    vi.setSystemTime(NOON + 30_000);
    const response = await waiting;
    expect([response.status, revisionOf(response)]).toEqual([304, 1]);
  });

  it('continues after an entry of the history that is no change', async () => {
    const address = await newChart(`
initial: a
states: {a: {on: {update: {target: b, guard: context.missing}, go: b}}, b: {}}
`);
    await ask(address, 'a');
    const waiting = status(address, '"1"', '60s');
    await whenWaiting(address);
    expect((await report(address, 'a')).status).toBe(406);
    await settled();
    await put(address, 'a', { event: 'go' });
    expect(await documentIn(await waiting)).toMatchObject({ revision: 2, states: ['b'] });
  });

  it('misses nothing between two responses', async () => {
    const address = await newChart(sequence(counting('drain', 'done', 30), final('done')));
    const seen: number[] = [];
    const reports = (async () => {
      for (let i = 0; i < 30; i++) await report(address, 'drain');
    })();
    for (let known = 0; known < 31; ) {
      const { revision } = await documentIn(await status(address, `"${known}"`, '60s'));
      expect(revision).toBeGreaterThan(known);
      seen.push(revision);
      known = revision;
    }
    await reports;
    expect(seen.at(-1)).toBe(31);
  });

  it('ends once for all changes of one commit', async () => {
    const address = await newChart(drain);
    await ask(address, 'drain');
    const waiting = status(address, '"1"', '60s');
    await whenWaiting(address);
    await together(address, (machine) =>
      ['drain', 'drain', 'patch'].map((state) => updateAt(machine, { state, event: 'update' })),
    );
    expect(await documentIn(await waiting)).toMatchObject({ revision: 4, states: ['done'] });
  });

  it('is refused for longer than a minute', async () => {
    const address = await newChart(drain);
    expect((await status(address, '"1"', '61s')).status).toBe(400);
  });
});

describe('the document at the end of a wait', () => {
  it('compares with the newest chart at that time', async () => {
    const address = await newChart(drain);
    await ask(address, 'drain');
    const waiting = status(address, '"1"', '60s');
    await whenWaiting(address);
    await upload(address, sequence(counting('other', 'end'), final('end')));
    const document = await documentIn(await waiting);
    expect(document).toMatchObject({ states: ['other'], chart: { source: 'upload', newer: false } });
  });

  it('shows that there is another chart since', async () => {
    const address = await newChart(drain);
    await ask(address, 'drain');
    const waiting = status(address, '"1"', '60s');
    await whenWaiting(address);
    await putChart(address, sequence(counting('other', 'end'), final('end')));
    vi.setSystemTime(NOON + NEWEST_FOR);
    await report(address, 'drain');
    expect((await documentIn(await waiting)).chart).toMatchObject({ source: 'bundle', newer: true });
  });
});

describe('a reset', () => {
  it('is a revision like any other', async () => {
    const address = await newChart(drain);
    await reportTimes(address, 'drain', 2);
    const waiting = status(address, '"3"', '60s');
    await whenWaiting(address);
    await reset(address);
    expect(await documentIn(await waiting)).toMatchObject({ revision: 4, states: ['drain'] });
  });
});

function status(address: string, known?: string, wait?: string): Promise<Response> {
  const headers = known === undefined ? {} : { 'If-None-Match': known };
  return send('GET', `${machinePath(address)}${wait === undefined ? '' : `?wait=${wait}`}`, { headers });
}

async function documentIn(response: Response): Promise<Document> {
  if (response.status !== 200) throw new Error(`it was answered ${response.status}`);
  return response.json();
}

async function settled(): Promise<void> {
  await new Promise((done) => setTimeout(done, 50));
}
