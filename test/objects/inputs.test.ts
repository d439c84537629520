/** Inputs: given when a run starts, changed while it runs. */

import { describe, expect, it, vi } from 'vitest';
import { CHART_INPUTS } from '../../src/chart-limits.ts';
import { newAddress, newChart } from '../charts.ts';
import { problemOf, send } from '../service.ts';

const ROLLOUT = `
initial: fleet
inputs: {machines: 2, batch: 1, soak: 30m, note: "", version: null}
states:
  fleet:
    slots: inputs.batch
    on: {update: {target: soak, quorum: inputs.machines}, skip: {target: done, guard: 'inputs.version == "2.0"'}}
  soak: {after: {inputs.soak: done}}
  done: {type: final}
`;

const start = (address: string, query: string) => send('POST', `/${address}/start?${query}`);
const change = (address: string, query: string, init: RequestInit = {}) =>
  send('PATCH', `/${address}/inputs?${query}`, init);
const claim = (address: string, by: string) => send('POST', `/${address}/claims?state=fleet&by=${by}`);
const report = (address: string, by: string) => send('PUT', `/${address}/state?state=fleet&by=${by}`);

async function statusOf(address: string) {
  return (await send('GET', `/${address}`)).json<{
    states: string[];
    inputs: object;
    started: string | null;
  }>();
}

async function started(query = ''): Promise<string> {
  const address = await newChart(ROLLOUT);
  expect((await start(address, `version=1.0&${query}`)).status).toBe(201);
  return address;
}

describe('a run whose chart has an input that must be given', () => {
  it('is not started by asking or reporting, which say how to start it', async () => {
    const run = `${await newChart(ROLLOUT)}@1`;
    for (const [method, path] of [
      ['GET', '/state?state=fleet'],
      ['PUT', '/state?state=fleet'],
      ['GET', ''],
    ] as const) {
      const answer = await send(method, `/${run}${path}`);
      expect([answer.status, answer.headers.has('Retry-After')]).toEqual([406, true]);
      expect(await problemOf(answer)).toMatchObject({
        type: 'urn:stateservice:problem:needs-inputs',
        detail: `The chart of ${run} has inputs that must be given: version. Start it with POST /${run}/start?version=…`,
      });
    }
  });

  it('is started with it, and with the defaults of the others', async () => {
    const run = `${await newChart(ROLLOUT)}@1`;
    expect((await start(run, 'version=1.0&machines=3')).status).toBe(201);
    expect((await statusOf(run)).inputs).toEqual({
      machines: 3,
      batch: 1,
      soak: '30m',
      note: '',
      version: '1.0',
    });
  });

  it('is started with the text as it is given, by a query and by JSON', async () => {
    const run = `${await newChart(ROLLOUT)}@1`;
    for (const version of ['2.10', '20261124093000123', '0012']) {
      if (version === '2.10') await start(run, 'version=2.10');
      else await change(run, '', { body: JSON.stringify({ version }) });
      expect((await statusOf(run)).inputs).toMatchObject({ version });
    }
    await change(run, 'version=2.5');
    expect((await statusOf(run)).inputs).toMatchObject({ version: 2.5 });
  });

  it('is started with the inputs of a body: they were ignored, and it started with the defaults', async () => {
    const run = `${await newChart(ROLLOUT)}@1`;
    const body = '{"machines": 5, "version": "2.10"}';
    expect((await send('POST', `/${run}/start?batch=3`, { body })).status).toBe(201);
    expect((await statusOf(run)).inputs).toMatchObject({ machines: 5, batch: 3, version: '2.10' });
    expect((await send('POST', `/${run}/start?batch=3`, { body })).status).toBe(204);
    const form = await send('POST', `/${run}/start`, { body: 'version=2.10' });
    expect([form.status, (await problemOf(form)).detail]).toEqual([
      400,
      'The body must be a JSON object of inputs, such as {"batch": 10}.',
    ]);
  });

  it('is started with as many inputs as a chart can have', async () => {
    const names = Array.from({ length: CHART_INPUTS }, (_, i) => `input${i}`);
    const inputs = names.map((name) => `${name}: null`).join(', ');
    const run = `${await newChart(`initial: a\ninputs: {${inputs}}\nstates: {a: {type: final}}`)}@1`;
    expect((await start(run, names.map((name, i) => `${name}=${i}`).join('&'))).status).toBe(201);
    expect((await statusOf(run)).inputs).toEqual(Object.fromEntries(names.map((name, i) => [name, i])));
  });

  it('may be uploaded, also to an address without a machine; then it is there to be started', async () => {
    const address = newAddress();
    expect((await send('PUT', `/${address}/chart`, { body: ROLLOUT })).status).toBe(201);
    expect((await send('GET', `/${address}/state?state=fleet`)).status).toBe(406);
    expect((await start(`${address}@1`, 'version=2')).status).toBe(201);
    expect((await start(address, 'version=2')).status).toBe(201);
    expect((await send('DELETE', `/${address}`)).status).toBe(204);
  });

  it('is gone after a DELETE, though it has not been started', async () => {
    const address = newAddress();
    await send('PUT', `/${address}/chart`, { body: ROLLOUT });
    expect((await send('DELETE', `/${address}`)).status).toBe(204);
    expect((await send('GET', `/${address}/state?state=fleet`)).status).toBe(404);
  });
});

