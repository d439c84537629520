/**
 * Runs of servers that are killed while clients call them: the answers are linearizable.
 *
 * `FAULT_SEEDS=20 npx vitest run test/fault/runs.test.ts` makes twenty runs, and `FAULT_SEED=1234` sets the first
 * seed. `npm run test:faults -- --seeds 100` makes a hundred.
 */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { cleanUp } from '../process/server.ts';
import { judge, missingIn, summaryOf } from './judge.ts';
import { removeReleasedWorker } from './released-worker.ts';
import { PLAN, runOnce } from './run.ts';

const SEEDS = Number(process.env.FAULT_SEEDS ?? 2);
/** The shapes take turns by the seed, so each comes in some of the runs of `npm test`. */
const FIRST = Number(process.env.FAULT_SEED ?? Math.floor(Math.random() * 100_000));

/**
 * What clients do depends on how long answers take: a run that has shown too little by chance is made again. So is one with so
 * many unknown outcomes that the search gives up: one of some hundreds, on a busy machine.
 */
const TRIES = 3;

afterEach(cleanUp);
afterAll(removeReleasedWorker);

describe.each(Array.from({ length: SEEDS }, (_, i) => FIRST + i))('a run with crashes, seed %i', (seed) => {
  it('is linearizable, and has tested enough', { timeout: TRIES * 120_000 }, async () => {
    const missing: string[][] = [];
    for (let tried = 0; tried < TRIES; tried++) {
      const run = await runOnce({ ...PLAN, seed }).finally(cleanUp);
      const judgement = judge(run);
      console.log(summaryOf(run, judgement));
      if (!judgement.gaveUp) expect(judgement.excerpt).toBe('');
      if (judgement.isLinearizable && judgement.missing.length === 0) return;
      missing.push(judgement.gaveUp ? ['a verdict'] : [...judgement.missing]);
    }
    expect(missing).toEqual([]);
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
    links: 1,
    linksAgain: 0,
    linksOver: 0,
    told: 1,
    toldAgain: 0,
  };
  const shows = ['repeated', 'timers', 'data', 'strangers', 'links', 'pauses', 'overrides'] as const;
  const shape = { shows, notify: [] };
  const counts = ['answered', 'cutOff', 'kills', 'claims', 'told', ...shows] as const;

  it('fails for each count that is too small', () => {
    expect(missingIn(enough, shape)).toEqual([]);
    for (const name of counts)
      expect(missingIn({ ...enough, [name]: enough[name] - 1 }, shape)).toHaveLength(1);
  });

  it('fails though it is linearizable', async () => {
    const judgement = judge(await runOnce({ seed: 8, operations: 50, clients: 8, kills: 0 }));
    expect(judgement.isLinearizable).toBe(true);
    expect(judgement.missing).toContain('kills: 0, not 1');
    expect(judgement.missing.join()).toMatch(/answered: \d+, not 1000/);
  });
});
