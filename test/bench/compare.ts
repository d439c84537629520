import { type Load, type Measured, measure, quantile } from './load.ts';
import type { Servers } from './server.ts';

/** One kind of load, and how we should come off beside the bare service. */
export interface Scenario {
  readonly name: string;
  readonly load: Omit<Load, 'url'>;
  readonly path: string;
  readonly targets: readonly Target[];
}

/** A bound for our figure divided by the bare one's. */
interface Target {
  readonly figure: keyof Measured;
  readonly bound: 'at least' | 'at most';
  readonly ratio: number;
}

/** What all rounds came to for one target. Arrays have a number for each round, in order. */
export interface Comparison {
  readonly scenario: string;
  readonly target: Target;
  readonly ours: readonly number[];
  readonly bare: readonly number[];
  /** Ours by bare, of the same round. */
  readonly ratios: readonly number[];
  /** The median of `ratios`. */
  readonly ratio: number;
  readonly met: boolean;
}

/** A round: the same load on both, one right after the other. */
interface Round {
  readonly ours: Measured;
  readonly bare: Measured;
}

/** Runs a scenario. Which of the two comes first alternates, so that a slow drift of the machine favours neither. */
export async function compare(
  { name, load, path, targets }: Scenario,
  servers: Servers,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<Comparison[]> {
  const on = (server: 'ours' | 'bare') => measure({ ...load, url: servers[server] + path }, seconds);
  // Not counted: the first requests start the objects and compile the code.
  await on('bare');
  await on('ours');
  const measured: Round[] = [];
  for (let i = 0; i < rounds; i++) {
    if (i % 2 === 0) {
      const ours = await on('ours');
      measured.push({ ours, bare: await on('bare') });
    } else {
      const bare = await on('bare');
      measured.push({ ours: await on('ours'), bare });
    }
  }
  return targets.map((target) => judge(name, target, measured));
}

function judge(scenario: string, target: Target, rounds: readonly Round[]): Comparison {
  const { figure, bound } = target;
  const ours = rounds.map((round) => round.ours[figure]);
  const bare = rounds.map((round) => round.bare[figure]);
  const ratios = rounds.map((round) => round.ours[figure] / round.bare[figure]);
  const ratio = median(ratios);
  const met = bound === 'at least' ? ratio >= target.ratio : ratio <= target.ratio;
  return { scenario, target, ours, bare, ratios, ratio, met };
}

export function median(numbers: readonly number[]): number {
  return quantile(
    numbers.toSorted((a, b) => a - b),
    0.5,
  );
}
