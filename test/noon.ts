/** The clock of tests about time. */
import { afterEach, beforeEach, vi } from 'vitest';

/** Far ahead of the platform's own clock, so that no alarm goes off by itself; ms since the epoch. */
export const NOON = Date.parse('2040-06-01T12:00:00Z');

/** Begins each test of a file at `NOON`. Time stands still unless the test moves it, and only `Date` is faked. */
export function beginAtNoon(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(NOON);
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}
