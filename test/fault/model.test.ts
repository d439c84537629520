/** The model: the histories that it accepts, and the planted faults that it must refuse. */
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { FUZZ, IS_LONG } from '../fuzz.ts';
import type { Call } from './histories.ts';
import {
  answered,
  ask,
  chartOf,
  claim,
  claimOf,
  died,
  isAccepted,
  read,
  refused,
  report,
  reportOf,
  yes,
} from './histories.ts';
import { termsOf } from './judge.ts';
import type { Answer, Request } from './requests.ts';
import { type Shape, shapeOf } from './shapes.ts';
import { type Deed, simulate } from './simulation.ts';

// The long tests try ten times as many histories.
vi.setConfig({ testTimeout: 300_000 });

/**
 * The short tests try the same histories each time: a timer that is due within the slack of the clocks could stand for a
 * call that is missing.
 */
const SEED = IS_LONG ? FUZZ.seed : 1;

const IDLE = chartOf('initial: a\nstates: {a: {on: {update: {target: b, quorum: 3}}}, b: {on: {update: a}}}');

describe('the model accepts', () => {
  it('a claim, the report of its holder, and then another caller’s claim', () => {
    const history = [
      claim(10, 'x', { revision: 2, until: 1_011 }),
      report(20, { state: 'work', by: 'x' }, 3),
      claim(30, 'y', { revision: 4, until: 1_030 }),
    ];
    expect(isAccepted(history)).toBe(true);
  });

  it('a second claim once the lease of the first has ended, and not before', () => {
    const first = claim(10, 'x', { revision: 2, until: 1_010 });
    expect(isAccepted([first, claim(1_011, 'y', { revision: 4, until: 2_011 })])).toBe(true);
    expect(isAccepted([first, claim(990, 'y', { revision: 4, until: 1_990 })])).toBe(false);
    expect(isAccepted([first, ask(1_100, 'work', yes(3))])).toBe(true);
    expect(isAccepted([first, ask(1_100, 'work', yes(2))])).toBe(false);
  });

  it('a state that is left when its timer is due, and not before', () => {
    const left = refused(2, 'not-current', ['rest']);
    expect(isAccepted([ask(1_490, 'work', yes(1)), ask(1_510, 'work', left)])).toBe(true);
    expect(isAccepted([ask(1_490, 'work', left)])).toBe(false);
    expect(isAccepted([ask(1_510, 'work', yes(1))])).toBe(false);
  });

  it('either of two timers as the first, if the history does not show the order', () => {
    const chart = chartOf(
      JSON.stringify({
        type: 'parallel',
        states: {
          eu: { initial: 'a', states: { a: { after: { '100ms': 'b' } }, b: {} } },
          us: { initial: 'a', states: { a: { on: { update: 'b' } }, b: { after: { '50ms': 'c' } }, c: {} } },
        },
      }),
    );
    const answer = { known: true, answer: yes(2), returned: 60 } as const;
    const slow: Call = { client: '', request: reportOf({ state: 'us.a' }), called: 5, outcome: answer };
    expect(isAccepted([slow, ask(70, 'us.c', yes(3)), ask(110, 'eu.b', yes(4))], chart)).toBe(true);
    expect(isAccepted([slow, ask(106, 'eu.b', yes(3)), ask(107, 'us.b', yes(3))], chart)).toBe(true);
    expect(isAccepted([slow, ask(70, 'us.c', yes(3)), ask(110, 'eu.b', yes(3))], chart)).toBe(false);
  });

  it('a report that died, was counted or not, and was repeated', () => {
    const lost = died(10, reportOf({ by: 'x' }), 50);
    for (const said of [report(60, { by: 'x' }, 2), report(60, { by: 'y' }, 3)])
      expect(isAccepted([lost, said], IDLE)).toBe(true);
    // A repeat is the same report, so nothing explains a third revision.
    expect(isAccepted([lost, report(60, { by: 'x' }, 3)], IDLE)).toBe(false);
  });

  it('a keyed report that died and was refused; its repeat is refused too, though it would be counted now', () => {
    const said = { state: 'b', key: 'k' };
    const lost = died(10, reportOf(said), 50);
    const before = [lost, report(20, {}, 2), report(22, {}, 3), report(24, {}, 4)];
    const again = (answer: Answer) => answered(60, reportOf(said), answer);
    expect(isAccepted([...before, again(refused(2, 'not-current', ['a']))], IDLE)).toBe(true);
    expect(isAccepted([...before, again(yes(5))], IDLE)).toBe(true);
    // The report was not sent at a time when this was the answer.
    expect(isAccepted([...before, again(refused(4, 'not-current', ['a']))], IDLE)).toBe(false);
  });

  it('a keyed report that died and was refused; its key is used for another report', () => {
    const lost = died(10, reportOf({ state: 'b', key: 'k' }), 50);
    const reused = answered(60, reportOf({ key: 'k' }), refused(1, 'key-reused', ['a'], 422));
    expect(isAccepted([lost, reused], IDLE)).toBe(true);
    expect(isAccepted([lost, report(60, { key: 'k' }, 2)], IDLE)).toBe(true);
    // No other report was sent under this key.
    expect(isAccepted([reused], IDLE)).toBe(false);
  });

  it('every history of a machine, however its calls overlap, and wherever a call dies', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 50 }),
        fc.array(anyDeed, { maxLength: 60, size: 'max' }),
        (seed, deeds) => {
          const { chart, terms, history } = historyOf(seed, deeds);
          expect(isAccepted(history, chart, terms)).toBe(true);
        },
      ),
      { seed: SEED, numRuns: FUZZ.runs / 10 },
    );
  });
});

