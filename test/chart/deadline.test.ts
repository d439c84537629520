import { expect, it } from 'vitest';
import { isLate } from '../../src/chart/deadline.ts';

it('a deadline is late in the last quarter of its time', () => {
  expect(isLate({ since: 0, at: 100 }, 74)).toBe(false);
  expect(isLate({ since: 0, at: 100 }, 75)).toBe(true);
  expect(isLate({ since: 0, at: 100 }, 200)).toBe(true);
});
