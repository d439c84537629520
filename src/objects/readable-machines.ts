/** Which machines of a tenant a grant may read: its globs are compared with all of them, in slices if that is long. */
import type { Address } from '../address.ts';
import type { Coverage } from '../grant.ts';
import type { ListCounts } from '../listing.ts';
import { atOnce, type Sliced } from '../sliced.ts';
import { inSlices } from '../slices.ts';
import type { Counted } from '../store/listing-table.ts';
import type { Member } from '../store/registry-table.ts';

export interface Readable {
  has(machine: Member): boolean;
  readonly counts: ListCounts;
}

/**
 * Compares machines. If that is long, other requests run meanwhile, so machines may enter and leave.
 *
 * @param machines without what they have told: 10,000 may have told 40 MB.
 */
export async function readableOf(machines: readonly Counted[], coverage: Coverage): Promise<Readable> {
  const comparing = compare(machines, coverage);
  const isShort = machines.length * costOf(coverage) <= PART;
  return isShort ? atOnce(comparing) : inSlices(comparing);
}

/** Compares each machine once. Each part costs as much, however many globs there are. */
export function* compare(machines: readonly Counted[], coverage: Coverage): Sliced<Readable> {
  const names = new Set<string>();
  const counts = { machines: 0, late: 0, failed: 0, paused: 0 };
  const cost = costOf(coverage);
  const length = Math.max(1, Math.floor(PART / cost));
  for (let from = 0; from < machines.length; from += length) {
    const part = machines.slice(from, from + length);
    yield (part.length * cost) / COMPARISONS_OF_UNIT;
    for (const machine of part) {
      if (!coverage.has(placeOf(machine))) continue;
      names.add(keyOf(machine));
      counts.machines += 1;
      if (machine.isLate) counts.late += 1;
      if (machine.isFailed) counts.failed += 1;
      if (machine.isPaused) counts.paused += 1;
    }
  }
  return { has: (machine) => names.has(keyOf(machine)), counts };
}

/** The address of a machine, without the tenant. */
export function placeOf({ chart, run }: Member): Address {
  return { chart, ...(run === '' ? {} : { run }) };
}

function keyOf({ chart, run }: Member): string {
  return `${chart}@${run}`;
}

/** Returns what a machine costs, in comparisons: each with a pattern, and as many as its names and its row take. */
function costOf({ patterns }: Coverage): number {
  return patterns + ROW;
}

const ROW = 10;

/** Comparisons in a part, some 1 ms, and in a unit (`slices.ts`), some 10 µs. */
const PART = 25_000;
const COMPARISONS_OF_UNIT = 250;
