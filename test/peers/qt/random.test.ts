/** Random charts in Qt's interpreter of SCXML and in ours: the same states are active after each event. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readChart } from '../../../src/chart/chart.ts';
import { Run } from '../../chart/run.ts';
import { EVENTS, randomChart } from '../../chart/statechart/random-charts.ts';
import { cleanUp, temporaryFolder } from '../../process/server.ts';
import { lacks } from '../fetched.ts';
import { comparable } from './comparable.ts';
import { type Answer, buildDriver, Interpreter } from './interpreter.ts';
import { scxmlOf } from './scxml-text.ts';

const SEED = Number(process.env.PEERS_SEED ?? Math.floor(Math.random() * 2 ** 31));
const CHARTS = Number(process.env.PEERS_CHARTS ?? 2_000);
console.log(`random charts in Qt: seed ${SEED}`);

const events = fc.array(fc.constantFrom(...EVENTS), { minLength: 1, maxLength: 12 });

describe.skipIf(lacks('qt'))('Qt', () => {
  let qt: Interpreter;
  beforeAll(async () => {
    qt = new Interpreter(await buildDriver(await temporaryFolder()));
  });
  afterAll(async () => {
    qt.stop();
    await cleanUp();
  });

  it('has the same states active', async ({ task }) => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(randomChart, events, async (random, list) => {
        const chart = JSON.stringify(comparable(random));
        const reading = readChart(chart);
        if (!reading.ok) {
          // A chart that never ends is refused.
          expect(reading.errors.map(({ message }) => message)).toEqual([
            expect.stringMatching(/never ends|cannot start/),
          ]);
          return;
        }
        const ours = play(chart, list);
        const sent = list.slice(0, ours.length - 1);
        const theirs = seen(await qt.run(scxmlOf(reading.chart.model), sent));
        expect(theirs).toEqual(ours);
        compared += 1;
      }),
      { seed: SEED, numRuns: CHARTS, interruptAfterTimeLimit: 400_000, markInterruptAsFailure: true },
    );
    console.log(`random charts in Qt: ${compared} of ${CHARTS} compared`);
    task.meta.peerCases = compared;
    task.meta.peerLeftOut = `${CHARTS - compared} charts that never end`;
    expect(compared).toBeGreaterThan(0.9 * CHARTS);
  }, 600_000);
});

/** The active states after the start and after each event, until the chart is done. */
function play(chart: string, list: readonly string[]): string[] {
  const run = new Run(chart);
  const look = () =>
    run.active
      .filter((name) => name !== 'root')
      .sort()
      .join(' ');
  const states = [look()];
  for (const event of list) {
    if (run.done) break;
    // It never ends: neither does it in Qt.
    if (run.send(event) === 'over-bound') break;
    states.push(look());
  }
  return states;
}

function seen(answer: Answer): string[] {
  if ('endless' in answer) return ['never ends'];
  expect(answer.errors).toEqual([]);
  return answer.configurations.map((names) =>
    names
      .filter((name) => name !== 'root')
      .sort()
      .join(' '),
  );
}
