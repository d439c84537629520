/** `GET {machine}/chart`. `../chart/write.test.ts` tests how a chart is written. */
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { counting, final, newAddress, newChart, sequence } from '../../charts.ts';
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

it('is there also while the machine cannot begin, because inputs must be given', async () => {
  const address = newAddress();
  const text = '# Nightly.\ninitial: a\ninputs: {host: null}\nstates: {a: {on: {go: b}}, b: {type: final}}\n';
  await send('PUT', `/${address}/chart`, { body: text });
  for (const [path, headers] of [
    [address, {}],
    [`${address}@7`, {}],
    [address, { Accept: 'text/html' }],
  ] as const) {
    const response = await send('GET', `/${path}/chart?raw=true`, { headers });
    expect([response.status, response.headers.get('ETag')]).toEqual([200, '"0"']);
    expect(response.headers.get('Content-Type')).toBe('application/yaml');
    expect(await response.text()).toBe(text);
  }
  expect((await ask(address, 'a')).status).toBe(406);
  expect((await send('POST', `/${address}/start?host=web-01`)).status).toBe(201);
  const begun = await send('GET', `/${address}/chart`);
  expect([begun.headers.get('ETag'), await begun.text()]).toEqual(['"1"', text]);
});

it('is 404 once such a chart is deleted', async () => {
  const address = newAddress();
  await send('PUT', `/${address}/chart`, { body: 'initial: a\ninputs: {x: null}\nstates: {a: {}}' });
  await send('DELETE', `/${address}`);
  expect((await send('GET', `/${address}/chart`)).status).toBe(404);
});

it('can be put at another address, and continues there', async () => {
  const first = await newChart(chart);
  await reportTimes(first, 'a', 1);
  const second = await newChart(await chartOf(first));
  await reportTimes(second, 'a', 1);
  expect((await ask(second, 'b')).status).toBe(200);
  expect((await ask(first, 'a')).status).toBe(200);
});

it('is of one chart, though another is uploaded or the machine is deleted while it is written', async () => {
  const row = (name: string) =>
    sequence(
      ...Array.from({ length: 900 }, (_, i) => counting(`${name}${i}`, `${name}${i + 1}`)),
      final(`${name}900`),
    );
  const [old, next] = [row('old'), row('new')];
  for (const change of ['upload', 'deletion']) {
    const address = await newChart(old);
    await reportTimes(address, 'old0', 1);
    // Read already: the upload takes one turn.
    await send('PUT', `/${address}x/chart?dry_run=true`, { body: next });
    const [response] = await Promise.all([
      send('GET', `/${address}/chart`),
      change === 'upload'
        ? send('PUT', `/${address}/chart?reset=true`, { body: next })
        : send('DELETE', `/${address}`),
    ]);
    expect([200, 404]).toContain(response.status);
    if (response.status !== 200) continue;
    const { current_state, states } = parse(await response.text());
    const names = new Set(states.map(({ name }: { name: string }) => name.replace(/\d+/, '')));
    expect([...names]).toEqual([current_state.replace(/\d+/, '')]);
  }
});
