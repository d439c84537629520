/**
 * Runs of servers that are killed while clients call them: the answers are linearizable.
 *
 * `FAULT_SEEDS=20 npx vitest run test/fault/runs.test.ts` makes twenty runs, and `FAULT_SEED=1234` sets the first
 * seed. `npm run test:faults -- --seeds 100` makes a hundred.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { cleanUp } from '../process/server.ts';
import { judge, missingIn, summaryOf } from './judge.ts';
import { PLAN, runOnce } from './run.ts';

const SEEDS = Number(process.env.FAULT_SEEDS ?? 2);
/** The shapes take turns by five seeds. The two runs of `npm test` are a ring and regions, whose searches are the shortest. */
const FIRST = Number(process.env.FAULT_SEED ?? 5 * Math.floor(Math.random() * 20_000));

afterEach(cleanUp);

describe.each(Array.from({ length: SEEDS }, (_, i) => FIRST + i))('a run with crashes, seed %i', (seed) => {
  it('is linearizable, and has tested enough', async () => {
    const run = await runOnce({ ...PLAN, seed });
    const judgement = judge(run);
    console.log(summaryOf(run, judgement));
    expect(judgement.excerpt).toBe('');
    expect(judgement.missing).toEqual([]);
  });
});

describe('a run with too little work', () => {
  const enough = {
    answered: 1_000,
    unknown: 0,
    cutOff: 1,
    kills: 1,
    repeated: 1,
    timers: 1,
    claims: 1,
    expired: 0,
    data: 1,
    turnedAway: 1,
    cooled: 0,
    pauses: 1,
    overrides: 1,
    strangers: 1,
    recounted: 0,
  };
  const shape = { shows: ['repeated', 'timers', 'data', 'strangers', 'turnedAway'] } as const;
  const counts = [
    ...['answered', 'cutOff', 'kills', 'repeated', 'timers', 'claims', 'data'],
    ...['turnedAway', 'pauses', 'overrides', 'strangers'],
  ] as readonly (keyof typeof enough)[];

  it('fails for each count that is too small', () => {
    expect(missingIn(enough, shape)).toEqual([]);
    for (const name of counts)
      expect(missingIn({ ...enough, [name]: enough[name] - 1 }, shape)).toHaveLength(1);
  });

  it('fails though it is linearizable', async () => {
    const judgement = judge(await runOnce({ seed: 1, operations: 50, clients: 8, kills: 0 }));
    expect(judgement.isLinearizable).toBe(true);
    expect(judgement.missing).toContain('kills: 0, not 1');
    expect(judgement.missing.join()).toMatch(/answered: \d+, not 1000/);
  });
});
