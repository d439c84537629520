/** The status document. */
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { findChart } from '../../../src/objects/catalog.ts';
import { counting, final, newChart, putChart, removeChart, sequence, timed } from '../../charts.ts';
import { ask, evict, report, reportTimes, send, statusOf } from '../../service.ts';

const chart = sequence(counting('a', 'b', 3), counting('b', 'c', 2.5, 0.5), final('c'));

it('is JSON, with the revision as its entity tag', async () => {
  const response = await send('GET', `/${await newChart(chart)}`);
  expect(response.status).toBe(200);
  expect(response.headers.get('Content-Type')).toBe('application/json');
  expect(response.headers.get('ETag')).toBe('"1"');
});

it('starts a machine that was not used yet', async () => {
  const before = Date.now();
  const address = await newChart(chart);
  const status = await statusOf(address);
  expect(status).toMatchObject({
    machine: address,
    dialect: 'sequence',
    states: ['a'],
    status: 'active',
    revision: 1,
    quorums: [{ state: 'a', event: 'update', have: 0, need: 3 }],
    timers: [],
    chart: { source: 'bundle', newer: false },
  });
  expect(Date.parse(status.since)).toBeGreaterThanOrEqual(before);
  expect(Date.parse(status.since)).toBeLessThanOrEqual(Date.now());
  expect(status.changed).toBe(status.since);
});

it('shows the progress of a count', async () => {
  const address = await newChart(chart);
  await reportTimes(address, 'a', 2);
  expect(await statusOf(address)).toMatchObject({ revision: 3, quorums: [{ have: 2, need: 3 }] });
  await reportTimes(address, 'a', 1);
  expect((await statusOf(address)).quorums).toEqual([
    { state: 'b', event: 'update', have: 0.5, need: 2.5, by: [] },
  ]);
});

it('shows that the machine is done', async () => {
  const address = await newChart(chart);
  await reportTimes(address, 'a', 3);
  await reportTimes(address, 'b', 2);
  expect(await statusOf(address)).toMatchObject({ states: ['c'], status: 'done', quorums: [], timers: [] });
});

it('shows since when the state is current, also after reports that were counted', async () => {
  const address = await newChart(chart);
  const { since } = await statusOf(address);
  await scheduler.wait(5);
  await reportTimes(address, 'a', 2);
  const status = await statusOf(address);
  expect(status.since).toBe(since);
  expect(Date.parse(status.changed)).toBeGreaterThan(Date.parse(since));
});

it('shows when a timer is due', async () => {
  const address = await newChart(sequence(timed('a', 'b', '2999-01-01T02:00:00+02:00'), final('b')));
  expect((await statusOf(address)).timers).toMatchObject([{ at: '2999-01-01T00:00:00.000Z' }]);
});

it('shows which chart the machine runs', async () => {
  const address = await newChart(chart);
  const [tenant, name = ''] = address.split('/');
  const found = await findChart(env, { ...(tenant && { tenant }), chart: name });
  expect((await statusOf(address)).chart.hash).toBe(found?.hash);
});

it('shows that a newer chart is waiting, and continues with its own', async () => {
  const address = await newChart(chart);
  await report(address, 'a');
  await putChart(address, sequence(final('x')));
  await evict(address);
  expect(await statusOf(address)).toMatchObject({ states: ['a'], revision: 2, chart: { newer: true } });
  await reportTimes(address, 'a', 2);
  expect((await ask(address, 'b')).status).toBe(200);
  expect((await ask(address, 'x')).status).toBe(406);
  await putChart(address, chart);
  await evict(address);
  expect((await statusOf(address)).chart.newer).toBe(false);
});

it('shows no newer chart after the chart was removed, and continues with its own', async () => {
  const address = await newChart(chart);
  await report(address, 'a');
  await removeChart(address);
  await evict(address);
  expect(await statusOf(address)).toMatchObject({ states: ['a'], revision: 2, chart: { newer: false } });
  await reportTimes(address, 'a', 2);
  expect((await ask(address, 'b')).status).toBe(200);
});

it('is the run’s for the address of a run', async () => {
  const address = await newChart(chart);
  expect((await statusOf(`${address}@42`)).machine).toBe(`${address}@42`);
});
