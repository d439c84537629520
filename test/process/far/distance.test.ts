/** What requests cost at an edge that is 50 ms away from its object. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TIMED } from '../../slowness.ts';
import { cleanUp, temporaryFolder } from '../server.ts';
import { type Away, presentVersion, startAway } from './away.ts';
import { COUNTING } from './charts.ts';
import { Connections, quantileOf } from './connections.ts';

/** One way, ms. */
const DELAY = 25;

/**
 * How often each kind of request is measured, in turn: what disturbs one disturbs the others. A lone request is judged by
 * the fastest quarter, because other work on the machine only adds to a time; many at once by the median.
 */
const LONE = { rounds: 20, share: 0.25 };
const BURSTS = { rounds: 12, share: 0.5 };

/** A bare object, over the same way. */
const BARE = '/-/bare';
/** What is known of the way is known of each machine: one is asked over the distance, another one without it. */
const FAR = '/far/drain/state?state=drain';
const NEAR = '/far/drain@near/state?state=drain';

let away: Away;
beforeAll(async () => {
  const folder = await temporaryFolder();
  const version = await presentVersion(folder);
  away = await startAway({ folder, charts: { 'far/drain': COUNTING }, edge: version, objects: version });
});
afterAll(async () => {
  await away.stop();
  await cleanUp();
});

describe('an edge that is 50 ms away', () => {
  it('answers a lone request at most 2 ms later than a bare object does', TIMED, async () => {
    const send = await connections(1);
    const times = await inTurn(LONE, {
      bareAsk: () => send('GET', BARE),
      ask: () => send('GET', FAR),
      bareReport: () => send('PUT', BARE),
      report: () => send('PUT', FAR),
    });
    expect(times.bareAsk).toBeGreaterThan(2 * DELAY);
    expect(times.ask - times.bareAsk).toBeLessThanOrEqual(2);
    expect(times.report - times.bareReport).toBeLessThanOrEqual(2);
  });

  it(
    'answers 64 requests at once at most 1.2 round trips later at the median than without the distance',
    TIMED,
    async () => {
      const lone = await connections(1);
      const many = await connections(64);
      const times = await inTurn(BURSTS, {
        bare: () => lone('GET', BARE),
        ask: () => many('GET', FAR),
        report: () => many('PUT', FAR),
        nearAsk: () => many('GET', NEAR),
        nearReport: () => many('PUT', NEAR),
      });
      expect((times.ask - times.nearAsk) / times.bare).toBeLessThanOrEqual(1.2);
      expect((times.report - times.nearReport) / times.bare).toBeLessThanOrEqual(1.2);
    },
  );
});

/** Opens connections. @returns a function that sends a request over each of them, and returns how long they took, ms. */
async function connections(count: number) {
  const opened = await Connections.open(away.edges[0] ?? '', count);
  return async (method: string, path: string): Promise<number[]> => {
    const delay = path === NEAR ? 0 : DELAY;
    if (delay < away.link.delay) {
      away.link.delay = delay;
      // What was sent before is still on its way.
      await pause(2 * DELAY);
    }
    away.link.delay = delay;
    const answers = await opened.send(method, () => path);
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    return answers.map(({ took }) => took);
  };
}

/** Measures in turn, after a round that is not counted. @returns the quantile of each, ms. */
async function inTurn<Name extends string>(
  { rounds, share }: { readonly rounds: number; readonly share: number },
  measured: Readonly<Record<Name, () => Promise<number[]>>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(measured) as Name[];
  const times = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let i = -1; i < rounds; i++) {
    for (const name of names) {
      const took = await measured[name]();
      if (i >= 0) times.get(name)?.push(...took);
    }
  }
  return Object.fromEntries(names.map((name) => [name, quantileOf(times.get(name) ?? [], share)])) as Record<
    Name,
    number
  >;
}
