/** Simulates worlds from the command line: `npm run test:simulation -- --seed N --seconds S`. */
import { parseArgs } from 'node:util';
import { isPlantedBug, PLANTED_BUGS } from './planted-names.ts';
import { describeFailure, simulate, summaryOf } from './simulate.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seconds: { type: 'string' },
    bug: { type: 'string' },
    tight: { type: 'boolean' },
    trace: { type: 'boolean' },
  },
});
// A seed alone repeats its world.
const seconds = Number(values.seconds ?? (values.seed === undefined ? 20 : 0));
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const { bug } = values;
if (bug !== undefined && !isPlantedBug(bug)) {
  console.error(`There is no planted bug "${bug}". There are:\n  ${PLANTED_BUGS.join('\n  ')}`);
  process.exit(1);
}
console.log(`Worlds from seed ${seed} on, for ${seconds} s`);
const report = await simulate({
  seed,
  seconds,
  ...(bug === undefined ? {} : { bug }),
  isTight: values.tight === true,
  isTraced: values.trace === true,
});
const { steps, outcomes, failure } = report;
console.log(summaryOf(report));
for (const counts of [steps, outcomes]) {
  const parts = [...counts]
    .sort((one, other) => other[1] - one[1])
    .map(([kind, count]) => `${kind} ${count}`);
  console.log(parts.join(', '));
}
if (failure !== undefined) {
  console.log(describeFailure(failure));
  process.exitCode = 1;
}
