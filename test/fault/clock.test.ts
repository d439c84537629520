/** The clock of the clients, compared with a system's clock that is set and read late. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Clock } from './clock.ts';

/** ms since the start of the process, and by how much the system's clock is ahead of it. */
let elapsed = 0;
let system = 1_000_000;
/** How long the process is held up between two looks at a clock, ms. */
let heldUp = 0;

beforeEach(() => {
  [elapsed, system, heldUp] = [0, 1_000_000, 0];
  vi.spyOn(performance, 'now').mockImplementation(() => {
    elapsed += 0.07 + heldUp;
    return elapsed;
  });
  vi.spyOn(Date, 'now').mockImplementation(() => Math.floor(system + elapsed));
});
afterEach(() => vi.restoreAllMocks());

describe('the clock of the clients', () => {
  it('knows the clock of the service, which shows whole milliseconds, to less than two of them', () => {
    const { now, ahead } = new Clock();
    expect(ahead.to - ahead.from).toBeLessThan(1.3);
    expect(holds(now(), ahead)).toBe(true);
  });

  it('learns nothing wrong from a comparison that took long', () => {
    const clock = new Clock();
    const before = clock.ahead;
    heldUp = 40;
    const at = clock.now();
    heldUp = 0;
    expect(clock.ahead).toEqual(before);
    expect(holds(at, clock.ahead)).toBe(true);
  });

  it.each([30, -30])('notices that the system’s clock was set by %i ms', (by) => {
    const clock = new Clock();
    const before = clock.ahead;
    system += by;
    const at = clock.now();
    const { from, to } = clock.ahead;
    expect(holds(at, clock.ahead)).toBe(true);
    expect(by > 0 ? to - before.to : before.from - from).toBeGreaterThan(29);
    // As it was before, too.
    expect([from <= before.from, to >= before.to]).toEqual([true, true]);
  });
});

/** Whether what the service's clock shows at a moment of the clients is among what is known of it. */
function holds(at: number, { from, to }: { readonly from: number; readonly to: number }): boolean {
  const shown = Date.now();
  return at + from <= shown && shown <= at + to;
}
