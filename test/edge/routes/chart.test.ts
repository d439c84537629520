/** `GET {machine}/chart`. `../chart/write.test.ts` tests how a chart is written. */
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { counting, final, newChart, sequence } from '../../charts.ts';
import { ask, chartOf, report, reportTimes, send } from '../../service.ts';

const chart = sequence(counting('a', 'b', 2), counting('b', 'a', 3, 1), final('c'));

it('is YAML (RFC 9512), with the revision as its entity tag', async () => {
  const address = await newChart(chart);
  await report(address, 'a');
  const response = await send('GET', `/${address}/chart`);
  expect(response.status).toBe(200);
  expect(response.headers.get('Content-Type')).toBe('application/yaml');
  expect(response.headers.get('ETag')).toBe('"2"');
});

it('is the chart itself before any change', async () => {
  expect(parse(await chartOf(await newChart(chart)))).toEqual(JSON.parse(chart));
});

it('shows the current state and its present value', async () => {
  const address = await newChart(chart);
  await reportTimes(address, 'a', 1);
  expect(parse(await chartOf(address))).toMatchObject({
    states: [{ current: { value: 1 } }, { current: { value: 1 } }, {}],
  });
});

it('shows a state that was left with its last value, as the original’s file does', async () => {
  const address = await newChart(chart);
  await reportTimes(address, 'a', 2);
  await reportTimes(address, 'b', 1);
  expect(parse(await chartOf(address))).toMatchObject({
    current_state: 'b',
    states: [{ current: { value: 2 } }, { current: { value: 2 } }, {}],
  });
});

it('shows a state that was entered again with the value of this visit', async () => {
  const address = await newChart(chart);
  await reportTimes(address, 'a', 2);
  await reportTimes(address, 'b', 2);
  expect(parse(await chartOf(address))).toMatchObject({
    current_state: 'a',
    states: [{ current: { value: 0 } }, { current: { value: 3 } }, {}],
  });
});

it('can be put at another address, and continues there', async () => {
  const first = await newChart(chart);
  await reportTimes(first, 'a', 1);
  const second = await newChart(await chartOf(first));
  await reportTimes(second, 'a', 1);
  expect((await ask(second, 'b')).status).toBe(200);
  expect((await ask(first, 'a')).status).toBe(200);
});
