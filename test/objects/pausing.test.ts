/** Pausing a machine, and resuming it. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { newChart } from '../charts.ts';
import { objectAt, problemOf, send } from '../service.ts';
import { sendAs, tokenFor } from '../tokens.ts';

const CHART = `
initial: work
states:
  work:
    slots: 2
    lease: 2h
    on: {update: {target: soak, quorum: 2}, fail: over}
    after: {1h: late}
    at: {'2040-06-01T20:00:00Z': night}
  soak: {after: {30m: over}}
  late: {}
  night: {}
  over: {type: final}
`;

const START = Date.parse('2040-06-01T12:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

const at = (ms: number) => vi.setSystemTime(START + ms);
const pause = (address: string, query = '') => send('POST', `/${address}/pause?${query}`);
const resume = (address: string, query = '') => send('POST', `/${address}/resume?${query}`);
const ask = (address: string, query = '') => send('GET', `/${address}/state?state=work${query}`);
const claim = (address: string, by: string) => send('POST', `/${address}/claims?state=work&by=${by}`);
const report = (address: string, by: string) => send('PUT', `/${address}/state?state=work&by=${by}`);

async function statusOf(address: string) {
  return (await send('GET', `/${address}`)).json<{
    states: string[];
    paused: { until: string | null; reason: string | null } | null;
    timers: { at: string }[];
  }>();
}

async function statesOf(address: string): Promise<string[]> {
  return (await statusOf(address)).states;
}

async function begun(): Promise<string> {
  const address = await newChart(CHART);
  await ask(address);
  return address;
}

describe('while a machine is paused', () => {
  it('asks and claims are not yet, and say who, why and until when', async () => {
    const address = await begun();
    expect((await pause(address, 'by=ann&reason=disk%20full&until=2040-06-01T12:00:20Z')).status).toBe(204);
    for (const answer of [await ask(address), await ask(address, '&by=a'), await claim(address, 'a')]) {
      expect([answer.status, answer.headers.get('Retry-After')]).toEqual([406, '20']);
      expect(await problemOf(answer)).toMatchObject({
        type: 'urn:stateservice:problem:paused',
        detail: 'The machine is paused by "ann": disk full, until 2040-06-01T12:00:20.000Z.',
      });
    }
    expect((await statusOf(address)).paused).toMatchObject({ reason: 'disk full' });
  });

  it('FleetLock is refused', async () => {
    const address = await begun();
    await pause(address);
    const body = JSON.stringify({ client_params: { id: 'node', group: 'work' } });
    const headers = { 'fleet-lock-protocol': 'true' };
    const answer = await send('POST', `/${address}/v1/pre-reboot`, { body, headers });
    expect(await answer.json()).toMatchObject({ kind: 'paused' });
  });

  it('reports count and may move the machine, and a holder goes on with its work', async () => {
    const address = await begun();
    await claim(address, 'a');
    await claim(address, 'b');
    await pause(address);
    expect((await claim(address, 'a')).status).toBe(200);
    expect([(await report(address, 'a')).status, (await report(address, 'b')).status]).toEqual([200, 200]);
    expect(await statesOf(address)).toEqual(['soak']);
  });

  it('a wait goes on, and ends when the machine is resumed', async () => {
    const address = await begun();
    await pause(address);
    const waiting = ask(address, '&wait=20s');
    await resume(address);
    expect((await waiting).status).toBe(200);
  });

  it('what is relative stands still, and goes on with what was left', async () => {
    const address = await begun();
    at(20 * MINUTE);
    await pause(address);
    at(3 * HOUR);
    expect(await statesOf(address)).toEqual(['work']);
    await resume(address);
    at(3 * HOUR + 40 * MINUTE - 1);
    expect(await statesOf(address)).toEqual(['work']);
    at(3 * HOUR + 40 * MINUTE);
    expect(await statesOf(address)).toEqual(['late']);
  });

  it('a relative timer that is set meanwhile has all its time left', async () => {
    const address = await begun();
    await claim(address, 'a');
    await claim(address, 'b');
    at(20 * MINUTE);
    await pause(address);
    at(30 * MINUTE);
    await report(address, 'a');
    await report(address, 'b');
    at(50 * MINUTE);
    await resume(address);
    at(80 * MINUTE - 1);
    expect(await statesOf(address)).toEqual(['soak']);
    at(80 * MINUTE);
    expect(await statesOf(address)).toEqual(['over']);
  });

  it('what is by the clock follows the clock: moments and leases', async () => {
    const address = await begun();
    await claim(address, 'a');
    await pause(address);
    at(2 * HOUR);
    const { claims } = await (await send('GET', `/${address}`)).json<{ claims: { holders: unknown[] }[] }>();
    expect(claims).toMatchObject([{ holders: [] }]);
    at(8 * HOUR);
    expect(await statesOf(address)).toEqual(['night']);
  });
});

describe('a pause', () => {
  it('ends by itself at its time, also when nobody looks in between', async () => {
    const address = await begun();
    at(20 * MINUTE);
    await pause(address, 'until=2h');
    at(2 * HOUR + 20 * MINUTE + 40 * MINUTE - 1);
    expect(await statesOf(address)).toEqual(['work']);
    expect((await statusOf(address)).paused).toBeNull();
    at(3 * HOUR);
    expect(await statesOf(address)).toEqual(['late']);
  });

  it('may be given another reason and end; the timers have stood still since its beginning', async () => {
    const address = await begun();
    await pause(address, 'reason=first&until=1h');
    at(30 * MINUTE);
    await pause(address, 'reason=second');
    at(2 * HOUR);
    expect((await statusOf(address)).paused).toMatchObject({ reason: 'second', until: null });
    await resume(address);
    expect((await statusOf(address)).timers[0]?.at).toBe('2040-06-01T15:00:00.000Z');
  });

  it('that arrives after its end, while the machine is paused, lets the timers go on from then', async () => {
    const address = await begun();
    await pause(address, 'reason=first');
    at(2 * HOUR);
    // Its end was to come when the edge read it.
    const late = { type: 'pause', reason: 'second', until: START + HOUR } as const;
    expect(await objectAt(address).execute([late])).toMatchObject([{ ok: true }]);
    expect((await statusOf(address)).paused).toBeNull();
    expect((await statusOf(address)).timers[0]?.at).toBe('2040-06-01T15:00:00.000Z');
  });

  it('is kept by a reset, and gone with the machine', async () => {
    const address = await begun();
    await pause(address);
    await send('POST', `/${address}/reset`);
    expect((await ask(address)).status).toBe(406);
    await send('DELETE', `/${address}`);
    expect((await ask(address)).status).toBe(200);
  });

  it('of a machine at its end is 409; resuming what is not paused changes nothing', async () => {
    const address = await begun();
    const before = (await send('GET', `/${address}`)).headers.get('ETag');
    expect((await resume(address)).headers.get('ETag')).toBe(before);
    await send('PUT', `/${address}/state?state=work&event=fail`);
    expect((await pause(address)).status).toBe(409);
  });

  it.each(['until=yesterday', 'until=2040-06-01T11:59:59Z', 'until=5', 'reason=', 'untl=1h'])(
    'is refused with %s',
    async (query) => {
      expect((await pause(await begun(), query)).status).toBe(400);
    },
  );

  it('is in the history with who and why, and so is its end', async () => {
    const address = await begun();
    await pause(address);
    expect((await resume(address, 'reason=')).status).toBe(400);
    await resume(address, 'by=ben&reason=disk%20replaced');
    await pause(address, 'by=ann&reason=disk%20full&until=1h');
    at(HOUR);
    await ask(address);
    const { history } = await (await send('GET', `/${address}/history?limit=3`)).json<{
      history: { cause: string; by: string | null; notes: string[] }[];
    }>();
    expect(history).toMatchObject([
      { cause: 'resume', by: null, notes: ['the time of the pause is over'] },
      { cause: 'pause', by: 'ann', notes: ['disk full', 'until 2040-06-01T13:00:00.000Z'] },
      { cause: 'resume', by: 'ben', notes: ['disk replaced'] },
    ]);
  });

  it('needs the right to operate', async () => {
    const address = await begun();
    for (const [right, status] of [
      ['admin', 403],
      ['update', 403],
      ['operate', 204],
    ] as const) {
      const token = await tokenFor('*', right);
      expect((await sendAs(token, 'POST', `/${address}/pause`)).status).toBe(status);
    }
  });
});
