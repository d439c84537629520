/** The model: the histories that it accepts, and the planted faults that it must refuse. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readChart } from '../../src/chart/chart.ts';
import type { Update } from '../../src/commands.ts';
import { withHeard } from './heard.ts';
import type { Operation } from './history.ts';
import { linearize } from './linearizability.ts';
import { modelOf } from './model.ts';
import { shapeOf } from './shapes.ts';
import { type Deed, simulate } from './simulation.ts';
import type { Answer, Request } from './wire.ts';

type Call = Operation<Request, Answer>;

/** `work` is left after three reports of holders of its only slot, or after a second and a half. */
const CHART = chartOf(
  JSON.stringify({
    initial: 'work',
    states: {
      work: {
        slots: 1,
        lease: '1s',
        on: { update: { target: 'rest', quorum: 3 } },
        after: { '1500ms': 'rest' },
      },
      rest: { on: { update: { target: 'work', quorum: 2 } } },
    },
  }),
);
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
          const { chart, history } = historyOf(seed, deeds);
          expect(isAccepted(history, chart)).toBe(true);
        },
      ),
      { numRuns: 300 },
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
        fc.integer({ min: 0, max: 50 }),
        fc.array(anyDeed, { minLength: 15, maxLength: 40 }),
        fc.nat(),
        (seed, deeds, nth) => {
          const { chart, history } = historyOf(
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
            ),
          ).toBe(false);
        },
      ),
      { numRuns: 200 },
    );
  });
});

const anyState = fc.nat(3);
const anyName = fc.constantFrom('x', 'y', 'z');
const anyTimes = { after: fc.oneof(fc.nat(15), fc.nat(600)), sent: fc.nat(20), back: fc.nat(20) };
/** The state is a number, because the states depend on the seed. */
const anyDeed = fc.record({
  state: anyState,
  type: fc.constantFrom('is', 'status', 'update', 'update', 'update', 'claim', 'claim', 'renew', 'release'),
  by: fc.option(anyName, { freq: 2 }),
  key: fc.option(fc.constantFrom('k1', 'k2', 'k3'), { freq: 2 }),
  revision: fc.option(fc.nat(12), { freq: 2 }),
  dies: fc.boolean(),
  ...anyTimes,
});

type AnyDeed = typeof anyDeed extends fc.Arbitrary<infer Value> ? Value : never;

/** Simulates calls on the chart of a seed, and a status query at the end. */
function historyOf(seed: number, deeds: readonly AnyDeed[]) {
  const shape = shapeOf(seed);
  const chart = chartOf(shape.chart);
  const all = deeds.map(({ state: number, type, by, key, revision, dies, ...times }, i): Deed => {
    const state = shape.states[number % shape.states.length] ?? '';
    const said = {
      ...(by === null ? {} : { by }),
      ...(key === null ? {} : { key }),
      ...(revision === null ? {} : { revisions: [revision] }),
    };
    const request: Request =
      type === 'update'
        ? { type, state, event: 'update', ...said }
        : type === 'is'
          ? { type, state }
          : type === 'status'
            ? { type }
            : { type, state, by: by ?? 'x' };
    return { request, ...times, dies: dies && i % 5 === 0 };
  });
  const last: Deed = { request: { type: 'status' }, after: 100, sent: 0, back: 0 };
  return { chart, history: simulate(chart, [...all, last]) };
}

function isAccepted(history: readonly Call[], chart = CHART): boolean {
  return linearize(withHeard(history), modelOf(chart, { from: 0, to: 0 })).ok;
}

/** Each call takes a millisecond. */
function answered(called: number, request: Request, answer: Answer): Call {
  return { client: '', request, called, outcome: { known: true, answer, returned: called + 1 } };
}

function died(called: number, request: Request, until: number): Call {
  return { client: '', request, called, outcome: { known: false, until } };
}

function ask(called: number, state: string, answer: Answer): Call {
  return answered(called, { type: 'is', state }, answer);
}

function report(called: number, said: Partial<Update>, revision: number): Call {
  return answered(called, reportOf(said), yes(revision));
}

function reportOf(said: Partial<Update>): Update {
  return { type: 'update', state: 'a', event: 'update', ...said };
}

function yes(revision: number): Answer {
  return { status: 200, revision };
}

function refused(revision: number, problem: string, states: readonly string[], status = 406): Answer {
  return { status, revision, problem, states };
}

function claimOf(by: string) {
  return { type: 'claim', state: 'work', by } as const;
}

function claim(called: number, by: string, { revision, until }: { revision: number; until: number }): Call {
  return answered(called, claimOf(by), {
    ...yes(revision),
    moments: { leases: [{ state: 'work', by, until }] },
  });
}

/** A status query of `IDLE` in its first state. */
function read(called: number, revision: number, have: number): Call {
  const quorums = [{ state: 'a', event: 'update', have, need: 3, by: [] }];
  const document = { states: ['a'], revision, context: {}, quorums, claims: [] };
  return answered(called, { type: 'status' }, { ...yes(revision), document });
}

function chartOf(text: string) {
  const reading = readChart(text);
  if (!reading.ok) throw new Error(reading.errors.map(({ message }) => message).join('\n'));
  return reading.chart;
}
