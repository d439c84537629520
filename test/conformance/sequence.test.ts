/** The recorded responses of the original, request by request: see README.md in this folder. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { newChart } from '../charts.ts';
import { chartOf, evict, machinePath, send, withoutPauses } from '../service.ts';
import recorded from './sequence.json';

interface Case {
  readonly id: string;
  /** YAML. */
  readonly chart: string;
  readonly steps: readonly Step[];
  /** The chart file after the original's last request; null if it never wrote one. */
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

beforeEach(withoutPauses);
afterEach(() => {
  vi.restoreAllMocks();
});

it('has all 60 cases and 1,366 steps', () => {
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
      // A request without a state calls no object.
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
  // The original's refusals have an empty body; these have a reason.
  if (step.status === 200) expect(body, what).toBe(step.body);
  else expect(JSON.parse(body), what).toMatchObject({ status: step.status });
}

async function expectFinal(address: string, { chart, final }: Case): Promise<void> {
  expect(parse(await chartOf(address))).toEqual(final ?? parse(chart));
}
