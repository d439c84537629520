/** What each kind of request costs at Cloudflare: the table of costs in docs/deploying.md is what is counted here. */
import { describe, expect, it, vi } from 'vitest';
import { counting, final, newAddress, newChart, sequence } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import { inStorage, rowsOf, send } from '../service.ts';
import { claim, put, release, reset, upload } from './callers.ts';
import { type Bill, meter } from './meter.ts';
import { whenTold } from './tenants.ts';

const pages = import.meta.glob('../../docs/deploying.md', { query: '?raw', import: 'default', eager: true });
const configs = import.meta.glob('../../wrangler.toml', { query: '?raw', import: 'default', eager: true });
const page = Object.values(pages).join('\n');
const config = Object.values(configs).join('\n');

/** USD. https://developers.cloudflare.com/workers/platform/pricing/ */
const MILLION = { workerRequests: 0.3, objectRequests: 0.15, rows: 1, logs: 0.6 };

const HOUR = 60 * 60 * 1_000;

beginAtNoon();

const chart = sequence(counting('a', 'b', 100), counting('b', 'c', 100), final('c'));
const slots =
  'initial: work\nstates:\n  work: {slots: 2, lease: 1h, on: {update: done}}\n  done: {type: final}\n';
const told =
  'initial: a\nnotify: [{on: a, to: OPS}]\nstates:\n  a: {on: {update: {target: a, reenter: true}}}\n';
const timers =
  'initial: wait\nstates:\n  wait: {on: {update: work}, after: {1h: work}}\n  work: {on: {update: wait}}\n';

/** The kinds of requests by their row in the table: each gives what one more request of the kind has cost. */
const KINDS: Readonly<Record<string, () => Promise<Bill>>> = {
  async '`GET …/state`'() {
    const address = await newChart(chart);
    const read = await metered(address, () => put(address, 'a'));
    await accepted(send('GET', `/${address}/state?state=a`));
    return read();
  },
  async '`PUT …/state`'() {
    const address = await newChart(chart);
    const read = await metered(address, () => put(address, 'a'));
    await accepted(put(address, 'a'));
    return read();
  },
  async 'a `PUT …/state` that moves the machine'() {
    const address = await newChart('initial: a\nstates: {a: {on: {update: b}}, b: {on: {update: a}}}');
    const read = await metered(address, async () => {
      // The first visit to end creates a table.
      await accepted(put(address, 'a'));
      return put(address, 'b');
    });
    await accepted(put(address, 'a'));
    await whenTold(address);
    return read();
  },
  async '`PUT …/state?by=`'() {
    const address = await newChart(chart);
    const read = await metered(address, () => put(address, 'a', { by: 'first' }));
    await accepted(put(address, 'a', { by: 'second' }));
    return read();
  },
  async '`PUT …/state` with `Idempotency-Key`'() {
    const address = await newChart(chart);
    const read = await metered(address, () => put(address, 'a', { key: 'first' }));
    await accepted(put(address, 'a', { key: 'second' }));
    return read();
  },
  async 'a claim'() {
    const address = await newChart(slots);
    const read = await metered(address, async () => {
      await accepted(claim(address, 'work', 'first'));
      return release(address, 'work', 'first');
    });
    await accepted(claim(address, 'work', 'first'));
    return read();
  },
  async 'a release'() {
    const address = await newChart(slots);
    const read = await metered(address, () => claim(address, 'work', 'first'));
    await accepted(release(address, 'work', 'first'));
    return read();
  },
  async 'a `PUT …/state` that a hook is told of'() {
    const address = await newChart(told);
    const read = await metered(address, async () => {
      const first = await put(address, 'a');
      await allSent(address);
      return first;
    });
    await accepted(put(address, 'a'));
    await allSent(address);
    await whenTold(address);
    return read();
  },
  async 'a timer that fires'() {
    const address = await newChart(timers);
    const read = await metered(address, async () => {
      // The first visit to end creates a table.
      await accepted(put(address, 'wait'));
      return put(address, 'work');
    });
    vi.setSystemTime(NOON + HOUR);
    // `runDurableObjectAlarm` would delete the alarm first, which counts as a row.
    await inStorage(address, (_, machine) => machine.alarm());
    await whenTold(address);
    return read();
  },
  async 'the first report of a run'() {
    const base = await newChart(chart);
    await accepted(put(`${base}@1`, 'a'));
    await whenTold(`${base}@1`);
    // A run reads the chart of its base.
    const read = await meter(base, `${base}@2`);
    await accepted(put(`${base}@2`, 'a'));
    await whenTold(`${base}@2`);
    return read();
  },
  async 'a reset'() {
    const address = await newChart(chart);
    const read = await metered(address, () => put(address, 'a'));
    await accepted(reset(address));
    await whenTold(address);
    return read();
  },
  async 'an upload of another chart'() {
    const address = newAddress();
    const read = await metered(address, () => upload(address, chart));
    await accepted(upload(address, slots));
    await whenTold(address);
    return read();
  },
};

describe('the table of costs', () => {
  const rows = [...page.matchAll(/^\| (.+?) +\| +(\d|–) \| +(\d|–) \| +(\d+|–) \| +\$(\d+\.\d\d) \|$/gm)];
  const table = Object.fromEntries(rows.map(([, kind = '', ...costs]) => [kind, costs]));

  it('has each kind of request', () => {
    expect(Object.keys(table).sort()).toEqual(Object.keys(KINDS).sort());
  });

  it.each(Object.entries(KINDS))('has what is counted of %s', async (kind, run) => {
    const { requests, rows } = await run();
    const workerRequests = kind === 'a timer that fires' ? 0 : 1;
    const total =
      workerRequests * MILLION.workerRequests + requests * MILLION.objectRequests + rows * MILLION.rows;
    expect(
      [workerRequests, requests, rows].map((count) => String(count || '–')).concat(total.toFixed(2)),
    ).toEqual(table[kind]);
  });
});

describe('the logs', () => {
  it('have no line for each invocation, which would cost more than a GET', () => {
    const logs = /^\[observability\.logs\]$(.*?)^$/ms.exec(config)?.[1] ?? '';
    expect(logs).toMatch(/^enabled = true$/m);
    expect(logs).toMatch(/^invocation_logs = false$/m);
    const perGet = MILLION.workerRequests + MILLION.objectRequests;
    const logged = 2 * MILLION.logs;
    expect(logged).toBeGreaterThan(2 * perGet);
    expect(page).toContain(`$${logged.toFixed(2)} more for a million of \`GET …/state\``);
  });
});

/** Meters a machine that has done something before: what a machine costs only once is not of the next request. */
async function metered(address: string, first: () => Promise<Response>): Promise<() => Bill> {
  await accepted(first());
  await whenTold(address);
  const read = await meter(address);
  read();
  return read;
}

/** Waits until all messages of a machine are sent. */
async function allSent(address: string): Promise<void> {
  const isSent = ({ status }: Record<string, SqlStorageValue>) => status === 'sent';
  await vi.waitUntil(() => inStorage(address, ({ sql }) => rowsOf(sql, 'notification').every(isSent)), {
    timeout: 20_000,
    interval: 5,
  });
}

async function accepted(sent: Promise<Response>): Promise<void> {
  const response = await sent;
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
}
