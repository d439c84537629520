import { describe, expect, it } from 'vitest';
import { durationText, innermost, momentText, shortened, textWidth } from '../../src/view/format.ts';

describe('a duration', () => {
  it.each([
    [0, '0s'],
    [250, '250ms'],
    [999, '999ms'],
    [1_000, '1s'],
    [61_000, '1m 1s'],
    [1_800_000, '30m'],
    [5_400_000, '1h 30m'],
    [86_400_000, '1d'],
    [90_061_000, '1d 1h'],
    [86_460_000, '1d'],
    [-5, '0s'],
  ])('of %i ms is %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});

describe('a time', () => {
  it('is shown to the minute if its seconds are zero', () => {
    expect(momentText(Date.parse('2026-12-01T02:00:00Z'))).toBe('2026-12-01 02:00Z');
    expect(momentText(Date.parse('2026-12-01T02:00:07Z'))).toBe('2026-12-01 02:00:07Z');
  });
});

describe('a name', () => {
  it('is unchanged if it fits', () => {
    expect(shortened('drain', 5)).toBe('drain');
  });

  it('loses its middle if it is too long', () => {
    expect(shortened('rollout-eu-west-1-drain', 12)).toBe('rollout…rain');
    expect([...shortened('x'.repeat(120), 28)]).toHaveLength(28);
  });

  it('is not cut through a character', () => {
    expect(shortened('🚀'.repeat(40), 10).isWellFormed()).toBe(true);
  });

  it('is wider the more and the wider its characters are', () => {
    expect(textWidth('iiii', 10)).toBeLessThan(textWidth('mmmm', 10));
    expect(textWidth('状態', 10)).toBeGreaterThan(textWidth('ab', 10));
    expect(textWidth('', 10)).toBe(0);
  });
});

describe('the innermost states', () => {
  it('have no active state inside them', () => {
    expect(innermost(['a', 'a.b', 'a.b.c', 'a.d'])).toEqual(['a.b.c', 'a.d']);
    expect(innermost(['drain'])).toEqual(['drain']);
    expect(innermost(['a', 'ab'])).toEqual(['a', 'ab']);
  });
});
