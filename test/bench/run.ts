/**
 * `npm run bench`: how much our service costs over a bare Durable Object, as ratios of what was measured side by
 * side in one process and one run. Absolute figures say more of the machine than of us.
 */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type Comparison, compare, median, type Scenario } from './compare.ts';
import { syncTime } from './disk.ts';
import { type Servers, serveBoth } from './server.ts';

const USAGE = `node test/bench/run.ts [--seconds N] [--rounds N] [--json FILE]

  --seconds N   how long each stretch of load is (1)
  --rounds N    how often each is measured on both services (13)
  --json FILE   writes every figure of every round
`;

/** Never ends: every update counts, and the machine stays where it is. */
const CHART = `
current_state: a
states:
  - {name: a, func: increment, current: {key: n, value: 0}, target: {name: b, when: {key: n, value: 1000000000000000}}}
  - {name: b}
`;

const ASKED = { path: '/state?state=a', body: 'a' };

const GET_64 = 'GET, 64 connections';
const PUT_64 = 'PUT, 64 connections';

/** The targets of DESIGN.md, section 12, that compare us with a bare object. */
const SCENARIOS: readonly Scenario[] = [
  {
    name: GET_64,
    load: { method: 'GET', connections: 64, body: ASKED.body },
    path: ASKED.path,
    targets: [
      { figure: 'throughput', bound: 'at least', ratio: 0.85 },
      { figure: 'p99', bound: 'at most', ratio: 1.3 },
    ],
  },
  {
    name: PUT_64,
    load: { method: 'PUT', connections: 64, body: ASKED.body },
    path: ASKED.path,
    targets: [{ figure: 'throughput', bound: 'at least', ratio: 4 }],
  },
  {
    name: 'PUT, 1 connection',
    load: { method: 'PUT', connections: 1, body: ASKED.body },
    path: ASKED.path,
    targets: [{ figure: 'p50', bound: 'at most', ratio: 1.15 }],
  },
];

const flags = readFlags();
const servers = await serveBoth(CHART);
try {
  const sync = syncTime(servers.folder);
  const comparisons = await runAll(servers);
  console.table(comparisons.map(row));
  console.log(
    `To write and sync a commit takes ${sync.toFixed(2)} ms on this disk; the slower, the better for our PUT.`,
  );
  console.log(
    `The bare object reads ${ceiling(comparisons).toFixed(2)} times as often as it commits: about the most that our PUT could reach here.`,
  );
  if (flags.json !== undefined)
    await writeFile(flags.json, JSON.stringify(report(comparisons, sync), null, 2));
} finally {
  await servers.stop();
}

async function runAll(servers: Servers): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const scenario of SCENARIOS) {
    console.error(`${scenario.name}: ${flags.rounds} rounds of ${flags.seconds} s on each service`);
    comparisons.push(...(await compare(scenario, servers, flags)));
  }
  return comparisons;
}

/**
 * What bounds the ratio of `PUT` on this machine: to commit many updates at once can make an update as cheap as a
 * read, but not cheaper than the bare object's.
 */
function ceiling(comparisons: readonly Comparison[]): number {
  const bare = (name: string) => median(comparisons.find(({ scenario }) => scenario === name)?.bare ?? []);
  return bare(GET_64) / bare(PUT_64);
}

function readFlags(): { rounds: number; seconds: number; json: string | undefined } {
  try {
    const { values } = parseArgs({
      options: { seconds: { type: 'string' }, rounds: { type: 'string' }, json: { type: 'string' } },
    });
    const rounds = Number(values.rounds ?? 13);
    const seconds = Number(values.seconds ?? 1);
    if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError('--rounds takes a whole number from 1');
    if (!(seconds > 0 && seconds <= 60)) throw new RangeError('--seconds takes a number up to 60');
    return { rounds, seconds, json: values.json };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exit(2);
  }
}

/** A comparison as a line of the table; ours and bare are medians. */
function row({ scenario, target, ours, bare, ratios, ratio, met }: Comparison) {
  const { figure, bound } = target;
  return {
    scenario,
    figure: figure === 'throughput' ? 'throughput, 1/s' : `${figure}, ms`,
    ours: rounded(median(ours)),
    bare: rounded(median(bare)),
    ratio: ratio.toFixed(3),
    'min–max': `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
    target: `${bound} ${target.ratio}`,
    verdict: met ? 'met' : 'missed',
  };
}

function rounded(figure: number): string {
  return figure.toFixed(figure < 100 ? 2 : 0);
}

/** What `--json` writes: enough to tell two runs apart. */
function report(comparisons: readonly Comparison[], syncMilliseconds: number) {
  return {
    at: new Date().toISOString(),
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, syncMilliseconds },
    rounds: flags.rounds,
    seconds: flags.seconds,
    comparisons,
  };
}
