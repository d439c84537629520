/**
 * 78 charts from the test suites of SCXML (sources in README.md in this folder), each run twice:
 * through the pure core, and over HTTP through the object.
 */
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Run } from '../chart/run.ts';
import { newChart } from '../charts.ts';
import { ask, evict, send, statusOf, withoutPauses } from '../service.ts';
import data from './statechart.json';

interface Expected {
  /** The active states without active children. */
  readonly expect: readonly string[];
  /** The same and their ancestors. */
  readonly active: readonly string[];
}

interface Case {
  readonly id: string;
  /** Whether the clock advances until no timer is left. */
  readonly settle: string;
  readonly chart: object;
  readonly initial: Expected;
  /** `after`: ms that pass before the event. */
  readonly events: readonly (Expected & { readonly event: string; readonly after?: number })[];
  readonly allStates: readonly string[];
}

const cases: readonly Case[] = data;
const UNTIL_IDLE = 'run external queue and timers until idle or done (virtual clock, max 60s), then compare';
const AS_TOLD = 'after each event run macrostep + external queue, timers only when event.after says so';
/** ms for which a chart that settles by itself runs. */
const SETTLING = 60_000;

it('has 78 cases, each of which says how it settles', () => {
  expect(cases).toHaveLength(78);
  for (const { settle } of cases) expect([UNTIL_IDLE, AS_TOLD]).toContain(settle);
});

describe('through the pure core, stored and restored between every two steps', () => {
  let passed = 0;

  it.each(cases)('$id', ({ chart, settle, initial, events, allStates }) => {
    const run = new Run(JSON.stringify(chart));
    const settled = () => (settle === UNTIL_IDLE ? run.settle(SETTLING) : run);
    expectActive(settled(), initial, allStates);
    for (const { event, after = 0, ...expected } of events) {
      run.wait(after);
      run.send(event);
      expectActive(settled(), expected, allStates);
    }
    passed += 1;
  });

  afterAll(() => {
    console.log(`statechart conformance: ${passed} of ${cases.length} cases pass through the pure core`);
  });
});

describe('over HTTP, with the object restarted between every two steps', () => {
  // Far ahead of the platform's clock, which tests cannot move: no alarm fires by itself.
  const START = Date.parse('2040-06-01T12:00:00Z');
  let passed = 0;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(START);
    withoutPauses();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it.each(cases)('$id', async ({ chart, settle, initial, events, allStates }) => {
    const core = new Run(JSON.stringify(chart), START);
    const address = await newChart(JSON.stringify(chart));
    const settled = async () => {
      if (settle === UNTIL_IDLE) {
        core.settle(SETTLING);
        await passTime(address, SETTLING);
      }
    };
    await settled();
    await expectAnswers(address, initial, allStates);
    for (const { event, after = 0, ...expected } of events) {
      await evict(address);
      vi.setSystemTime(Date.now() + after);
      const { status } = await send('PUT', `/${address}/state?state=root&event=${encodeURIComponent(event)}`);
      core.wait(after);
      expect(status).toBe(core.send(event) === 'taken' ? 200 : 406);
      await evict(address);
      await settled();
      await expectAnswers(address, expected, allStates);
    }
    passed += 1;
  });

  afterAll(() => {
    console.log(`statechart conformance: ${passed} of ${cases.length} cases pass over HTTP`);
  });
});

/** The prefix of ids of states that the translation of a case added. */
const isInternal = (name: string) => name.startsWith('__');

function expectActive(run: Run, { active, expect: leaves }: Expected, allStates: readonly string[]): void {
  const ofTheCase = (names: readonly string[]) => names.filter((name) => !isInternal(name)).toSorted();
  expect(ofTheCase(run.leaves)).toEqual(leaves.toSorted());
  expect(ofTheCase(run.active)).toEqual(active.toSorted());
  expect(allStates).toEqual(expect.arrayContaining([...active]));
}

async function expectAnswers(
  address: string,
  { active }: Expected,
  allStates: readonly string[],
): Promise<void> {
  const right = Object.fromEntries(allStates.map((state) => [state, active.includes(state) ? 200 : 406]));
  const answers: Record<string, number> = {};
  for (const state of allStates) answers[state] = (await ask(address, state)).status;
  expect(answers).toEqual(right);
}

/** Advances the clock from timer to timer, and restarts the object at each, until none is left. */
async function passTime(address: string, most: number): Promise<void> {
  const end = Date.now() + most;
  for (;;) {
    const [next] = (await statusOf(address)).timers;
    if (next === undefined || Date.parse(next.at) > end) return;
    await evict(address);
    vi.setSystemTime(Math.max(Date.now(), Date.parse(next.at)));
  }
}
