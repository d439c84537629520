/** Bodies: read up to a bound of bytes and of time. */
import { Context } from 'hono';
import { afterEach, expect, it, vi } from 'vitest';
import { DATA_BYTES, WEBHOOK_BYTES } from '../../src/chart-limits.ts';
import { readText } from '../../src/edge/body.ts';
import { BODY_WAIT, FLEETLOCK_BYTES } from '../../src/request-limits.ts';
import { newAddress, newChart } from '../charts.ts';
import { problemOf, send } from '../service.ts';
import { sendWith } from '../tokens.ts';

const CHART = 'initial: a\nstates: {a: {}}\n';

afterEach(() => {
  vi.restoreAllMocks();
});

/** A body whose parts come a moment apart. Its end never comes if it is `stalled`. */
function bodyOf(parts: readonly string[], isStalled = false): ReadableStream<Uint8Array> {
  const bytes = parts.map((part) => new TextEncoder().encode(part));
  return new ReadableStream({
    pull(controller) {
      const next = bytes.shift();
      if (next !== undefined) controller.enqueue(next);
      else if (!isStalled) controller.close();
      else return new Promise(() => {});
    },
  });
}

it('a body that stalls is 408', async () => {
  const delays = shortenBodyWait();
  const body = bodyOf(['init'], true);
  const response = await sendWith({}, 'PUT', `/${newAddress()}/chart`, { body });
  expect(response.status).toBe(408);
  expect(delays).toContain(BODY_WAIT);
});

/**
 * Fires the timer of a body at once, and records the delays of the timers. Other timers stay real: objects of
 * the same isolate set them too, and a faked timer runs in the test's context, where their work is refused.
 */
function shortenBodyWait(): readonly unknown[] {
  const delays: unknown[] = [];
  const { setTimeout } = globalThis;
  vi.spyOn(globalThis, 'setTimeout').mockImplementation((callback, delay, ...rest) => {
    delays.push(delay);
    return setTimeout(callback, delay === BODY_WAIT ? 1 : delay, ...rest);
  });
  return delays;
}

it('a report whose data stall is 408 and does not count, one whose data are too long 413', async () => {
  const address = await newChart('initial: a\nstates: {a: {on: {update: b}}, b: {}}\n');
  shortenBodyWait();
  const path = `/${address}/state?state=a`;
  expect((await sendWith({}, 'PUT', path, { body: bodyOf(['{"n":', '1'], true) })).status).toBe(408);
  const long = bodyOf(['"', 'x'.repeat(DATA_BYTES)], true);
  expect((await sendWith({}, 'PUT', path, { body: long })).status).toBe(413);
  expect((await send('GET', path)).status).toBe(200);
  expect((await sendWith({}, 'PUT', path, { body: bodyOf(['{"n":', '1', '}']) })).status).toBe(200);
});

it('a body may come in pieces, also within a character', async () => {
  const address = newAddress();
  const text = `# état\n${CHART}`;
  const bytes = [...new TextEncoder().encode(text)].map((byte) => Uint8Array.of(byte));
  const body = new ReadableStream({
    pull(controller) {
      const next = bytes.shift();
      if (next === undefined) controller.close();
      else controller.enqueue(next);
    },
  });
  expect((await sendWith({}, 'PUT', `/${address}/chart`, { body })).status).toBe(201);
  expect(await (await send('GET', `/${address}/chart`)).text()).toBe(text);
});

it('a body that is too large is not read to its end', async () => {
  const headers = { 'fleet-lock-protocol': 'true' };
  const body = bodyOf(['x'.repeat(FLEETLOCK_BYTES), 'x'], true);
  const response = await sendWith({}, 'POST', `/${await newChart(CHART)}/v1/pre-reboot`, { headers, body });
  expect(response.status).toBe(413);
});

it('of a webhook that is too large for data only the beginning stays in memory; the rest is checked', async () => {
  const part = '0'.repeat(1_000);
  const parts = Array.from({ length: 100 }, () => part);
  const c = new Context(new Request('http://localhost/', { method: 'POST', body: bodyOf(parts) }));
  const read = await readText(c, WEBHOOK_BYTES, DATA_BYTES);
  expect(read).toEqual({ ok: true, value: part.repeat(5) });
});

it('a body that is not UTF-8, or ends within a character, is refused', async () => {
  for (const bytes of [Uint8Array.of(0xff), Uint8Array.of(0x61, 0xc3)]) {
    const response = await send('PUT', `/${newAddress()}/chart`, { body: bytes });
    expect(response.status).toBe(400);
    expect((await problemOf(response)).detail).toBe('The body is not UTF-8.');
  }
});
