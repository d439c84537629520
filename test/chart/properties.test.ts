/** Properties of every sequence under every series of events. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isDone,
  quorums,
  readChart,
  restoreSnapshot,
  storeSnapshot,
  writeChart,
} from '../../src/chart/chart.ts';
import { counting, final, sequence } from '../charts.ts';
import { begin, currentOf, leftOf, openText, reportOn, type Walk, waitUntil } from './walk.ts';

const MINUTE = 60_000;

/** A state of a generated chart: its target, and how it is left. */
interface Plan {
  readonly name: string;
  readonly target: string;
  readonly from: number;
  /** Updates until it is left; 0 for a `time` state and for the final one. */
  readonly updates: number;
  /** Minutes since the epoch at which a `time` state is left. */
  readonly minute: number;
}

/** A step: a report on the current state or on the nth, or a number of minutes. */
type Happening = { readonly report: number | 'current' } | { readonly minutes: number };

const names = fc.uniqueArray(
  fc.oneof(
    fc.constantFrom(
      '__proto__',
      'constructor',
      'yes',
      'null',
      '0x1',
      '1e3',
      '2001-01-01',
      '🚀',
      '- ',
      ': ',
      '#',
      'a b',
      '',
      'a\nb',
      "'",
      '"',
    ),
    fc.string({ unit: 'grapheme', maxLength: 8 }),
  ),
  { minLength: 2, maxLength: 8 },
);

/** Chains: each state leads to the next one, and the last is final. No `time` states make a ring. */
const chains: fc.Arbitrary<readonly Plan[]> = names.chain((all) =>
  fc.tuple(...all.map((name, i) => planOf(name, fc.constant(all[i + 1] ?? name), fc.nat(3)))),
);

/** Any state leads to any state, also to itself. All are counted, so that no ring of timers is endless. */
const tangles: fc.Arbitrary<readonly Plan[]> = names.chain((all) =>
  fc.tuple(...all.map((name) => planOf(name, fc.constantFrom(...all), fc.integer({ min: 1, max: 4 })))),
);

function planOf(
  name: string,
  target: fc.Arbitrary<string>,
  updates: fc.Arbitrary<number>,
): fc.Arbitrary<Plan> {
  return fc.record({
    name: fc.constant(name),
    target,
    updates,
    from: fc.integer({ min: -20, max: 20 }).map((quarter) => quarter / 4),
    minute: fc.integer({ min: -5, max: 30 }),
  });
}

const happenings: fc.Arbitrary<readonly Happening[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant({ report: 'current' as const }) },
    { weight: 2, arbitrary: fc.record({ report: fc.nat(7) }) },
    { weight: 1, arbitrary: fc.record({ minutes: fc.nat(10) }) },
  ),
  { maxLength: 40 },
);

describe('every chain', () => {
  it('never returns to an earlier state', () => {
    fc.assert(
      fc.property(chains, happenings, (plans, all) => {
        const walk = begin(openText(textOf(plans)));
        for (const happening of all) happen(walk, plans, happening);
        const order = plans.map(({ name }) => name);
        expect(walk.visits).toEqual(order.slice(0, walk.visits.length));
      }),
    );
  });

  it('ends after as many accepted updates as the sum of its counts', () => {
    fc.assert(
      fc.property(chains, fc.nat(3), (plans, seed) => {
        const walk = begin(openText(textOf(plans)));
        let accepted = 0;
        for (let i = seed; !isDone(walk.snapshot); i++) {
          if (i > 1_000) throw new Error('the chain does not end');
          if (reportOn(walk, plans[i % plans.length]?.name ?? '')) accepted += 1;
          else waitUntil(walk, walk.now + MINUTE);
        }
        expect(accepted).toBe(plans.slice(0, -1).reduce((sum, { updates }) => sum + updates, 0));
        expect(currentOf(walk)).toBe(plans.at(-1)?.name);
      }),
    );
  });

  it('ends in the same state however late its timers fire', () => {
    fc.assert(
      fc.property(chains, (plans) => {
        const [punctual, late] = [begin(openText(textOf(plans))), begin(openText(textOf(plans)))];
        for (let minute = 0; minute <= 60; minute++) waitUntil(punctual, minute * MINUTE);
        waitUntil(late, 60 * MINUTE);
        expect(stored(late)).toEqual(stored(punctual));
        expect(late.visits).toEqual(punctual.visits);
      }),
    );
  });
});

