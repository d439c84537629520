/** Nobody is told "never" of a state that then comes: for every chart, whatever happens to it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Chart,
  fire,
  isDone,
  type NoStep,
  nameOf,
  nextTimer,
  reachable,
  readChart,
  type Snapshot,
  type StateNumber,
  type Step,
  send,
  start,
} from '../../src/chart/chart.ts';
import { charts, EVENTS } from './random-charts.ts';

/** What happens next: an event to one of the active states or to the whole chart, or time. */
const happenings = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ event: fc.constantFrom(...EVENTS, 'other'), to: fc.nat(30) }) },
    { weight: 1, arbitrary: fc.constant('time' as const) },
  ),
  { minLength: 1, maxLength: 25 },
);
type Happening = typeof happenings extends fc.Arbitrary<(infer Item)[]> ? Item : never;

describe('what can never come', () => {
  it('never comes', () => {
    const seen = { charts: 0, steps: 0, nevers: 0, entered: 0 };
    fc.assert(
      fc.property(charts, happenings, (text, all) => {
        const chart = open(text);
        const first = chart && start(chart, 0);
        // A chart may be refused for a loop that it would run in.
        if (chart === undefined || first === undefined || !first.ok) return;
        seen.charts += 1;
        let { snapshot } = first;
        let possible = reachable(chart, snapshot);
        for (const happening of all) {
          const step = happen(chart, snapshot, happening);
          if (step === undefined) continue;
          if (!step.ok) break;
          const came = [...step.entered, ...step.snapshot.active.keys()];
          const impossible = came.filter((state) => !possible.has(state));
          expect(impossible.map((state) => nameOf(chart, state))).toEqual([]);
          snapshot = step.snapshot;
          const now = reachable(chart, snapshot);
          // What could not come a step ago cannot come now either.
          expect(
            [...now].filter((state) => !possible.has(state)).map((state) => nameOf(chart, state)),
          ).toEqual([]);
          possible = now;
          seen.steps += 1;
          seen.entered += step.entered.length;
          seen.nevers += chart.model.states.length - possible.size;
        }
      }),
      { numRuns: 300 },
    );
    // It was put to the test: charts moved, and much was said to be impossible.
    expect(seen.charts).toBeGreaterThan(200);
    expect(seen.entered).toBeGreaterThan(1_000);
    expect(seen.nevers).toBeGreaterThan(200);
  }, 60_000);

  // Found by the property above, once in some 6,000 charts.
  it('does not come by a history state of regions that has nothing to remember', () => {
    const chart = open(`
initial: first
states:
  first: {on: {go: both}}
  both:
    type: parallel
    states:
      eu: {on: {go: '#memory'}}
      us: {}
      memory: {id: memory, type: history}
`);
    const first = chart && start(chart, 0);
    if (chart === undefined || !first?.ok) throw new Error('it does not start');
    let { snapshot } = first;
    for (let i = 0; i < 2; i++) {
      const step = event(chart, snapshot, { event: 'go', to: 0 });
      if (!step.ok) throw new Error(step.detail);
      snapshot = step.snapshot;
    }
    const names = [...snapshot.active.keys()].map((state) => nameOf(chart, state));
    expect(names).toEqual(['both', 'both.eu', 'both.us']);
  });
});

function open(text: string): Chart | undefined {
  const reading = readChart(text);
  if (reading.ok) return reading.chart;
  const others = reading.errors.filter(({ message }) => !/never ends|without end|cannot start/.test(message));
  if (others.length > 0) throw new Error(`${text}: ${JSON.stringify(others)}`);
  return undefined;
}

/** @returns what came of it: nothing where no transition took it, and a refusal where it ran in a circle. */
function happen(chart: Chart, snapshot: Snapshot, happening: Happening): Step | NoStep | undefined {
  if (isDone(snapshot)) return undefined;
  const step = happening === 'time' ? time(chart, snapshot) : event(chart, snapshot, happening);
  return step?.ok === false && step.reason === 'not-taken' ? undefined : step;
}

function time(chart: Chart, snapshot: Snapshot) {
  const timer = nextTimer(snapshot.timers.values());
  return timer && fire(chart, snapshot, timer);
}

function event(chart: Chart, snapshot: Snapshot, { event: type, to }: { event: string; to: number }) {
  const addresses: StateNumber[] = [0, ...snapshot.active.keys()];
  return send(chart, snapshot, { type, address: addresses[to % addresses.length] ?? 0 }, 0);
}
