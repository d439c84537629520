/** A state that is refused as unreachable never becomes current: for random charts and events. */
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

/** The next step: an event to one of the active states or to the whole chart, or time. */
const happenings = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ event: fc.constantFrom(...EVENTS, 'other'), to: fc.nat(30) }) },
    { weight: 1, arbitrary: fc.constant('time' as const) },
  ),
  { minLength: 1, maxLength: 25 },
);
type Happening = typeof happenings extends fc.Arbitrary<(infer Item)[]> ? Item : never;

describe('an unreachable state', () => {
  it('never becomes current', () => {
    const seen = { charts: 0, steps: 0, nevers: 0, entered: 0 };
    fc.assert(
      fc.property(charts, happenings, (text, all) => {
        const chart = open(text);
        const first = chart && start(chart, 0);
        // A chart may be refused for an endless loop.
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
          // A state that was unreachable a step before is unreachable now.
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
    // The property was tested: charts moved, and many states were unreachable.
    expect(seen.charts).toBeGreaterThan(200);
    expect(seen.entered).toBeGreaterThan(1_000);
    expect(seen.nevers).toBeGreaterThan(200);
  }, 60_000);

  // Found by the property above, once in some 6,000 charts.
  it('is not reached by a history state of regions that has nothing to remember', () => {
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

/** @returns the result: undefined if no transition took the event, a refusal if the chart ran in a cycle. */
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
