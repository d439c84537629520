/**
 * `npm run test:faults`: runs a real server that is killed again and again, and checks each run: whether the calls
 * and answers of its clients can come from one machine that executes one call at a time, loses nothing, and counts
 * nothing twice.
 */
import { parseArgs } from 'node:util';
import { setup as bundle } from '../process/bundled.ts';
import { cleanUp } from '../process/server.ts';
import { judge, summaryOf } from './judge.ts';
import { removeReleasedWorker } from './released-worker.ts';
import { PLAN, runOnce } from './run.ts';

const USAGE = `npm run test:faults -- [--seeds N] [--first SEED] [--operations N]

  --seeds N        how many runs (4)
  --first SEED     the first one's seed (any); the others follow it
  --operations N   the answered calls of each run, at least (${PLAN.operations})
`;

interface Flags {
  readonly seeds: number;
  readonly first: number;
  readonly operations: number;
}

const flags = readFlags();
if (flags !== undefined) {
  const removeBundle = await bundle();
  process.exitCode = await runAll(flags);
  await removeBundle?.();
  await removeReleasedWorker();
}

/** @returns the exit code: 1 if a run was not linearizable, or tested too little. */
async function runAll({ seeds, first, operations }: Flags): Promise<number> {
  const totals = { answered: 0, unknown: 0, kills: 0, linearizable: 0, good: 0 };
  for (let seed = first; seed < first + seeds; seed++) {
    const run = await runOnce({ ...PLAN, operations, seed })
      .catch((error: unknown) => {
        console.log(`seed ${seed}: the run has failed`);
        throw error;
      })
      .finally(cleanUp);
    const judgement = judge(run);
    console.log(summaryOf(run, judgement));
    const { isLinearizable, missing, work } = judgement;
    for (const name of ['answered', 'unknown', 'kills'] as const) totals[name] += work[name];
    if (isLinearizable) totals.linearizable += 1;
    if (isLinearizable && missing.length === 0) totals.good += 1;
  }
  const { answered, unknown, kills, linearizable, good } = totals;
  console.log(
    `${linearizable} of ${seeds} runs are linearizable: ${answered} operations answered, ${unknown} unknown outcomes, ${kills} kills`,
  );
  return good === seeds ? 0 : 1;
}

function readFlags(): Flags | undefined {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      first: { type: 'string' },
      operations: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const seeds = Number(values.seeds ?? 4);
  const first = Number(values.first ?? Math.floor(Math.random() * 100_000));
  const operations = Number(values.operations ?? PLAN.operations);
  const areWhole = [seeds, first, operations].every(Number.isSafeInteger);
  if (!values.help && areWhole && seeds > 0 && operations >= PLAN.operations)
    return { seeds, first, operations };
  console.log(USAGE);
  process.exitCode = values.help ? 0 : 2;
  return undefined;
}
