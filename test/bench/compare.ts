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

/** How many rounds may be lost before it is no longer the machine's fault. */
const LOST_ROUNDS = 5;

/**
 * Runs a scenario. Which of the two comes first alternates, so that a slow drift of the machine favours neither.
 *
 * @throws where a server answers wrongly, or again and again not at all.
 */
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
  for (let lost = 0; measured.length < rounds; ) {
    const round = await measureRound(on, measured.length % 2 === 0 ? ['ours', 'bare'] : ['bare', 'ours']);
    if (round !== undefined) measured.push(round);
    // A shared disk was seen to stand still for a second.
    else if (++lost > LOST_ROUNDS) throw new Error(`${name}: no answer within ${seconds} s, ${lost} times`);
  }
  return targets.map((target) => judge(name, target, measured));
}

async function measureRound(
  on: (server: keyof Round) => Promise<Measured | undefined>,
  order: readonly (keyof Round)[],
): Promise<Round | undefined> {
  const figures: Partial<Record<keyof Round, Measured>> = {};
  for (const server of order) {
    const measured = await on(server);
    if (measured !== undefined) figures[server] = measured;
  }
  const { ours, bare } = figures;
  return ours === undefined || bare === undefined ? undefined : { ours, bare };
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