describe('a start', () => {
  it('counts once: a repeat with the same inputs changes nothing, with others it is 409', async () => {
    const address = await started('machines=3');
    expect((await start(address, 'version=1.0&machines=3')).status).toBe(204);
    const refused = await start(address, 'version=2.0&machines=4&batch=1');
    expect(refused.status).toBe(409);
    expect(await problemOf(refused)).toMatchObject({
      type: 'urn:stateservice:problem:other-inputs',
      detail:
        'The run has begun with other inputs: machines=3, version="1.0". Change them with PATCH …/inputs, or start another run.',
    });
  });

  it('is refused whole with every input that is unknown, missing or wrong', async () => {
    const address = await newChart(ROLLOUT);
    const refused = await start(address, 'machnes=3&batch=many&soak=soon');
    expect(refused.status).toBe(422);
    const { inputs } = (await problemOf(refused)) as { inputs?: { input: string; message: string }[] };
    expect(inputs).toEqual([
      { input: 'machnes', message: 'The chart has no input "machnes"; did you mean "machines"?' },
      {
        input: 'batch',
        message: '`batch` must be a whole number from 1 to 1000, or a share such as 10%.',
      },
      { input: 'soak', message: '`soak` must be a duration of at least 1s, such as 90s or 30m.' },
      { input: 'version', message: '`version` must be given: it has no default.' },
    ]);
    expect((await send('GET', `/${address}/state?state=fleet`)).status).toBe(406);
  });
});

