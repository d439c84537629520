/** Simulated worlds: the real code of the service on a simulated platform, from a seed. */
import { describe, expect, inject, it } from 'vitest';
import { IS_LONG } from '../fuzz.ts';
import { PLANTED_BUGS, type PlantedBug } from './planted-names.ts';
import { describeFailure, simulate, summaryOf, totalOf } from './simulate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly simulation: { readonly seed: number; readonly seconds: number };
  }
}

const { seed, seconds } = inject('simulation');

/** How long a planted bug is looked for, s. */
const MINUTE = 60;

/** Time for a thread to start, and for a failure to be made smaller, ms. */
const REST = 120_000;

describe('the service', () => {
  it(`keeps its promises in all worlds from seed ${seed} on`, {
    timeout: seconds * 1_000 + REST,
  }, async () => {
    const report = await simulate({ seed, seconds });
    console.log(`worlds from seed ${seed} on: ${summaryOf(report)}`);
    expect(report.failure && describeFailure(report.failure)).toBeUndefined();
    expect(totalOf(report.steps)).toBeGreaterThan(1_000);
  });
});

describe('small bounds', () => {
  it(`are kept in all worlds from seed ${seed} on`, { timeout: REST }, async () => {
    const report = await simulate({ seed, seconds: seconds / 10, isTight: true });
    expect(report.failure && describeFailure(report.failure)).toBeUndefined();
  });

  // In this world, an object counted its receipts on from before those of the other.
  it('are kept by two objects that write in turn', { timeout: REST }, async () => {
    const report = await simulate({ seed: 1_666_066_107, seconds: 0, isTight: true });
    expect(report.failure && describeFailure(report.failure)).toBeUndefined();
  });
});

describe('a world', () => {
  it('is the same each time, whatever ran before it', { timeout: REST }, async () => {
    const before = await simulate({ seed: 7, seconds: 0, worlds: 3 });
    const alone = await simulate({ seed: 9, seconds: 0 });
    expect(before.hashes).toHaveLength(3);
    expect(alone.hashes).toEqual(before.hashes.slice(2));
  });
});

/** It shows where bounds are reached. */
const OF_BOUNDS: PlantedBug = 'nothing old is dropped';

describe('a planted bug is found within a minute', () => {
  const quick: readonly PlantedBug[] = ['a receipt is forgotten', 'the alarm is not set again'];
  it.each(IS_LONG ? PLANTED_BUGS : quick)('%s', { timeout: MINUTE * 1_000 + REST }, async (bug) => {
    const { failure } = await simulate({
      seed,
      seconds: MINUTE,
      bug,
      isTight: bug === OF_BOUNDS,
      shrinkFor: IS_LONG ? 20 : 2,
    });
    expect(failure).toBeDefined();
    console.log(
      `${bug}: found after ${failure?.foundAfter.toFixed(0)} ms\n${failure && describeFailure(failure)}`,
    );
  });
});
