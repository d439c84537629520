/** Moving a machine by hand: through HTTP, storage and the history. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { newChart } from '../charts.ts';
import { evict, historyOf, problemOf, send } from '../service.ts';
import { sendAs, tokenFor } from '../tokens.ts';

const CHART = `
inputs: {soak: 30m}
initial: work
states:
  work:
    slots: 2
    lease: 2h
    on: {update: {target: soak, quorum: 2}}
    after: {1h: late}
  soak: {after: {inputs.soak: over}}
  late: {}
  both:
    type: parallel
    states:
      eu: {initial: step, states: {step: {}, last: {type: final}}}
      us: {initial: step, states: {step: {}, last: {type: final}}}
    onDone: over
  odd: {on: {back: work}, entry: {assign: {n: context.missing + 1}}}
  over: {type: final}
`;

const START = Date.parse('2040-06-01T12:00:00Z');
const MINUTE = 60_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

const at = (ms: number) => vi.setSystemTime(START + ms);
const override = (address: string, to: string, more = '', init: RequestInit = {}) =>
  send('POST', `/${address}/override?to=${to}&reason=by%20hand${more}`, init);
const ask = (address: string, state: string, more = '') =>
  send('GET', `/${address}/state?state=${state}${more}`);
const claim = (address: string, by: string) => send('POST', `/${address}/claims?state=work&by=${by}`);
const report = (address: string, state: string, by: string) =>
  send('PUT', `/${address}/state?state=${state}&by=${by}`);

async function statusOf(address: string) {
  return (await send('GET', `/${address}`)).json<{
    states: string[];
    status: string;
    revision: number;
    timers: { at: string }[];
    claims: unknown[];
    quorums: { have: number }[];
  }>();
}

async function begun(): Promise<string> {
  const address = await newChart(CHART);
  await ask(address, 'work');
  return address;
}

describe('an override', () => {
  it('moves the machine, and the history says who, from where, to where and why', async () => {
    const address = await begun();
    const token = await tokenFor(address, 'operate');
    const path = `/${address}/override?to=soak&reason=disk%20full&by=ann`;
    const answer = await sendAs(token, 'POST', path);
    expect([answer.status, answer.headers.get('ETag')]).toEqual([204, '"2"']);
    const { history } = await historyOf(address, '?limit=1');
    expect(history).toMatchObject([
      {
        cause: 'override',
        event: null,
        state: 'soak',
        by: 'ann',
        sub: 'tester',
        notes: ['disk full'],
        from: ['work'],
        to: ['soak'],
        entered: ['soak'],
      },
    ]);
  });

  it('ends the visit: claims, counts, reports and timers of it', async () => {
    const address = await begun();
    await claim(address, 'a');
    await claim(address, 'b');
    await report(address, 'work', 'a');
    at(10 * MINUTE);
    await override(address, 'work');
    await evict(address);
    const status = await statusOf(address);
    expect(status).toMatchObject({ states: ['work'], claims: [{ holders: [] }], quorums: [{ have: 0 }] });
    expect(status.timers).toMatchObject([{ at: '2040-06-01T13:10:00.000Z' }]);
    // The caller reports again: it is another visit.
    expect((await claim(address, 'a')).status).toBe(200);
    await report(address, 'work', 'a');
    expect(await statusOf(address)).toMatchObject({ quorums: [{ have: 1 }] });
  });

  it('sets the timers of the state that it enters, also those of inputs', async () => {
    const address = await begun();
    await override(address, 'soak');
    at(30 * MINUTE - 1);
    expect((await statusOf(address)).states).toEqual(['soak']);
    at(30 * MINUTE);
    expect((await statusOf(address)).states).toEqual(['over']);
  });

  it('moves a machine back from its end, and it goes on', async () => {
    const address = await begun();
    await override(address, 'over');
    expect(await statusOf(address)).toMatchObject({ states: ['over'], status: 'done', timers: [] });
    expect((await ask(address, 'work')).headers.has('Retry-After')).toBe(false);
    await evict(address);
    expect((await override(address, 'work')).status).toBe(204);
    await evict(address);
    expect(await statusOf(address)).toMatchObject({ states: ['work'], status: 'active' });
    for (const by of ['a', 'b']) {
      await claim(address, by);
      expect((await report(address, 'work', by)).status).toBe(200);
    }
    expect((await statusOf(address)).states).toEqual(['soak']);
  });

  it('moves one region by its path, and the other goes on', async () => {
    const address = await begun();
    await override(address, 'both');
    await override(address, 'both.eu.last');
    expect((await statusOf(address)).states).toEqual([
      'both',
      'both.eu',
      'both.eu.last',
      'both.us',
      'both.us.step',
    ]);
    await override(address, 'both.us.last');
    expect((await statusOf(address)).states).toEqual(['over']);
  });

  it('works while the machine is paused, which stays paused', async () => {
    const address = await begun();
    await send('POST', `/${address}/pause`);
    at(10 * MINUTE);
    await override(address, 'soak');
    expect(await problemOf(await ask(address, 'soak'))).toMatchObject({
      type: 'urn:stateservice:problem:paused',
    });
    at(3 * 60 * MINUTE);
    expect((await statusOf(address)).states).toEqual(['soak']);
    await send('POST', `/${address}/resume`);
    expect((await statusOf(address)).timers).toMatchObject([{ at: '2040-06-01T15:30:00.000Z' }]);
  });

  it('wakes those who wait', async () => {
    const address = await begun();
    const waiting = ask(address, 'late', '&wait=20s');
    await override(address, 'late');
    expect((await waiting).status).toBe(200);
  });

  it('begins a run that has not begun', async () => {
    const address = await newChart(CHART);
    expect((await override(`${address}@run`, 'soak')).status).toBe(204);
    expect((await statusOf(`${address}@run`)).states).toEqual(['soak']);
  });
});

describe('an override is refused', () => {
  it('without a reason, and without a state', async () => {
    const address = await begun();
    for (const query of ['to=soak', 'to=soak&reason=', 'reason=why', '']) {
      expect((await send('POST', `/${address}/override?${query}`)).status, query).toBe(400);
    }
    expect((await statusOf(address)).revision).toBe(1);
  });

  it('to a state that the chart does not have, or that several may be', async () => {
    const address = await begun();
    const unknown = await override(address, 'nothing');
    expect([unknown.status, (await problemOf(unknown)).detail]).toEqual([
      406,
      'This chart has no state "nothing"; current: "work".',
    ]);
    const several = await override(address, 'step');
    expect(several.status).toBe(400);
    expect(await several.json<object>()).toMatchObject({ candidates: ['both.eu.step', 'both.us.step'] });
  });

  it('at another revision', async () => {
    const address = await begun();
    expect((await override(address, 'soak', '', { headers: { 'If-Match': '"7"' } })).status).toBe(412);
    expect((await override(address, 'soak', '', { headers: { 'If-Match': '"1"' } })).status).toBe(204);
  });

  it('if an action of the chart fails: nothing changes, and the history says so', async () => {
    const address = await begun();
    expect(await problemOf(await override(address, 'odd'))).toMatchObject({
      type: 'urn:stateservice:problem:expression-failed',
    });
    expect((await statusOf(address)).states).toEqual(['work']);
    const { history } = await historyOf(address, '?limit=1');
    expect(history).toMatchObject([
      { cause: 'refused', state: 'odd', notes: ['by hand', expect.stringContaining('missing')] },
    ]);
  });

  it('without the right to operate', async () => {
    const address = await begun();
    const token = await tokenFor(address, 'read', 'update', 'admin');
    expect((await sendAs(token, 'POST', `/${address}/override?to=soak&reason=x`)).status).toBe(403);
  });
});
