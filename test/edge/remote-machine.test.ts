/** The answer to a caller if the connection to the machine's object is lost before, during or after the commit. */
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Command } from '../../src/commands.ts';
import { app } from '../../src/edge/app.ts';
import type { Env } from '../../src/edge/env.ts';
import type { Query } from '../../src/objects/results.ts';
import { counting, final, newChart, sequence } from '../charts.ts';
import { ask, problemOf, statusOf } from '../service.ts';

const drain = sequence(counting('drain', 'done', 9), final('done'));

type When = 'before' | 'after';

/** An error as the platform throws it at the edge. */
function trouble(marks: Readonly<Record<string, boolean>>): Error {
  return Object.assign(new Error('Network connection lost.'), marks);
}

/** Sends a request over a connection that is cut `times` times, before or after the object was reached. An overloaded object is not reached. */
async function over(
  times: number,
  when: When,
  path: string,
  init: RequestInit = {},
  ...marks: Readonly<Record<string, boolean>>[]
) {
  let cuts = 0;
  const cut = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    const isCut = cuts < times;
    const error = trouble(marks[cuts] ?? marks.at(-1) ?? { retryable: true });
    cuts += 1;
    if (isCut && (when === 'before' || 'overloaded' in error)) throw error;
    const result = await call();
    if (isCut) throw error;
    return result;
  };
  const namespace = {
    getByName(name: string) {
      const stub = env.MACHINES.getByName(name);
      return {
        execute: (commands: Command[]) => cut(async () => stub.execute(commands)),
        read: (queries: Query[]) => cut(async () => stub.read(queries)),
      };
    },
  };
  const platform = { ...env, MACHINES: namespace } as unknown as Env;
  return app.request(path, init, platform);
}

async function countOf(address: string): Promise<number | undefined> {
  return (await statusOf(address)).quorums[0]?.have;
}

async function begun(): Promise<string> {
  const address = await newChart(drain);
  await ask(address, 'drain');
  return address;
}

describe.each(['before', 'after'] as const)('a connection that is lost %s the commit', (when) => {
  it('is opened again for a report with a name, which counts once', async () => {
    const address = await begun();
    const path = `/${address}/state?state=drain&by=web-01`;
    expect((await over(1, when, path, { method: 'PUT' })).status).toBe(200);
    expect(await countOf(address)).toBe(1);
  });

  it('is opened again for a report with a key, which counts once', async () => {
    const address = await begun();
    const init = { method: 'PUT', headers: { 'Idempotency-Key': 'k1' } };
    expect((await over(1, when, `/${address}/state?state=drain`, init)).status).toBe(200);
    expect(await countOf(address)).toBe(1);
  });

  it('is not opened again for a report without either: the answer says that it may have been counted', async () => {
    const address = await begun();
    const response = await over(1, when, `/${address}/state?state=drain`, { method: 'PUT' });
    // Not one of the statuses at which curl --retry sends the report again: 408, 429, 500, 502, 503, 504, 522, 524.
    expect(response.status).toBe(520);
    expect(response.headers.get('Retry-After')).toBeNull();
    expect((await problemOf(response)).type).toBe('urn:stateservice:problem:outcome-unknown');
    expect(await countOf(address)).toBe(when === 'after' ? 1 : 0);
  });

  it('is opened again for a query', async () => {
    const address = await begun();
    expect((await over(1, when, `/${address}/state?state=drain`)).status).toBe(200);
  });

  it('is reported as lost if it is lost again, and a repeated report counts once', async () => {
    const address = await begun();
    const path = `/${address}/state?state=drain&by=web-01`;
    const response = await over(2, when, path, { method: 'PUT' });
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect((await problemOf(response)).type).toBe('urn:stateservice:problem:lost');
    expect((await over(0, when, path, { method: 'PUT' })).status).toBe(200);
    expect(await countOf(address)).toBe(1);
  });
});

describe('a machine that has too much to do', () => {
  it('says nothing of a call that was lost before', async () => {
    const address = await begun();
    const path = `/${address}/state?state=drain&by=web-01`;
    const troubles = [{ retryable: true }, { overloaded: true, retryable: true }];
    const response = await over(2, 'after', path, { method: 'PUT' }, ...troubles);
    expect(response.status).toBe(503);
    expect((await problemOf(response)).type).toBe('urn:stateservice:problem:lost');
    expect(await countOf(address)).toBe(1);
  });

  it('has counted nothing, and says when to come again', async () => {
    const address = await begun();
    const marks = { overloaded: true, retryable: true };
    const response = await over(1, 'before', `/${address}/state?state=drain`, { method: 'PUT' }, marks);
    expect(response.status).toBe(503);
    expect((await problemOf(response)).type).toBe('urn:stateservice:problem:overloaded');
    expect(await countOf(address)).toBe(0);
  });

  it('spreads its callers', async () => {
    const address = await begun();
    const marks = { overloaded: true, retryable: true };
    const waits = new Set<string | null>();
    for (let i = 0; i < 40; i++) {
      const response = await over(1, 'before', `/${address}/state?state=drain`, {}, marks);
      waits.add(response.headers.get('Retry-After'));
    }
    expect(waits.size).toBeGreaterThan(1);
  });
});

describe('a refusal of a newer object, which this edge does not know', () => {
  const newer = { ok: false, code: 'not-in-season', detail: 'It is not in season.', retryAfter: 9 };
  const refusal = { ...newer, machine: { revision: 7, states: ['drain'], waiting: [] } };
  const platform = {
    ...env,
    MACHINES: {
      getByName: () => ({
        execute: async (commands: Command[]) => commands.map(() => refusal),
        read: async (queries: Query[]) => queries.map(() => refusal),
        fetch: async () => Response.json(refusal, { status: 400 }),
      }),
    },
  } as unknown as Env;
  const upgrade = { headers: { Upgrade: 'websocket' } };
  const requests: readonly [string, RequestInit][] = [
    ['state?state=drain', {}],
    ['state?state=drain&wait=9s', {}],
    ['state?state=drain&wait=9s&max-stale=9s', {}],
    ['state?state=drain&by=a', { method: 'PUT' }],
    ['watch', {}],
    ['watch', upgrade],
  ];

  it.each(requests)('is one that it knows: %s %o', async (path, init) => {
    const address = await newChart(drain);
    const response = await app.request(`/${address}/${path}`, init, platform);
    expect(await problemOf(response)).toMatchObject({
      type: 'urn:stateservice:problem:unsupported',
      status: 503,
      detail: newer.detail,
    });
    expect(response.headers.get('Retry-After')).toBe('5');
  });
});
