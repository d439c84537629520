import { quantile } from './load.ts';

/** The measurements of one side in one round: figures by their names. Times are in ms. */
type Figures = Readonly<Record<string, number>>;

/**
 * Takes one measurement.
 * @returns undefined if there was no answer.
 */
export type Measurement = (round: number) => Promise<Figures | undefined>;

/** One task, done by our service and by another one, and the bounds on the result. */
export interface Scenario {
  readonly name: string;
  readonly ours: Measurement;
  readonly theirs: Measurement;
  /** The name of the other side: `bare object`. */
  readonly against: string;
  readonly targets: readonly Target[];
}

/** A figure to report, and its bound if there is one. */
export interface Target {
  readonly figure: string;
  /** The bound on our figure divided by theirs; or, in `most`, on our figure, ms. */
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly most?: number;
}

/** The result of all rounds for one target. Arrays have a number for each round, in order. */
export interface Comparison {
  readonly scenario: string;
  readonly against: string;
  readonly target: Target;
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
  /** Our figure divided by theirs, of the same round. */
  readonly ratios: readonly number[];
  /** The median of `ratios`. */
  readonly ratio: number;
  /** undefined where there is no bound. */
  readonly met: boolean | undefined;
}

/** Rounds that may be lost before the cause is not the machine. */
const LOST_ROUNDS = 5;

/**
 * Runs a scenario. The side that comes first alternates, so that a slow drift of the machine favours neither.
 *
 * @throws if a server answers wrongly, or several times not at all.
 */
export async function compare(scenario: Scenario, rounds: number): Promise<Comparison[]> {
  const { name, ours, theirs, against, targets } = scenario;
  // Not counted: the first requests start the objects and compile the code.
  await theirs(-1);
  await ours(-1);
  const measured: { readonly ours: Figures; readonly theirs: Figures }[] = [];
  for (let lost = 0, round = 0; measured.length < rounds; round++) {
    const oursFirst = round % 2 === 0 ? await ours(round) : undefined;
    const they = await theirs(round);
    const we = round % 2 === 0 ? oursFirst : await ours(round);
    if (we !== undefined && they !== undefined) measured.push({ ours: we, theirs: they });
    // A shared disk was seen to stall for a second.
    else if (++lost > LOST_ROUNDS) throw new Error(`${name}: no answer in a whole round, ${lost} times`);
  }
  return targets.map((target) => {
    const [we, they] = (['ours', 'theirs'] as const).map((side) =>
      measured.map((round) => round[side][target.figure] ?? Number.NaN),
    );
    return judge(name, against, target, we ?? [], they ?? []);
  });
}

function judge(
  scenario: string,
  against: string,
  target: Target,
  ours: readonly number[],
  theirs: readonly number[],
): Comparison {
  const ratios = ours.map((figure, round) => figure / (theirs[round] ?? Number.NaN));
  const ratio = median(ratios);
  const { atLeast, atMost, most } = target;
  const verdicts = [
    ...(atLeast === undefined ? [] : [ratio >= atLeast]),
    ...(atMost === undefined ? [] : [ratio <= atMost]),
    ...(most === undefined ? [] : [median(ours) <= most]),
  ];
  const met = verdicts.length === 0 ? undefined : verdicts.every(Boolean);
  return { scenario, against, target, ours, theirs, ratios, ratio, met };
}

export function median(numbers: readonly number[]): number {
  return quantile(
    numbers.toSorted((a, b) => a - b),
    0.5,
  );
}
