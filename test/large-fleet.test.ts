/** The page on large fleets, and the model that its table comes from. */
import { expect, it } from 'vitest';
import { HABITS, ISOLATES, loadOf, tableOf } from './bench/large-fleet.ts';

const [page = ''] = Object.values(
  import.meta.glob('../docs/large-fleets.md', { query: '?raw', import: 'default', eager: true }),
);

it('has the table of the model', () => {
  const rows = [...page.matchAll(/^\| ([^|]*max-stale[^|]*|`wait[^|]*|asks[^|]*)\|(.*)\|$/gm)];
  const told = rows.map((row) =>
    row
      .slice(1)
      .join('|')
      .split('|')
      .map((cell) => cell.trim())
      .join(' | '),
  );
  expect(told).toEqual(tableOf(100_000));
});

it('asks a machine as often as there are isolates, and not as there are machines, with max-stale', () => {
  for (const habit of HABITS.filter(({ stale }) => stale > 0)) {
    for (const isolates of ISOLATES) {
      const [some, many] = [loadOf(habit, 30_000, isolates), loadOf(habit, 300_000, isolates)];
      expect(many.requests / some.requests).toBeCloseTo(10);
      expect(many.calls / some.calls).toBeLessThan(5);
      expect(many.calls).toBeLessThan(500);
    }
  }
});
