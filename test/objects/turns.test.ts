/** `GET …/state?state=S&by=W`: whether there is something to do for one caller. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { newChart } from '../charts.ts';
import { problemOf, send } from '../service.ts';

const CHART = `
initial: drain
states:
  drain:
    slots: 1
    cooldown: 5m
    on: {update: {target: done, quorum: 3}, abort: done}
  done: {type: final}
`;

const ask = (address: string, by: string, wait = '0s') =>
  send('GET', `/${address}/state?state=drain&by=${by}&wait=${wait}`);
const report = (address: string, by: string) => send('PUT', `/${address}/state?state=drain&by=${by}`);
const claim = (address: string, by: string) => send('POST', `/${address}/claims?state=drain&by=${by}`);
const release = (address: string, by: string) => send('DELETE', `/${address}/claims?state=drain&by=${by}`);

async function statusOf(answer: Promise<Response>): Promise<number> {
  return (await answer).status;
}

describe('an ask for one caller', () => {
  let address: string;
  beforeEach(async () => {
    address = await newChart(CHART);
  });

  it('is 200 while a slot is free, or is the caller’s own', async () => {
    expect(await statusOf(ask(address, 'a'))).toBe(200);
    expect(await statusOf(claim(address, 'a'))).toBe(200);
    expect(await statusOf(ask(address, 'a'))).toBe(200);
    const refused = await ask(address, 'b');
    expect(refused.status).toBe(406);
    expect(refused.headers.get('Retry-After')).not.toBeNull();
    expect(await problemOf(refused)).toMatchObject({ type: 'urn:stateservice:problem:slots-taken' });
  });

  it('is not the original’s question, which has no caller', async () => {
    await claim(address, 'a');
    expect(await statusOf(send('GET', `/${address}/state?state=drain`))).toBe(200);
  });

  it('is 406 without Retry-After once the caller has reported: its part is done', async () => {
    await claim(address, 'a');
    await report(address, 'a');
    const refused = await ask(address, 'a', '30s');
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([406, null]);
    expect((await problemOf(refused)).detail).toBe(
      '"a" has reported in this visit of "drain": its part is done.',
    );
  });

  it('waits until a slot is free', async () => {
    await claim(address, 'a');
    const waiting = ask(address, 'b', '20s');
    await release(address, 'a');
    expect(await statusOf(waiting)).toBe(200);
  });

  it('waits until the state is left, and ends then: it cannot come any more', async () => {
    await claim(address, 'a');
    const waiting = ask(address, 'b', '20s');
    await send('PUT', `/${address}/state?state=drain&event=abort`);
    const refused = await waiting;
    expect(refused.status).toBe(406);
    expect(await problemOf(refused)).toMatchObject({ type: 'urn:stateservice:problem:cannot-come' });
  });
});

describe('a slot with a cooldown', () => {
  it('stays taken after the report that frees it, and is free then', async () => {
    const address = await newChart(CHART);
    await claim(address, 'a');
    await report(address, 'a');
    const refused = await problemOf(await claim(address, 'b'));
    expect(refused.detail).toMatch(/^All 1 slots of "drain" are taken: in its cooldown until \S+Z\.$/);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 5 * 60_000 });
    expect(await statusOf(claim(address, 'b'))).toBe(200);
    vi.useRealTimers();
  });

  it('is free at once if it is released without a report', async () => {
    const address = await newChart(CHART);
    await claim(address, 'a');
    await release(address, 'a');
    expect(await statusOf(claim(address, 'b'))).toBe(200);
  });
});
