/** Coalescing without the platform: how a queue goes on after calls that never return. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

vi.mock('cloudflare:workers', () => ({ waitUntil: () => {} }));
vi.stubGlobal('Cloudflare', { compatibilityFlags: { handle_cross_request_promise_resolution: true } });
const { Coalescer } = await import('../../src/edge/coalesce.ts');

beforeAll(() => {
  vi.useFakeTimers();
});
afterAll(() => {
  vi.useRealTimers();
});

it('a batch that never returns holds up no call after its own have given up', async () => {
  const coalescer = new Coalescer<string, string>({ size: 256, inFlight: 1 });
  const never = () => new Promise<never>(() => {});
  void coalescer.call('machine', 'alone', never);
  const lost = coalescer.call('machine', 'in a batch', never).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(31_000);
  expect(await lost).toMatchObject({ retryable: true });
  const sent: (readonly string[])[] = [];
  const next = coalescer.call('machine', 'next', async (calls) => {
    sent.push(calls);
    return calls;
  });
  await vi.advanceTimersByTimeAsync(100);
  expect(sent).toEqual([['next']]);
  expect(await next).toBe('next');
});