describe('every sequence', () => {
  it('agrees with a model that only counts', () => {
    fc.assert(
      fc.property(tangles, happenings, (plans, all) => {
        const walk = begin(openText(textOf(plans)));
        let current = plans[0];
        let beads = 0;
        for (const happening of all) {
          const counted = happen(walk, plans, happening);
          if (!('report' in happening)) continue;
          const reported = happening.report === 'current' ? current : plans[happening.report % plans.length];
          const final = current === plans.at(-1);
          expect(counted).toBe(reported === current && !final);
          if (!counted || current === undefined) continue;
          beads += 1;
          if (beads < current.updates) continue;
          const { target } = current;
          current = plans.find(({ name }) => name === target);
          beads = 0;
        }
        expect(currentOf(walk)).toBe(current?.name);
        const [progress] = quorums(walk.chart, walk.snapshot);
        if (current !== plans.at(-1)) expect(progress?.have).toBe((current?.from ?? 0) + beads);
      }),
    );
  });

  it('is unchanged by storing and restoring it between any two events', () => {
    fc.assert(
      fc.property(fc.oneof(chains, tangles), happenings, (plans, all) => {
        const chart = openText(textOf(plans));
        const [kept, woken] = [begin(chart), begin(chart)];
        for (const happening of all) {
          const stored = JSON.parse(JSON.stringify(storeSnapshot(woken.snapshot)));
          const timers = JSON.parse(JSON.stringify([...woken.snapshot.timers.values()]));
          woken.snapshot = restoreSnapshot(stored, timers, woken.snapshot.terms);
          expect(happen(woken, plans, happening)).toBe(happen(kept, plans, happening));
        }
        expect(stored(woken)).toEqual(stored(kept));
        expect([woken.visits, woken.left]).toEqual([kept.visits, kept.left]);
      }),
    );
  });

  it('leaves a snapshot unchanged by later events', () => {
    fc.assert(
      fc.property(tangles, happenings, (plans, all) => {
        const walk = begin(openText(textOf(plans)));
        const snapshot = walk.snapshot;
        const before = JSON.stringify(stored(walk));
        for (const happening of all) happen(walk, plans, happening);
        expect(JSON.stringify(stored({ ...walk, snapshot }))).toBe(before);
      }),
    );
  });

  it('is written as a chart that continues from the same state', () => {
    fc.assert(
      fc.property(chains, happenings, happenings, (plans, first, second) => {
        const original = textOf(plans);
        const walk = begin(openText(original));
        for (const happening of first) happen(walk, plans, happening);
        const text = writeChart(walk.chart, walk.snapshot, leftOf(walk), original);
        const reading = readChart(text);
        if (!reading.ok) throw new Error(`${text} has ${JSON.stringify(reading.errors)}`);
        const resumed = begin(reading.chart, walk.now);
        expect(currentOf(resumed)).toBe(currentOf(walk));
        expect(counts(resumed)).toEqual(counts(walk));
        for (const happening of second)
          expect(happen(resumed, plans, happening)).toBe(happen(walk, plans, happening));
        expect(currentOf(resumed)).toBe(currentOf(walk));
        expect(writeChart(resumed.chart, resumed.snapshot, leftOf(resumed), text)).toBe(
          writeChart(walk.chart, walk.snapshot, leftOf(walk), original),
        );
      }),
    );
  });

  it('has a warning exactly where its count can never be reached', () => {
    fc.assert(
      fc.property(quarters, quarters, (from, until) => {
        const reading = readChart(sequence(counting('a', 'b', until, from), final('b')));
        let value = from;
        let reached = false;
        for (let i = 0; i < 50 && !reached; i++) reached = ++value === until;
        expect(reading.warnings).toHaveLength(reached ? 0 : 1);
      }),
    );
  });
});

const quarters = fc.integer({ min: -40, max: 40 }).map((quarter) => quarter / 4);

function textOf(plans: readonly Plan[]): string {
  const states = plans.map(({ name, target, from, updates, minute }, i) => {
    if (i === plans.length - 1) return { name };
    const at = new Date(minute * MINUTE).toISOString();
    if (updates === 0)
      return { name, func: 'time', target: { name: target, when: { key: 'clock', value: at } } };
    return {
      name,
      func: 'increment',
      current: { key: 'count', value: from },
      target: { name: target, when: { key: 'count', value: from + updates } },
    };
  });
  return JSON.stringify({ current_state: plans[0]?.name, states });
}

/** @returns whether a report was counted. */
function happen(walk: Walk, plans: readonly Plan[], happening: Happening): boolean {
  if ('report' in happening) {
    const { report } = happening;
    const name = report === 'current' ? currentOf(walk) : plans[report % plans.length]?.name;
    return reportOn(walk, name ?? '');
  }
  waitUntil(walk, walk.now + happening.minutes * MINUTE);
  return false;
}

function stored({ snapshot }: Walk) {
  return { ...storeSnapshot(snapshot), timers: [...snapshot.timers.values()] };
}

function counts({ chart, snapshot }: Walk) {
  return quorums(chart, snapshot).map(({ event, have, until }) => ({ event, have, until }));
}
