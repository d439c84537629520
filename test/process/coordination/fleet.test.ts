/**
 * A fleet takes turns safely with HTTP alone. Everything is checked in the log of the answers that the machines got,
 * and nothing in the service's own state.
 *
 * `FLEET_SEEDS=50 npx vitest run test/process/coordination/fleet.test.ts` runs fifty seeds, and `FLEET_SEED=1234`
 * sets the first one. `FLEET_MACHINES` is how many machines a fleet has.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folderOf } from '../charts.ts';
import { cleanUp, type Server, startServer } from '../server.ts';
import { type Log, runFleet, type Step } from './fleet.ts';

const SEEDS = Number(process.env.FLEET_SEEDS ?? 3);
const FIRST = Number(process.env.FLEET_SEED ?? Math.floor(Math.random() * 100_000));
const MACHINES = Number(process.env.FLEET_MACHINES ?? 200);

const STEPS: readonly Step[] = [
  { name: 'drain' },
  { name: 'patch', slots: 12 },
  { name: 'reboot', slots: 4 },
  { name: 'verify' },
  { name: 'enable', slots: 25 },
];
const END = 'done';

let server: Server;
beforeAll(async () => {
  server = await startServer({
    charts: await folderOf({ 'fleet/sequence.yaml': sequence(), 'fleet/statechart.yaml': statechart() }),
  });
});
afterAll(cleanUp);

describe.each(Array.from({ length: SEEDS }, (_, i) => FIRST + i))(
  `a fleet of ${MACHINES} machines, seed %i`,
  (seed) => {
    const chart = seed % 2 === 0 ? 'sequence' : 'statechart';
    let log: Log;

    beforeAll(async () => {
      const from = performance.now();
      const plan = { seed, machines: MACHINES, steps: STEPS, end: END };
      log = await runFleet({ ...plan, url: `${server.url}/fleet/${chart}@seed-${seed}` });
      const seconds = ((performance.now() - from) / 1_000).toFixed(1);
      console.log(
        `fleet: seed ${seed} (${chart}) took ${seconds} s, ${log.answers.length} answers, ${log.crashes} crashes`,
      );
    }, 120_000);

    it('comes to the end, through crashes', () => {
      const ended = log.answers.filter(
        ({ step, method, status }) => step === END && method === 'GET' && status === 200,
      );
      expect(new Set(ended.map(({ machine }) => machine)).size).toBe(MACHINES);
      expect(log.crashes).toBeGreaterThan(MACHINES / 10);
    });

    it.each(STEPS)('counts each machine once at $name', ({ name }) => {
      const revisions = countedAt(log, name);
      expect(revisions.size).toBe(MACHINES);
      // Each count is a commit of its own; a machine that was counted twice would have left another one out.
      expect(new Set(revisions.values()).size).toBe(MACHINES);
    });

    it('goes to the next step only after all have reported', () => {
      for (const [i, { name }] of STEPS.entries()) {
        const next = STEPS[i + 1]?.name ?? END;
        const reported = firstReports(log, name);
        const begun = log.answers.filter(
          ({ step, method, status }) => step === next && method === 'GET' && status === 200,
        );
        const first = Math.min(...begun.map(({ answered }) => answered));
        expect(Math.max(...reported.values())).toBeLessThan(first);
        const last = Math.max(...countedAt(log, name).values());
        expect(Math.min(...begun.map(({ revision }) => revision))).toBeGreaterThanOrEqual(last);
      }
    });

    it.each(STEPS.filter(({ slots }) => slots))(
      'never has more than $slots at work at $name',
      ({ name, slots }) => {
        const most = mostAtOnce(log, name);
        expect(most).toBeLessThanOrEqual(slots ?? 0);
        // The slots were used: how many of them depends on how fast the server is beside the work.
        expect(most).toBeGreaterThan(1);
      },
    );
  },
);

/** The revisions at which each machine's report on a step was first accepted. */
function countedAt({ answers }: Log, step: string): Map<string, number> {
  const counted = new Map<string, number>();
  for (const { machine, method, step: of, status, revision } of answers) {
    if (method !== 'PUT' || of !== step || status !== 200) continue;
    counted.set(machine, Math.min(revision, counted.get(machine) ?? Number.POSITIVE_INFINITY));
  }
  return counted;
}

/** When each machine sent its first report on a step. */
function firstReports({ answers }: Log, step: string): Map<string, number> {
  const first = new Map<string, number>();
  for (const { machine, method, step: of, sent } of answers) {
    if (method !== 'PUT' || of !== step) continue;
    first.set(machine, Math.min(sent, first.get(machine) ?? Number.POSITIVE_INFINITY));
  }
  return first;
}

/** The most machines that were at work on a step at once. */
function mostAtOnce({ work }: Log, step: string): number {
  const changes = work
    .filter((one) => one.step === step)
    .flatMap(({ from, to }) => [
      { at: from, change: 1 },
      { at: to, change: -1 },
    ]);
  // Work that ends at the moment at which other work begins has ended before it.
  changes.sort((a, b) => a.at - b.at || a.change - b.change);
  let atWork = 0;
  return changes.reduce((most, { change }) => {
    atWork += change;
    return Math.max(most, atWork);
  }, 0);
}

function sequence(): string {
  const states = STEPS.map(({ name, slots }, i) => ({
    name,
    func: 'increment',
    current: { key: 'machines', value: 0 },
    target: { name: STEPS[i + 1]?.name ?? END, when: { key: 'machines', value: MACHINES } },
    ...(slots === undefined ? {} : { slots, lease: '1s' }),
  }));
  return JSON.stringify({ current_state: STEPS[0]?.name, states: [...states, { name: END }] });
}

function statechart(): string {
  const states = STEPS.map(({ name, slots }, i) => [
    name,
    {
      on: { update: { target: STEPS[i + 1]?.name ?? END, quorum: MACHINES } },
      ...(slots === undefined ? {} : { slots, lease: '1s' }),
    },
  ]);
  return JSON.stringify({
    initial: STEPS[0]?.name,
    states: Object.fromEntries([...states, [END, { type: 'final' }]]),
  });
}
