/**
 * Load for a long time: runs begin and are deleted, and nothing grows. `SOAK_SECONDS=3600` takes an hour; the default
 * takes some seconds, and `npm run test:long` takes a minute.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { TIMED, yardstick } from '../slowness.ts';
import { folderOf } from './charts.ts';
import { cleanUp, type Server, startServer } from './server.ts';

afterEach(cleanUp);

const SECONDS = Number(process.env.SOAK_SECONDS ?? 12);
const CLIENTS = 8;
const SAMPLES = 12;
/** Reports before a run is deleted. */
const LIFE = 20;

const CHART = `initial: a
states:
  a: {slots: 4, lease: 10s, on: {update: {target: b, quorum: 3}}, after: {1s: b}}
  b: {on: {update: a}, after: {500ms: a}}
`;

/** One measurement. */
interface Sample {
  /** MiB */
  readonly memory: number;
  /** MiB, of the machines that exist. */
  readonly storage: number;
  /** ms */
  readonly p50: number;
  readonly p99: number;
  /** ms for a piece of work: how busy this machine is. */
  readonly yardstick: number;
  readonly requests: number;
}

it(`holds memory, storage and latency for ${SECONDS} s`, {
  ...TIMED,
  timeout: SECONDS * 1_000 + 60_000,
}, async () => {
  const charts = await folderOf({ 'soak/turns.yaml': CHART });
  const server = await startServer({ charts });
  let latencies: number[] = [];
  let isOver = false;
  const send = async (method: string, path: string, allowed: readonly number[]) => {
    const begun = performance.now();
    const response = await fetch(server.url + path, { method });
    await response.arrayBuffer();
    latencies.push(performance.now() - begun);
    if (!allowed.includes(response.status))
      throw new Error(`${method} ${path} was answered ${response.status}`);
  };
  const client = async (name: number) => {
    for (let run = 0; !isOver; run++) {
      const machine = `/soak/turns@${name}-${run}`;
      for (let i = 0; i < LIFE && !isOver; i++) {
        await send('POST', `${machine}/claims?state=a&by=w${name}`, [200, 406]);
        await send('PUT', `${machine}/state?state=a&by=w${name}`, [200, 406]);
        await send('PUT', `/soak/turns/state?state=b&by=w${name}-${run}-${i}`, [200, 406]);
        await send('GET', `/soak/turns/state?state=a`, [200, 406]);
      }
      await send('DELETE', machine, [204]);
    }
  };
  const clients = Promise.all(Array.from({ length: CLIENTS }, (_, name) => client(name)));
  const samples: Sample[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    latencies = [];
    await Promise.race([pause((SECONDS * 1_000) / SAMPLES), clients]);
    samples.push(await sampleOf(server, latencies));
  }
  isOver = true;
  await clients;
  console.table(samples.map(rounded));

  const third = SAMPLES / 3;
  const [early, late] = [samples.slice(third, 2 * third), samples.slice(2 * third)];
  const mean = (of: readonly Sample[], figure: keyof Sample) =>
    of.reduce((sum, sample) => sum + sample[figure], 0) / of.length;
  expect(mean(samples, 'requests')).toBeGreaterThan(100);
  expect(mean(late, 'memory')).toBeLessThan(mean(early, 'memory') * 1.25 + 32);
  // Other processes may use the same cores later.
  const busier = Math.max(1, mean(late, 'yardstick') / mean(early, 'yardstick'));
  expect(mean(late, 'p50')).toBeLessThan(mean(early, 'p50') * 2 * busier + 5);
  // The history of the machine that stays is bounded; the runs are deleted.
  expect(mean(late, 'storage')).toBeLessThan(16);

  // workerd leaves a file of 4 KiB for each deleted object; the next start removes them.
  await server.stop();
  const again = await startServer({ charts, data: server.data });
  const left = (await machineFiles(again)).filter(({ size }) => size === EMPTY);
  expect(left.length).toBeLessThan(CLIENTS);
});

async function sampleOf(server: Server, latencies: readonly number[]): Promise<Sample> {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  const status = await readFile(`/proc/${server.workerdPid}/status`, 'utf8');
  const sizes = (await machineFiles(server)).map(({ size }) => size).filter((size) => size !== EMPTY);
  return {
    memory: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024,
    storage: sizes.reduce((sum, size) => sum + size, 0) / 2 ** 20,
    p50: at(0.5),
    p99: at(0.99),
    yardstick: yardstick(),
    requests: sorted.length,
  };
}

/** A database without a table. */
const EMPTY = 4_096;

/** The files of machines: databases, and their logs. A file that is deleted meanwhile is left out. */
async function machineFiles({ data }: Server): Promise<{ size: number }[]> {
  const folder = join(data, 'stateservice-Machine');
  const found = await Promise.all(
    (await readdir(folder)).map((name) => stat(join(folder, name)).catch(() => undefined)),
  );
  return found.flatMap((file) => file ?? []);
}

function rounded(sample: Sample) {
  return Object.fromEntries(
    Object.entries(sample).map(([name, figure]) => [name, Number(figure.toFixed(2))]),
  );
}
