/** Requests for the largest charts: no request for another tenant’s machine waits for all of their work. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allowed, TIMED } from '../slowness.ts';
import { folderOf } from './charts.ts';
import { cleanUp, type Server, startServer } from './server.ts';

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Regions with states, each with transitions to others of its region. */
function regions(count: number, states: number, ways: number): string {
  const targetOf = (i: number, way: number) => `s${(i * (7 + way) + 3 * way + 1) % states}`;
  const stateOf = (i: number) => ({
    on: Object.fromEntries(range(ways).map((way) => [`e${way}`, targetOf(i, way)])),
  });
  const region = {
    initial: 's0',
    states: Object.fromEntries(range(states).map((i) => [`s${i}`, stateOf(i)])),
  };
  return JSON.stringify({
    type: 'parallel',
    states: Object.fromEntries(range(count).map((i) => [`r${i}`, region])),
  });
}

const CHARTS = {
  wide: regions(32, 30, 4),
  flat: regions(1, 998, 4),
  halves: regions(16, 60, 4),
};

let server: Server;
beforeAll(async () => {
  const charts = Object.entries(CHARTS).map(([name, text]) => [`acme/${name}.yaml`, text]);
  server = await startServer({
    charts: await folderOf({
      ...Object.fromEntries(charts),
      'other/small.yaml': 'initial: a\nstates: {a: {}}',
    }),
  });
  for (let i = 0; i < 50; i++) await get('/other/small');
});
afterAll(cleanUp);

describe.each(Object.keys(CHARTS))('the first requests for the chart %s', (name) => {
  it.each([
    ['its status', '', 'application/json'],
    ['its drawing', '/diagram.svg', '*/*'],
    ['its page', '', 'text/html'],
    ['its text for Mermaid', '/diagram.mmd', '*/*'],
  ])('hold up no other tenant for 100 ms: %s', TIMED, async (_, path, accept) => {
    let isOver = false;
    let longest = 0;
    const other = (async () => {
      while (!isOver) longest = Math.max(longest, await cpuOf(() => get('/other/small')));
    })();
    await get(`/acme/${name}${path}`, accept);
    isOver = true;
    await other;
    expect(longest).toBeLessThan(allowed(longest, 100));
  });
});

async function get(path: string, accept = '*/*'): Promise<void> {
  const response = await fetch(`${server.url}${path}`, { headers: { accept } });
  expect([path, response.status]).toEqual([path, 200]);
  await response.arrayBuffer();
}

/**
 * @returns the CPU time of the service while something is done, ms: the work that it waits for. The time on the clock also
 *   has the work of other processes. Linux, `/proc/[pid]/task/[tid]/schedstat`.
 */
async function cpuOf(act: () => Promise<void>): Promise<number> {
  const before = await spent();
  await act();
  return (await spent()) - before;
}

async function spent(): Promise<number> {
  const { workerdPid } = server;
  const stat = await readFile(`/proc/${workerdPid}/task/${workerdPid}/schedstat`, 'utf8');
  return Number(stat.split(' ')[0]) / 1e6;
}
