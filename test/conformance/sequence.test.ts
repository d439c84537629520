/** What the original answered, request by request: see README.md beside this file. */
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { newChart } from '../charts.ts';
import { chartOf, evict, machinePath, send } from '../service.ts';
import recorded from './sequence.json';

interface Case {
  readonly id: string;
  /** YAML. */
  readonly chart: string;
  readonly steps: readonly Step[];
  /** The chart file as the original left it; null where it never wrote one. */
  readonly final: unknown;
}

interface Step {
  readonly method: string;
  /** Null: the request had no `state`. */
  readonly state: string | null;
  readonly status: number;
  readonly body: string;
}

const cases: readonly Case[] = recorded;

it('has all of the 60 cases and 1,366 steps at hand', () => {
  const steps = cases.reduce((sum, { steps }) => sum + steps.length, 0);
  console.log(`conformance: ${cases.length} cases, ${steps} steps`);
  expect([cases.length, steps]).toEqual([60, 1_366]);
});

it.each(cases)('answers case $id as the original did', async (recording) => {
  const address = await newChart(recording.chart);
  for (const [i, step] of recording.steps.entries()) await expectStep(address, step, i);
  await expectFinal(address, recording);
});

const evicted = cases.filter((_, i) => i % 5 === 0);

it.each(evicted)(
  'answers case $id so with the object thrown away between every two steps',
  async (recording) => {
    const address = await newChart(recording.chart);
    for (const [i, step] of recording.steps.entries()) {
      await expectStep(address, step, i);
      // A request without a state has asked no object.
      if (step.state !== null) await evict(address);
    }
    await expectFinal(address, recording);
  },
);

async function expectStep(address: string, step: Step, index: number): Promise<void> {
  const query = step.state === null ? '' : `?state=${encodeURIComponent(step.state)}`;
  const response = await send(step.method, `${machinePath(address)}/state${query}`);
  const body = await response.text();
  const what = `step ${index}: ${step.method} ${JSON.stringify(step.state)}`;
  expect(response.status, what).toBe(step.status);
  // What the original refused with an empty body says why here.
  if (step.status === 200) expect(body, what).toBe(step.body);
  else expect(JSON.parse(body), what).toMatchObject({ status: step.status });
}

async function expectFinal(address: string, { chart, final }: Case): Promise<void> {
  expect(parse(await chartOf(address))).toEqual(final ?? parse(chart));
}
