/** How many are expected to come at once, from how many have. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConcurrencyEstimate } from '../../src/edge/concurrency.ts';
import { BATCH_SIZE } from '../../src/limits.ts';

describe('a concurrency estimate', () => {
  it('is not there where callers come one at a time', () => {
    const estimate = new ConcurrencyEstimate();
    for (let i = 0; i < 100; i++) {
      estimate.called(1);
      expect(estimate.expected()).toBe(1);
      estimate.answered(0);
    }
    expect(estimate.isConcurrent).toBe(false);
  });

  it.each([
    [2, 2],
    [8, 8],
    [16, 15],
    [100, 90],
    [10_000, BATCH_SIZE],
  ])('of %i is waited for until there are %i', (size, expected) => {
    const estimate = new ConcurrencyEstimate();
    for (let round = 0; round < 100; round++) {
      come(estimate, size);
      expect(estimate.expected()).toBe(expected);
      estimate.delayed(expected - 1, expected - 1);
      estimate.answered(0);
    }
  });

  it('that stays away is waited for less and less often, and as before when it is back', () => {
    const estimate = new ConcurrencyEstimate();
    const waits = [];
    for (let departure = 0; departure < 200; departure++) {
      come(estimate, 4);
      if (estimate.expected() > 1) {
        waits.push(departure);
        estimate.delayed(3, 1);
      }
      estimate.answered(0);
    }
    expect(waits).toEqual([0, 2, 5, 10, 19, 36, 69, 134, 199]);
    while (estimate.expected() === 1) estimate.called(4);
    estimate.delayed(3, 3);
    expect(estimate.expected()).toBe(4);
  });

  it('is waited for each time if half of the missing calls come in time', () => {
    const estimate = new ConcurrencyEstimate();
    for (let round = 0; round < 100; round++) {
      come(estimate, 8);
      expect(estimate.expected()).toBe(8);
      estimate.delayed(7, 4);
      estimate.answered(0);
    }
    estimate.delayed(7, 3);
    expect(estimate.expected()).toBe(1);
  });

  it('that has gone is forgotten', () => {
    const estimate = new ConcurrencyEstimate();
    come(estimate, 64);
    estimate.answered(0);
    let lonely = 0;
    for (; estimate.isConcurrent; lonely++) {
      estimate.called(1);
      estimate.answered(0);
    }
    expect(lonely).toBeGreaterThan(8);
    expect(lonely).toBeLessThan(64);
    expect(estimate.expected()).toBe(1);
  });

  it('is never expected to be more than have been seen', () => {
    const step = fc.oneof(
      fc.record({ came: fc.integer({ min: 1, max: 1_000 }) }),
      fc.record({ left: fc.nat(1_000) }),
      fc.record({ missing: fc.integer({ min: 1, max: 1_000 }), joined: fc.nat(1_000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const estimate = new ConcurrencyEstimate();
        let most = 1;
        for (const one of steps) {
          if ('came' in one) estimate.called(one.came);
          else if ('left' in one) estimate.answered(one.left);
          else estimate.delayed(one.missing, one.joined);
          most = Math.max(most, 'came' in one ? one.came : 'left' in one ? one.left : 1);
          const expected = estimate.expected();
          expect(Number.isInteger(expected)).toBe(true);
          expect(expected).toBeGreaterThanOrEqual(1);
          expect(expected).toBeLessThanOrEqual(Math.min(most, BATCH_SIZE));
        }
      }),
    );
  });
});

/** One after the other, none being answered. */
function come(estimate: ConcurrencyEstimate, size: number): void {
  for (let present = 1; present <= size; present++) estimate.called(present);
}