describe('inputs', () => {
  it('are what slots, quorums, delays and guards go by', async () => {
    const address = await started('machines=2&batch=1&soak=10m');
    expect((await claim(address, 'a')).status).toBe(200);
    expect((await claim(address, 'b')).status).toBe(406);
    await report(address, 'a');
    await claim(address, 'b');
    await report(address, 'b');
    expect((await statusOf(address)).states).toEqual(['soak']);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 60_000 });
    expect((await statusOf(address)).states).toEqual(['done']);
    vi.useRealTimers();
  });

  it('are changed while the run is under way: more may come at once, nobody is thrown out', async () => {
    const address = await started('machines=9&batch=1');
    await claim(address, 'a');
    const waiting = send('GET', `/${address}/state?state=fleet&by=b&wait=20s`);
    expect((await change(address, 'batch=2')).status).toBe(204);
    expect((await waiting).status).toBe(200);
    expect((await claim(address, 'b')).status).toBe(200);
    expect((await change(address, '', { body: '{"batch": 1}' })).status).toBe(204);
    // Both go on with their work.
    expect([(await claim(address, 'a')).status, (await claim(address, 'b')).status]).toEqual([200, 200]);
    expect((await claim(address, 'c')).status).toBe(406);
  });

  it('that a quorum counts to are changed to what has reported: its transition is taken at once', async () => {
    const run = await started('machines=3&batch=3');
    for (const by of ['a', 'b']) {
      await claim(run, by);
      await report(run, by);
    }
    await change(run, 'machines=2');
    expect((await statusOf(run)).states).toEqual(['soak']);
    const response = await send('GET', `/${run}/history?limit=2`);
    const { history } = await response.json<{
      history: { cause: string; state: string; notes: string[] }[];
    }>();
    expect(history).toMatchObject([
      { cause: 'inputs', state: 'fleet', notes: ['2 of 2 have reported'] },
      { cause: 'inputs', notes: ['machines: 3 to 2'] },
    ]);
  });

  it('that are amounts may be shares, though their defaults are numbers', async () => {
    const address = await newChart(ROLLOUT);
    await send('PUT', `/${address}/members`, { body: 'a\nb\nc\nd\n' });
    expect((await start(address, 'version=1.0&batch=50%25&machines=all')).status).toBe(201);
    expect((await start(address, 'version=1.0&batch=50%25&machines=all')).status).toBe(204);
    const takes = async () =>
      (await Promise.all(['a', 'b', 'c'].map((by) => claim(address, by)))).map(({ status }) => status).sort();
    expect(await takes()).toEqual([200, 200, 406]);
    const svg = await (await send('GET', `/${address}/diagram.svg`)).text();
    expect(svg).toContain('50% at a time');
    expect((await change(address, 'batch=all')).status).toBe(204);
    expect(await takes()).toEqual([200, 200, 200]);
    for (const by of ['a', 'b', 'c']) await report(address, by);
    expect((await statusOf(address)).states).toEqual(['fleet']);
    await send('POST', `/${address}/reset`);
    expect((await statusOf(address)).inputs).toMatchObject({ batch: 'all', machines: 'all' });
    await change(address, 'machines=1');
    await claim(address, 'd');
    await report(address, 'd');
    expect((await statusOf(address)).states).toEqual(['soak']);
  });

  it('that an `always` reads are read with the next event', async () => {
    const address = await newChart(`
initial: a
inputs: {open: false, enough: 2}
states:
  a: {always: {target: b, guard: inputs.open}, on: {note: {actions: [{assign: {n: 1}}]}}}
  b: {always: {target: c, guard: inputs.enough == 1}, on: {go: {target: b, quorum: inputs.enough}}}
  c: {}
`);
    const states = async () => (await statusOf(address)).states;
    await start(address, '');
    await change(address, 'open=true');
    expect(await states()).toEqual(['a']);
    await send('PUT', `/${address}/state?state=a&event=note`);
    expect(await states()).toEqual(['b']);
    // A transition that the change itself takes is an event.
    await send('PUT', `/${address}/state?state=b&event=go`);
    await change(address, 'enough=1');
    expect(await states()).toEqual(['c']);
  });

  it('leave an entry in the history: what changed', async () => {
    const address = await started();
    await change(address, 'batch=5');
    const { history } = await (await send('GET', `/${address}/history?limit=1`)).json<{
      history: { cause: string; notes: string[] }[];
    }>();
    expect(history).toMatchObject([{ cause: 'inputs', notes: ['batch: 1 to 5'] }]);
  });

  it('change nothing where they are the same, and not at another revision', async () => {
    const address = await started();
    const before = (await send('GET', `/${address}`)).headers.get('ETag');
    expect((await change(address, 'batch=1')).headers.get('ETag')).toBe(before);
    expect((await change(address, 'batch=2', { headers: { 'If-Match': '"999"' } })).status).toBe(412);
  });

  it.each(['[1]', '{"batch": {}}', '{', '"x"'])('in a body %s are refused', async (body) => {
    expect((await change(await started(), '', { body })).status).toBe(400);
  });

  it('are kept by a reset', async () => {
    const address = await started('machines=7');
    await send('POST', `/${address}/reset`);
    expect((await statusOf(address)).inputs).toMatchObject({ machines: 7, version: '1.0' });
  });
});

describe('inputs with which the chart cannot start', () => {
  const MAJOR = `
initial: a
inputs: {version: "2.1"}
context: {major: 0}
states: {a: {entry: [{assign: {major: double(inputs.version)}}], on: {update: b}}, b: {}}
`;
  const refused = {
    type: 'urn:stateservice:problem:wrong-inputs',
    detail: expect.stringMatching(/^Nothing has changed: the chart cannot start with these inputs: assign /),
  };

  it('start no run: it can be started with others', async () => {
    const run = `${await newChart(MAJOR)}@1`;
    const answer = await start(run, 'version=two');
    expect(answer.status).toBe(422);
    expect(await problemOf(answer)).toMatchObject(refused);
    expect((await statusOf(run)).started).toBeNull();
    expect((await start(run, 'version=3')).status).toBe(201);
  });

  it('refuse a reset, and an upload that starts the machine again', async () => {
    const address = await newChart(MAJOR);
    expect((await change(address, 'version=two')).status).toBe(204);
    const before = await statusOf(address);
    const body = MAJOR.replace('b: {}', 'b: {}, c: {}');
    for (const answer of [
      await send('POST', `/${address}/reset`),
      await send('PUT', `/${address}/chart?reset=true`, { body }),
    ]) {
      expect(answer.status).toBe(422);
      expect(await problemOf(answer)).toMatchObject(refused);
    }
    expect(await statusOf(address)).toEqual(before);
  });
});
