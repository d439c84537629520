/** Sorts and counts the machines of a list that are all read: as the registry does it with what they have told. */
import { parseObjectName } from '../address.ts';
import { isLate } from '../chart/deadline.ts';
import type { ListCounts, Order } from '../listing.ts';
import type { Summary } from '../objects/results.ts';
import { listingOf } from '../objects/telling.ts';
import { stateOf } from '../store/listing-table.ts';
import type { Row } from '../view/tenant-page.tsx';

/** Sorts machines. Those that have nothing to compare come last, in the order of their addresses. */
export function inOrder(rows: readonly Row[], { sort, isDescending }: Order): Row[] {
  const keyed = rows.map((row) => {
    const { chart, run = '' } = parseObjectName(row.machine);
    return { row, place: [chart, run], value: sort === 'address' ? '' : sortedValue(row.summary, sort) };
  });
  const sign = isDescending ? -1 : 1;
  return keyed
    .sort((a, b) => {
      if (a.value === undefined || b.value === undefined)
        return Number(a.value === undefined) - Number(b.value === undefined) || compare(a.place, b.place);
      return sign * (compare([a.value], [b.value]) || compare(a.place, b.place));
    })
    .map(({ row }) => row);
}

function sortedValue(summary: Summary | undefined, sort: Exclude<Order['sort'], 'address'>) {
  if (summary === undefined) return undefined;
  if (sort === 'changed') return summary.since;
  return sort === 'state' ? stateOf(summary.states) : summary.deadline?.at;
}

function compare(one: readonly (string | number)[], other: readonly (string | number)[]): number {
  for (const [i, part] of one.entries()) {
    const against = other[i] ?? '';
    if (part !== against) return part < against ? -1 : 1;
  }
  return 0;
}

/** Counts machines as the registry does. */
export function countOf(rows: readonly Row[], now: number): ListCounts {
  const counts = { machines: rows.length, late: 0, failed: 0, paused: 0 };
  for (const { summary } of rows) {
    if (summary === undefined) continue;
    const { outcome, isPaused } = listingOf(summary);
    if (summary.deadline !== undefined && isLate(summary.deadline, now)) counts.late += 1;
    if (outcome === 'failed') counts.failed += 1;
    if (isPaused) counts.paused += 1;
  }
  return counts;
}
