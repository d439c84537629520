/** The members of a chart whose machine cannot begin by itself, because the chart has inputs that must be given. */
import { describe, expect, it, vi } from 'vitest';
import { formatAddress } from '../../src/address.ts';
import { Tenant } from '../../src/index.ts';
import { newAddress, newChart } from '../charts.ts';
import { evict, machinePath, objectAt, send } from '../service.ts';
import { documentOf, erase, put, reset, resource, upload, verdict } from './callers.ts';

const CHART = `
initial: work
inputs: {version: null}
states:
  work: {on: {update: {target: end, quorum: all}}}
  end: {type: final}
`;

const setMembers = (address: string, body: string, init: RequestInit = {}) =>
  send('PUT', resource(address, 'members'), { ...init, body });
const start = (address: string) => send('POST', resource(address, 'start', { version: '1' }));

async function namesOf(address: string, query: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const response = await send('GET', resource(address, 'members', query), {
    headers: { Accept: 'text/plain' },
  });
  return (await response.text()).split('\n').filter((line) => line !== '');
}

describe('a chart with an input that must be given', () => {
  it('takes members before it starts, with what they are to no state', async () => {
    const address = await newChart(CHART);
    const response = await setMembers(address, 'b zone=eu\na');
    expect([response.status, response.headers.get('ETag')]).toEqual([200, '"0"']);
    expect(await response.json()).toEqual({ total: 2, added: 2, removed: 0, relabelled: 0 });
    await evict(address);
    const none = { expected: [], working: [], reported: [], missing: [] };
    expect(await (await send('GET', resource(address, 'members'))).json()).toEqual({
      machine: address,
      total: 2,
      members: [
        { name: 'a', labels: {}, ...none },
        { name: 'b', labels: { zone: 'eu' }, ...none },
      ],
    });
    expect(await namesOf(address, { is: 'missing' })).toEqual([]);
    // The machine has not begun with it.
    expect(await verdict(await put(address, 'work', { by: 'a' }))).toBe('406 needs-inputs');
    expect(await objectAt(address).read([{ type: 'summary' }])).toMatchObject([{ code: 'no-chart' }]);
  });

  it('stays in the list of its tenant if that is read while the chart is uploaded', async () => {
    const address = newAddress();
    const { enter } = Tenant.prototype;
    vi.spyOn(Tenant.prototype, 'enter').mockImplementation(async function (this: Tenant, entered, bytes) {
      const answer = await enter.call(this, entered, bytes);
      // A list queries its machines, and one that is not there leaves.
      if (formatAddress(entered) === address) await objectAt(address).read([{ type: 'summary' }]);
      return answer;
    });
    expect((await upload(address, CHART)).status).toBe(201);
    vi.restoreAllMocks();
    expect((await start(`${address}@1`)).status).toBe(201);
  });

  it('gives them to its runs and to itself, each with a list of its own from then on', async () => {
    const address = await newChart(CHART);
    await setMembers(address, 'a\nb');
    const run = `${address}@1`;
    for (const machine of [run, address]) {
      expect((await start(machine)).status).toBe(201);
      expect(await verdict(await put(machine, 'work', { by: 'c' }))).toBe('406 not-a-member');
    }
    expect((await documentOf(address)).revision).toBe(1);
    await setMembers(address, 'c');
    expect(await namesOf(run)).toEqual(['a', 'b']);
    await start(`${address}@2`);
    expect(await namesOf(`${address}@2`)).toEqual(['c']);
    await reset(address);
    expect(await namesOf(address, { is: 'missing' })).toEqual(['c']);
  });

  it('has a list as a machine has: struck off by name, replaced and taken away', async () => {
    const address = await newChart(CHART);
    const strike = (name: string) => send('DELETE', `${machinePath(address)}/members/${name}`);
    expect(await verdict(await strike('a'))).toBe('404 no-such-member');
    await setMembers(address, 'web-01\nweb-02');
    expect(await (await strike('web-02')).json()).toEqual({ total: 1, added: 0, removed: 1, relabelled: 0 });
    expect(await (await strike('web-02')).json()).toMatchObject({
      detail: '"web-02" is not a member of this machine. Did you mean "web-01"?',
    });
    const relabelled = await setMembers(address, 'web-01 zone=eu');
    expect(await relabelled.json()).toMatchObject({ total: 1, relabelled: 1 });
    expect((await send('DELETE', resource(address, 'members'))).status).toBe(204);
    expect(await (await send('GET', resource(address, 'members'))).json()).toMatchObject({ total: null });
    expect((await start(address)).status).toBe(201);
    expect(await verdict(await put(address, 'work', { by: 'any' }))).toBe('406 no-members');
  });

  it('gives a run the newest list, though the run has asked before, and the list was taken away meanwhile', async () => {
    const address = await newChart(CHART);
    const run = `${address}@1`;
    const askRun = async () => verdict(await send('GET', resource(run, 'state', { state: 'work' })));
    for (const names of ['a', 'b', 'c']) {
      await setMembers(address, names);
      // The run's object knows this list now.
      expect(await askRun()).toBe('406 needs-inputs');
      if (names === 'b') await send('DELETE', resource(address, 'members'));
    }
    await send('DELETE', resource(address, 'members'));
    await setMembers(address, 'd');
    await start(run);
    expect(await namesOf(run)).toEqual(['d']);
  });

  it('is at no revision', async () => {
    const address = await newChart(CHART);
    const init = { headers: { 'If-Match': '"0"' } };
    expect(await verdict(await setMembers(address, 'a', init))).toBe('412 wrong-revision');
    expect(await namesOf(address)).toEqual([]);
  });

  it('forgets them with a DELETE', async () => {
    const address = await newChart(CHART);
    await setMembers(address, 'a');
    expect(await verdict(await erase(address))).toBe('204');
    expect(await namesOf(address)).toEqual([]);
    expect(await verdict(await erase(address))).toMatch(/^404/);
  });

  it('keeps them where another chart begins with its upload', async () => {
    const address = newAddress();
    await upload(address, CHART);
    await setMembers(address, 'a');
    await upload(address, CHART.replace('null', '1'));
    expect(await namesOf(address, { is: 'missing' })).toEqual(['a']);
  });
});
