/** Thousands of waits at one machine: they are answered at once, and cost other requests little. */
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDescriptors } from '../../../src/cli/descriptors.ts';
import { WAITERS } from '../../../src/limits.ts';
import { measure } from '../../bench/load.ts';
import { TIMED } from '../../slowness.ts';
import { folderOf } from '../charts.ts';
import { cleanUp, type Server, startServer } from '../server.ts';
import { startLinked } from './link.ts';
import { type Call, call } from './raw.ts';

/** Both states only count updates, without an end. */
const CHART = `initial: work
states:
  work: {on: {go: next, update: {target: never, quorum: 100000000}}}
  next: {on: {update: {target: never, quorum: 100000000}}}
  never: {}
`;

let server: Server;
beforeAll(async () => {
  server = await startServer({ charts: await folderOf({ 'crowd/chart.yaml': CHART }) });
});
afterAll(cleanUp);

describe('as many waiters as one edge has places for', () => {
  it(
    'are few calls at the object at a time, and are all answered within a second of the transition',
    TIMED,
    async () => {
      const linked = await startLinked({ 'crowd/chart.yaml': CHART });
      const { waits } = await readDescriptors();
      // The test's own connections need descriptors as well.
      const count = Math.min(WAITERS, Math.floor(waits * 0.9));
      const machine = `${linked.url}/crowd/chart`;
      await updateRate(machine, 'work');
      const empty = await memoryOf(linked.workerdPid);
      await linked.calls();
      const waiters = await callAll(`${machine}/state?state=next&wait=60s`, count);
      const joining = await linked.calls();
      const full = await memoryOf(linked.workerdPid);

      expect((await fetch(`${machine}/state?state=work&event=go`, { method: 'PUT' })).status).toBe(200);
      const moved = performance.now();
      const answers = await Promise.all(waiters.map(({ answered }) => answered));
      const latest = Math.max(...answers.map(({ at }) => at)) - moved;
      const ending = await linked.calls();
      const usual = await timeToAnswer(`${linked.url}/healthz`, count);
      console.log(
        `waiters: ${count} of one edge, at most ${Math.max(joining.most, ending.most)} calls at a time, ` +
          `${joining.made + ending.made} in all; answered ${latest.toFixed(0)} ms after the transition, ` +
          `as many plain requests in ${usual.toFixed(0)} ms; ${((full - empty) / count / 1_024).toFixed(1)} KiB each, edge and connection included`,
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(Math.max(joining.most, ending.most)).toBeLessThanOrEqual(64);
      expect(joining.underWay).toBe(1);
      // A host that has other things to do answers plain requests later as well.
      expect(latest).toBeLessThan(Math.max(1_000, usual));
      await linked.stop();
    },
  );
});

describe('2,000 waiters on one machine', () => {
  const COUNT = 2_000;

  it('are all answered within a second of the transition, while updates continue', TIMED, async () => {
    const machine = `${server.url}/crowd/chart@many`;
    const before = [await updateRate(machine, 'work'), await updateRate(machine, 'work')];

    const empty = await memoryOf(server.workerdPid);
    const waiters = await callAll(`${machine}/state?state=next&wait=60s`, COUNT);
    const full = await memoryOf(server.workerdPid);
    const during = [await updateRate(machine, 'work'), await updateRate(machine, 'work')];

    expect((await fetch(`${machine}/state?state=work&event=go`, { method: 'PUT' })).status).toBe(200);
    const moved = performance.now();
    const answers = await Promise.all(waiters.map(({ answered }) => answered));
    const latest = Math.max(...answers.map(({ at }) => at)) - moved;
    const after = [await updateRate(machine, 'next'), await updateRate(machine, 'next')];

    const usual = mean([...before, ...after]);
    const ratio = mean(during) / usual;
    console.log(
      `waiters: ${COUNT} answered ${latest.toFixed(0)} ms after the transition; ` +
        `${mean(during).toFixed(0)} updates/s meanwhile, ${(100 * ratio).toFixed(0)} % of ${usual.toFixed(0)}; ` +
        `${((full - empty) / COUNT / 1_024).toFixed(1)} KiB each`,
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(latest).toBeLessThan(1_000);
    expect(ratio).toBeGreaterThan(0.5);
  });
});

describe('clients that disconnect during a wait', () => {
  const COUNT = 4_000;
  const ROUNDS = 3;

  it('leave nothing behind after the limit of their waits, and slow no update', async () => {
    const machine = `${server.url}/crowd/chart@vanished`;
    const memory = [await memoryOf(server.workerdPid)];
    for (let round = 0; round < ROUNDS; round++) {
      for (const one of await callAll(`${machine}/state?state=next&wait=2s`, COUNT)) one.vanish();
      await pause(2_500);
      memory.push(await memoryOf(server.workerdPid));
    }
    // In turns with a machine without waits, because this host may do other work too.
    const control = `${server.url}/crowd/chart@control`;
    const rates: { after: number; usual: number }[] = [];
    for (let i = 0; i < 3; i++) {
      rates.push({ after: await updateRate(machine, 'work'), usual: await updateRate(control, 'work') });
    }

    // Together they exceed the bound of waits: there would be no place for another one.
    expect(ROUNDS * COUNT).toBeGreaterThan(WAITERS);
    const [one] = await callAll(`${machine}/state?state=next&wait=1s`, 1);
    expect((await one?.answered)?.status).toBe(406);

    const after = mean(rates.map((rate) => rate.after));
    const ratio = after / mean(rates.map((rate) => rate.usual));
    console.log(
      `vanished: ${ROUNDS} times ${COUNT}; ${after.toFixed(0)} updates/s afterwards, ` +
        `${(100 * ratio).toFixed(0)} % of another machine's; memory ${memory.map((bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`).join(', ')}`,
    );
    expect(ratio).toBeGreaterThan(0.5);
  });
});

/** Sends the same `GET` many times at once, each on a connection of its own. @returns ms until all are answered. */
async function timeToAnswer(url: string, count: number): Promise<number> {
  const began = performance.now();
  await Promise.all(Array.from({ length: count }, () => call('GET', url).answered));
  return performance.now() - began;
}

/**
 * Sends the same `GET` many times, each on a connection of its own.
 * @returns when the server has all of them.
 */
async function callAll(url: string, count: number): Promise<Call[]> {
  const calls: Call[] = [];
  while (calls.length < count) {
    const some = Array.from({ length: Math.min(250, count - calls.length) }, () => call('GET', url));
    await Promise.all(some.map(({ sent }) => sent));
    calls.push(...some);
  }
  // A query after them all; then the requests that are still on the way.
  await (await fetch(url.replace(/wait=\w+/, 'wait=0'))).arrayBuffer();
  await pause(300);
  return calls;
}

/** Updates a second, 16 callers at a time. */
async function updateRate(machine: string, state: string): Promise<number> {
  const url = `${machine}/state?state=${state}`;
  return (await measure({ url, method: 'PUT', connections: 16, body: state }, 1))?.throughput ?? 0;
}

/** The memory that a process uses, in bytes. */
async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