describe('the model refuses', () => {
  it('a stale read', () => {
    const before = [report(10, {}, 2), report(20, {}, 3)];
    expect(isAccepted([...before, ask(30, 'a', yes(3))], IDLE)).toBe(true);
    expect(isAccepted([...before, ask(30, 'a', yes(2))], IDLE)).toBe(false);
  });

  it('a stale document whose revision is right', () => {
    const history = [report(10, {}, 2), report(20, {}, 3)];
    expect(isAccepted([...history, read(30, 3, 2)], IDLE)).toBe(true);
    expect(isAccepted([...history, read(30, 3, 1)], IDLE)).toBe(false);
  });

  it('a lost update', () => {
    expect(isAccepted([report(10, {}, 2), report(20, {}, 3), read(30, 3, 2)], IDLE)).toBe(true);
    expect(isAccepted([report(10, {}, 2), report(20, {}, 2), read(30, 2, 1)], IDLE)).toBe(false);
    expect(isAccepted([report(10, {}, 2), read(30, 1, 0)], IDLE)).toBe(false);
  });

  it('a double count', () => {
    expect(isAccepted([report(10, {}, 2), read(30, 3, 2)], IDLE)).toBe(false);
    expect(isAccepted([report(10, { by: 'x' }, 2), report(20, { by: 'x' }, 2)], IDLE)).toBe(true);
    expect(isAccepted([report(10, { by: 'x' }, 2), report(20, { by: 'x' }, 3)], IDLE)).toBe(false);
    expect(isAccepted([report(10, { key: 'k' }, 2), report(20, { key: 'k' }, 2)], IDLE)).toBe(true);
    expect(isAccepted([report(10, { key: 'k' }, 2), report(20, { key: 'k' }, 3)], IDLE)).toBe(false);
  });

  it('a double count of a caller whose first report left the state', () => {
    const by = { by: 'x' };
    const left = [report(10, {}, 2), report(20, {}, 3), report(30, by, 4)];
    expect(isAccepted([...left, report(40, by, 4)], IDLE)).toBe(true);
    expect(isAccepted([...left, answered(40, reportOf(by), refused(4, 'not-current', ['b']))], IDLE)).toBe(
      false,
    );
    // In the next visit it counts again.
    const again = [...left, answered(40, { ...reportOf({}), state: 'b' }, yes(5))];
    expect(isAccepted([...again, report(50, by, 6)], IDLE)).toBe(true);
    expect(isAccepted([...again, report(50, by, 5)], IDLE)).toBe(false);
  });

  it('a claim held twice', () => {
    const first = claim(10, 'x', { revision: 2, until: 1_010 });
    expect(isAccepted([first, claim(20, 'y', { revision: 3, until: 1_020 })])).toBe(false);
    const taken = { ...refused(2, 'slots-taken', ['work']), holders: ['x'] };
    expect(isAccepted([first, answered(20, claimOf('y'), taken)])).toBe(true);
    expect(isAccepted([first, answered(20, claimOf('y'), { ...taken, holders: ['z'] })])).toBe(false);
  });

  it('a report of a caller that has released its slot', () => {
    const released = answered(20, { ...claimOf('x'), type: 'release' }, { status: 204, revision: 3 });
    const first = claim(10, 'x', { revision: 2, until: 1_010 });
    expect(isAccepted([first, report(15, { state: 'work', by: 'x' }, 3)])).toBe(true);
    expect(isAccepted([first, released, report(30, { state: 'work', by: 'x' }, 4)])).toBe(false);
  });

  it('an update that was acknowledged and is missing after a kill', () => {
    const cutOff = died(21, reportOf({}), 30);
    const before = [report(10, {}, 2), report(20, {}, 3), cutOff];
    expect(isAccepted([...before, read(500, 3, 2)], IDLE)).toBe(true);
    expect(isAccepted([...before, answered(500, { type: 'is', state: 'b' }, yes(4))], IDLE)).toBe(true);
    expect(isAccepted([...before, read(500, 2, 1)], IDLE)).toBe(false);
  });

  it('a call that takes effect after its server was killed', () => {
    const history = [died(10, reportOf({}), 30), read(100, 1, 0), read(200, 2, 1)];
    expect(isAccepted(history, IDLE)).toBe(false);
  });

  it('a timer that fires twice', () => {
    const rest = (revision: number) => refused(revision, 'not-current', ['rest']);
    expect(isAccepted([ask(1_600, 'work', rest(2)), ask(1_700, 'work', rest(2))])).toBe(true);
    expect(isAccepted([ask(1_600, 'work', rest(2)), ask(1_700, 'work', rest(3))])).toBe(false);
  });

  it('every history in which a call with an effect is missing', () => {
    fc.assert(
      fc.property(
        // Of a fleet, no report without a name counts.
        fc.integer({ min: 0, max: 50 }).filter((seed) => shapeOf(seed, 0).zones === undefined),
        fc.array(anyCall, { minLength: 15, maxLength: 40 }),
        fc.nat(),
        (seed, deeds, nth) => {
          const { chart, terms, history } = historyOf(
            seed,
            deeds.map((deed) => ({ ...deed, dies: false })),
          );
          const counted = history.filter(({ request, outcome }) => {
            const isFirst =
              request.type === 'update' && request.by === undefined && request.key === undefined;
            return isFirst && outcome.known && outcome.answer.status === 200;
          });
          const taken = counted[nth % counted.length];
          fc.pre(taken !== undefined);
          expect(
            isAccepted(
              history.filter((call) => call !== taken),
              chart,
              terms,
            ),
          ).toBe(false);
        },
      ),
      { seed: SEED, numRuns: FUZZ.runs / 20 },
    );
  });
});

