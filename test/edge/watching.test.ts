/** Watches and waits end when their token expires. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { counting, final, newChart, sequence } from '../charts.ts';
import { Socket } from '../objects/sockets.ts';
import { evict, report } from '../service.ts';
import { inSeconds, sendAs, tokenWith } from '../tokens.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const chart = sequence(counting('a', 'b', 1_000), final('b'));

async function watch(address: string, exp: number): Promise<Socket> {
  const headers = { Upgrade: 'websocket' };
  const response = await sendAs(await tokenWith({ exp }), 'GET', `/${address}/watch`, { headers });
  if (response.webSocket === null) throw new Error(`it was answered ${response.status}`);
  return new Socket(response.webSocket);
}

describe('a WebSocket', () => {
  it.each([
    ['awake', false],
    ['asleep', true],
  ])('is closed when its token expires, and others are not: the object was %s', async (_, sleeps) => {
    const address = await newChart(chart);
    const short = await watch(address, inSeconds(60));
    const long = await watch(address, inSeconds(600));
    await report(address, 'a');
    expect((await short.next()).id).toBe(2);
    if (sleeps) await evict(address);
    vi.setSystemTime(Date.now() + 61_000);
    await report(address, 'a');
    expect(await short.closed).toEqual({ code: 1008, reason: 'the token has expired' });
    expect((await long.take(2)).map(({ id }) => id)).toEqual([2, 3]);
    long.close();
  });

  it('cannot be kept open longer by a parameter', async () => {
    const address = await newChart(chart);
    const headers = { Upgrade: 'websocket' };
    const token = await tokenWith({ exp: inSeconds(60) });
    // A caller cannot set the edge's own parameters.
    const response = await sendAs(token, 'GET', `/${address}/watch?until=99999999999999`, { headers });
    expect([response.status, response.webSocket]).toEqual([400, null]);
  });
});

describe('a stream of events', () => {
  it('ends when its token expires', async () => {
    const address = await newChart(chart);
    const token = await tokenWith({ exp: inSeconds(60) });
    const response = await sendAs(token, 'GET', `/${address}/watch`);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    await report(address, 'a');
    let text = '';
    while (!text.includes('id: 2')) text += (await reader?.read())?.value ?? '';
    vi.setSystemTime(Date.now() + 61_000);
    await report(address, 'a');
    for (;;) {
      const { value = '', done = true } = (await reader?.read()) ?? {};
      text += value;
      if (done) break;
    }
    expect(text).not.toContain('id: 3');
  });
});

describe('a wait', () => {
  it.each([
    ['for a state', '/state?state=b&wait=30s', {}, 406],
    ['for the next revision', '?wait=30s', { 'If-None-Match': '"1"' }, 304],
  ])(
    '%s ends with its token',
    async (_, path, headers, status) => {
      vi.useRealTimers();
      const address = await newChart(chart);
      const token = await tokenWith({ exp: inSeconds(2) });
      const response = await sendAs(token, 'GET', `/${address}${path}`, { headers });
      expect(response.status).toBe(status);
    },
    10_000,
  );
});
