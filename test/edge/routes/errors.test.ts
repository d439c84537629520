/** Unexpected faults: the caller learns only that one happened; the log has the rest. */
import { env } from 'cloudflare:workers';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { app } from '../../../src/edge/app.ts';
import type { Env } from '../../../src/edge/env.ts';
import { counting, final, newChart, sequence } from '../../charts.ts';
import { ask, inStorage, problemOf, report, send } from '../../service.ts';

const log = vi.spyOn(console, 'error');
beforeEach(() => {
  log.mockClear().mockImplementation(() => {});
});
afterAll(() => {
  log.mockRestore();
});

describe('a fault', () => {
  it('is 500 without internal details, and is logged', async () => {
    const address = await newChart(sequence(counting('a', 'b'), final('b')));
    await ask(address, 'a');
    await inStorage(address, ({ sql }) => {
      sql.exec("UPDATE machine SET entries = 7, snapshot = '{secret'");
    });
    for (const method of ['GET', 'PUT']) {
      log.mockClear();
      const response = await send(method, `/${address}/state?state=a`);
      expect(response.status).toBe(500);
      const body = JSON.stringify(await problemOf(response));
      expect(body).toContain('urn:stateservice:problem:internal-error');
      expect(body).not.toMatch(/secret|JSON|SyntaxError|SQL|\.ts|at /);
      expect(log).toHaveBeenCalled();
      expect(log.mock.calls.flat().map(String).join(' ')).toMatch(/JSON/);
    }
  });

  it('is 500 for every thrown error', async () => {
    for (const thrown of [new Error('boom'), new TypeError('boom'), new RangeError('boom')]) {
      const address = await newChart(sequence(final('a')));
      const response = await askPlatformThat(thrown, address);
      expect(response.status).toBe(500);
      expect(response.headers.get('Retry-After')).toBeNull();
      expect(await response.text()).not.toContain('boom');
      expect(log).toHaveBeenCalledWith(`GET /${address}/state failed`, thrown);
    }
  });
});

describe('a platform that is overloaded, or moves the object', () => {
  it.each([
    ['overloaded', 'overloaded', { overloaded: true }],
    ['overloaded, not retryable', 'overloaded', { overloaded: true, retryable: false }],
    ['retryable', 'lost', { retryable: true }],
    ['retryable, from another region', 'lost', { retryable: true, remote: true }],
    ['reset', 'lost', { durableObjectReset: true }],
  ])('is 503 with Retry-After: %s', async (_, code, marks) => {
    const response = await askPlatformThat(
      Object.assign(new Error('Durable Object is moving'), marks),
      await newChart(sequence(final('a'))),
    );
    expect(response.status).toBe(503);
    expect(response.headers.get('Retry-After')).toMatch(/^[1-9]\d*$/);
    expect(await problemOf(response)).toMatchObject({
      type: `urn:stateservice:problem:${code}`,
      status: 503,
    });
  });

  it('is 500 if the platform marks the error as the object’s own', async () => {
    const own = Object.assign(new Error('boom'), { overloaded: false, retryable: false, remote: true });
    expect((await askPlatformThat(own, await newChart(sequence(final('a'))))).status).toBe(500);
  });
});

it('a storage that refuses to write fails the report, keeps the state before it, and counts on afterwards', async () => {
  const address = await newChart(sequence(counting('a', 'b', 3), final('b')));
  expect((await report(address, 'a')).status).toBe(200);
  await inStorage(address, ({ sql }) => {
    sql.exec("CREATE TRIGGER full BEFORE UPDATE ON machine BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  });
  const failed = await report(address, 'a');
  expect(failed.status).toBe(500);
  expect(await failed.text()).not.toContain('disk full');
  expect(log).toHaveBeenCalled();
  expect((await ask(address, 'a')).headers.get('ETag')).toBe('"2"');
  await inStorage(address, ({ sql }) => {
    sql.exec('DROP TRIGGER full');
    const rows = sql.exec('SELECT revision FROM history ORDER BY slot').toArray();
    expect(rows).toEqual([{ revision: 1 }, { revision: 2 }]);
  });
  expect((await report(address, 'a')).headers.get('ETag')).toBe('"3"');
  expect((await report(address, 'a')).headers.get('ETag')).toBe('"4"');
  expect((await ask(address, 'b')).status).toBe(200);
});

/** Sends a request through an `env` whose platform throws `error` instead of calling the object. */
async function askPlatformThat(error: Error, address: string): Promise<Response> {
  const machine = { read: () => Promise.reject(error) };
  const platform = { ...env, MACHINES: { getByName: () => machine } } as unknown as Env;
  return app.request(`/${address}/state?state=a`, {}, platform);
}