const anyState = fc.nat(3);
const anyName = fc.constantFrom('x', 'y', 'z');
const anyTimes = { after: fc.oneof(fc.nat(15), fc.nat(600)), sent: fc.nat(20), back: fc.nat(20) };
const CALLS = ['is', 'status', 'update', 'update', 'update', 'claim', 'claim', 'renew', 'release'] as const;
const OPERATIONS = ['members', 'strike', 'inputs', 'pause', 'resume', 'override'] as const;
const OTHERS = [...OPERATIONS, 'missing', 'reports', 'makeLink', 'showLink', 'useLink'] as const;

/** The state is a number, because the states depend on the seed. */
const deedOf = <Type extends (typeof CALLS | typeof OTHERS)[number]>(types: readonly Type[]) =>
  fc.record({
    state: anyState,
    type: fc.constantFrom(...types),
    by: fc.option(anyName, { freq: 2 }),
    key: fc.option(fc.constantFrom('k1', 'k2', 'k3'), { freq: 2 }),
    revision: fc.option(fc.nat(12), { freq: 2 }),
    dies: fc.boolean(),
    members: fc.option(
      fc.uniqueArray(fc.tuple(anyName, fc.constantFrom('north', 'south')), {
        selector: ([name]) => name,
        maxLength: 3,
      }),
      { freq: 5 },
    ),
    lasts: fc.option(fc.nat({ max: 500 }), { freq: 2 }),
    ...anyTimes,
  });
const anyDeed = deedOf([...CALLS, ...OTHERS]);
/** Without the commands of operators: a move by hand can look like a timer that fired a little earlier. */
const anyCall = deedOf(CALLS);

type AnyDeed = typeof anyDeed extends fc.Arbitrary<infer Value> ? Value : never;

/** Simulates calls on the chart of a seed, and a status query at the end. */
function historyOf(seed: number, deeds: readonly AnyDeed[]) {
  const shape = shapeOf(seed, 0);
  const chart = chartOf(shape.chart);
  const terms = termsOf(chart, shape);
  const all = deeds.map(
    (deed, i): Deed => ({ ...deed, request: requestOf(shape, deed), dies: deed.dies && i % 5 === 0 }),
  );
  const last: Deed = { request: { type: 'status' }, after: 100, sent: 0, back: 0 };
  return { chart, terms, history: simulate(chart, terms, [...all, last]) };
}

function requestOf(
  shape: Shape,
  { state: number, by, key, revision, members, lasts, type }: AnyDeed,
): Request {
  const state = shape.states[number % shape.states.length] ?? '';
  const caller = by === null ? {} : { by };
  switch (type) {
    case 'update':
      return {
        type,
        state,
        event: 'update',
        ...caller,
        ...(key === null ? {} : { key }),
        ...(revision === null ? {} : { revisions: [revision] }),
      };
    case 'is':
      return { type, state, ...caller };
    case 'reports':
      return { type, state, limit: 1_000 };
    case 'claim':
    case 'renew':
    case 'release':
      return { type, state, by: by ?? 'x' };
    case 'makeLink':
      return { type, state, event: 'update', by: by ?? 'x' };
    case 'showLink':
    case 'useLink':
      return { type, state, event: 'update', by: by ?? 'x', link: '', visit: revision ?? 1 };
    case 'members': {
      const list = members?.map(([name, zone]) => [name, { zone }]);
      return list === undefined ? { type } : { type, list: JSON.stringify(list) };
    }
    case 'strike':
      return { type, member: by ?? 'x' };
    case 'inputs':
      return { type, inputs: shape.inputs === undefined ? {} : { batch: String(1 + number) } };
    case 'pause':
      return { type, ...caller, ...(lasts === null ? {} : { lasts: lasts + 1 }) };
    case 'override':
      return { type, to: state, reason: 'a test' };
    default:
      return { type };
  }
}
