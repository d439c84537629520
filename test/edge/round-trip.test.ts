import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NEARBY, RoundTripEstimate, UNKNOWN } from '../../src/edge/round-trip.ts';

function patienceAfter(...took: readonly number[]) {
  const estimate = new RoundTripEstimate();
  for (const ms of took) estimate.took(ms);
  return estimate.patience;
}

describe('a batch', () => {
  it('waits as long as pays near the object once a round trip is known to be short', () => {
    expect(patienceAfter()).toEqual(UNKNOWN);
    expect(patienceAfter(1)).toEqual(NEARBY);
  });

  it.each([20, 50, 150])('waits at most 5 %% of a round trip of %i ms', (ms) => {
    const { wait, delay } = patienceAfter(ms, ms + 3, ms + 40);
    expect(wait + delay).toBeLessThanOrEqual(ms * 0.05 * 1.03);
    expect(wait + delay).toBeGreaterThan(ms * 0.03);
  });

  it('is not fooled by calls that took long because the object was busy', () => {
    expect(patienceAfter(0.5, ...Array(2_000).fill(80))).toEqual(NEARBY);
  });

  it('notices by and by that the object has moved away', () => {
    const { wait } = patienceAfter(1, ...Array(30_000).fill(80));
    expect(wait).toBeCloseTo(2, 1);
  });

  it('never waits longer than near the object, or than 5 % of the longest round trip', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 10_000, noNaN: true }), { minLength: 1 }), (took) => {
        const { wait, delay } = patienceAfter(...took);
        const most = Math.max(NEARBY.wait + NEARBY.delay, Math.max(...took) * 0.05 + 1e-9);
        expect(wait + delay).toBeLessThanOrEqual(most);
      }),
    );
  });
});
