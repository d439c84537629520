/** How many are expected to come at once, from how many have. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Crowd } from '../../src/edge/concurrency.ts';
import { TRIP_SIZE } from '../../src/limits.ts';

describe('a crowd', () => {
  it('is not there where callers come one at a time', () => {
    const crowd = new Crowd();
    for (let i = 0; i < 100; i++) {
      crowd.came(1);
      expect(crowd.expected()).toBe(1);
      crowd.left(0);
    }
    expect(crowd.isThere).toBe(false);
  });

  it.each([
    [2, 2],
    [8, 8],
    [16, 15],
    [100, 90],
    [10_000, TRIP_SIZE],
  ])('of %i is waited for until there are %i', (size, expected) => {
    const crowd = new Crowd();
    for (let round = 0; round < 100; round++) {
      come(crowd, size);
      expect(crowd.expected()).toBe(expected);
      crowd.waited(true);
      crowd.left(0);
    }
  });

  it('that stays away is waited for less and less often, and as before when it is back', () => {
    const crowd = new Crowd();
    const waits = [];
    for (let departure = 0; departure < 200; departure++) {
      come(crowd, 4);
      if (crowd.expected() > 1) {
        waits.push(departure);
        crowd.waited(false);
      }
      crowd.left(0);
    }
    expect(waits).toEqual([0, 2, 5, 10, 19, 36, 69, 134, 199]);
    while (crowd.expected() === 1) crowd.came(4);
    crowd.waited(true);
    expect(crowd.expected()).toBe(4);
  });

  it('that has gone is forgotten', () => {
    const crowd = new Crowd();
    come(crowd, 64);
    crowd.left(0);
    let lonely = 0;
    for (; crowd.isThere; lonely++) {
      crowd.came(1);
      crowd.left(0);
    }
    expect(lonely).toBeGreaterThan(8);
    expect(lonely).toBeLessThan(64);
    expect(crowd.expected()).toBe(1);
  });

  it('is never expected to be more than have been seen', () => {
    const step = fc.oneof(
      fc.record({ came: fc.integer({ min: 1, max: 1_000 }) }),
      fc.record({ left: fc.nat(1_000) }),
      fc.record({ waited: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const crowd = new Crowd();
        let most = 1;
        for (const one of steps) {
          if ('came' in one) crowd.came(one.came);
          else if ('left' in one) crowd.left(one.left);
          else crowd.waited(one.waited);
          most = Math.max(most, 'came' in one ? one.came : 'left' in one ? one.left : 1);
          const expected = crowd.expected();
          expect(Number.isInteger(expected)).toBe(true);
          expect(expected).toBeGreaterThanOrEqual(1);
          expect(expected).toBeLessThanOrEqual(Math.min(most, TRIP_SIZE));
        }
      }),
    );
  });
});

/** One after the other, none being answered. */
function come(crowd: Crowd, size: number): void {
  for (let present = 1; present <= size; present++) crowd.came(present);
}
