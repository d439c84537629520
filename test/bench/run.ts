/**
 * `npm run bench`: our service beside others, as ratios of measurements side by side in one run. Absolute figures say
 * more about the machine than about us.
 */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { CHARTS } from './charts.ts';
import { type Comparison, compare, median } from './compare.ts';
import { syncTime } from './disk.ts';
import { isInstalled, type Peer, startEtcd, startOriginal } from './peers.ts';
import { scenariosFor } from './scenarios.ts';
import { serveBoth } from './server.ts';

const USAGE = `node test/bench/run.ts [--seconds N] [--rounds N] [--only TEXT] [--original DIR] [--json FILE]

  --seconds N      how long each stretch of load is (1)
  --rounds N       how often each is measured on both sides (7)
  --only TEXT      only the scenarios with this in their names
  --original DIR   measures StateService 1.0 of 2018 too: its folder; needs python3 with Flask and PyYAML
  --json FILE      writes every figure of every round

etcd is measured where it is installed.
`;

const flags = readFlags();
const comparisons: Comparison[] = [];
const peers: Peer[] = [];
const servers = await serveBoth(CHARTS);
try {
  const sync = syncTime(servers.folder);
  const started = async (peer: Promise<Peer>) => {
    peers.push(await peer);
    return (await peer).url;
  };
  const competitors = {
    servers,
    ...(isInstalled('etcd') ? { etcd: await started(startEtcd(servers.folder)) } : {}),
    ...(flags.original === undefined
      ? {}
      : { original: await started(startOriginal(flags.original, servers.folder, CHARTS.small ?? '')) }),
  };
  const scenarios = scenariosFor(competitors, flags.seconds).filter(({ name }) => name.includes(flags.only));
  for (const scenario of scenarios) {
    console.error(`${scenario.name}: ${flags.rounds} rounds beside ${scenario.against}`);
    const found = await compare(scenario, flags.rounds);
    comparisons.push(...found);
    for (const { target, ratio } of found) console.error(`  ${target.figure}: ${ratio.toFixed(2)}`);
  }
  console.table(comparisons.map(row));
  console.log(
    `To write and sync a commit takes ${sync.toFixed(2)} ms on this disk; the slower, the better for our PUT.`,
  );
  if (flags.json !== undefined) await writeFile(flags.json, JSON.stringify(report(sync), null, 2));
} finally {
  await Promise.all(peers.map((peer) => peer.stop()));
  await servers.stop();
}

function readFlags() {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: 'string', default: '1' },
        rounds: { type: 'string', default: '7' },
        only: { type: 'string', default: '' },
        original: { type: 'string' },
        json: { type: 'string' },
      },
    });
    const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
    if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError('--rounds takes a whole number from 1');
    if (!(seconds > 0 && seconds <= 60)) throw new RangeError('--seconds takes a number up to 60');
    return { ...values, rounds, seconds };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exit(2);
  }
}

/** A comparison as a line of the table; both sides are medians. */
function row({ scenario, against, target, ours, theirs, ratios, ratio, met }: Comparison) {
  const { figure, atLeast, atMost, most } = target;
  const bounds = [
    ...(atLeast === undefined ? [] : [`ratio at least ${atLeast}`]),
    ...(atMost === undefined ? [] : [`ratio at most ${atMost}`]),
    ...(most === undefined ? [] : [`at most ${most} ms`]),
  ];
  return {
    scenario,
    beside: against,
    figure: figure === 'throughput' ? 'throughput, 1/s' : `${figure}, ms`,
    ours: rounded(median(ours)),
    theirs: rounded(median(theirs)),
    ratio: ratio.toFixed(2),
    'min–max': `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
    target: bounds.join(', '),
    verdict: met === undefined ? '' : met ? 'met' : 'missed',
  };
}

function rounded(figure: number): string {
  return figure.toFixed(figure < 1 ? 3 : figure < 100 ? 2 : 0);
}

/** The output of `--json`: enough to compare two runs. */
function report(syncMilliseconds: number) {
  return {
    at: new Date().toISOString(),
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, syncMilliseconds },
    rounds: flags.rounds,
    seconds: flags.seconds,
    comparisons,
  };
}
