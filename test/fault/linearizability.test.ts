/** The search, on a machine that only increments a counter and returns its value. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TIMED } from '../slowness.ts';
import { latest, type Operation } from './history.ts';
import { linearize, type Model } from './linearizability.ts';

type Call = Operation<'add' | 'read', number>;

const counter: Model<number, 'add' | 'read', number> = {
  initial: 0,
  *step(count, { request, outcome }) {
    const next = request === 'add' ? count + 1 : count;
    if (outcome.known ? outcome.answer === next : next !== count) yield next;
  },
  key: String,
  rank: (count) => count,
  most: ({ outcome }) => (outcome.known ? outcome.answer : Number.POSITIVE_INFINITY),
};

describe('a history that is linearizable', () => {
  it('may be empty', () => {
    expect(isLinearizable([])).toBe(true);
  });

  it('shows each call the effect of all calls that returned before it', () => {
    expect(isLinearizable([add(0, 1, 1), add(2, 3, 2), read(4, 5, 2)])).toBe(true);
  });

  it('may order overlapping calls in any way', () => {
    expect(isLinearizable([add(0, 10, 2), add(0, 10, 1), read(3, 7, 1)])).toBe(true);
    expect(isLinearizable([add(0, 10, 1), read(2, 8, 0)])).toBe(true);
    expect(isLinearizable([add(0, 10, 1), read(2, 8, 1), read(8.5, 9, 1)])).toBe(true);
  });

  it('may count a call that died, or not', () => {
    expect(isLinearizable([died('add', 0, 9), read(1, 2, 0), read(3, 4, 1)])).toBe(true);
    expect(isLinearizable([died('add', 0, 9), read(1, 2, 0), read(3, 4, 0)])).toBe(true);
    expect(isLinearizable([died('read', 0, 9), read(1, 2, 0)])).toBe(true);
  });

  it('has an order, without the calls that took no effect', () => {
    const history = [died('add', 0, 9), died('add', 0, 1), add(5, 6, 2)];
    const verdict = linearize(history, counter);
    expect(verdict.ok && verdict.order).toHaveLength(2);
    expect(verdict.ok && verdict.state).toBe(2);
  });
});

describe('a history that is not linearizable', () => {
  it.each([
    ['a stale read', [add(0, 1, 1), read(2, 3, 0)]],
    ['a read of a later value', [read(0, 1, 1), add(2, 3, 1)]],
    ['two reads that go back', [add(0, 10, 1), read(1, 2, 1), read(3, 4, 0)]],
    ['a lost update', [add(0, 1, 1), add(2, 3, 1)]],
    ['a double count', [add(0, 1, 1), read(2, 3, 2)]],
    ['a dead call that took effect twice', [died('add', 0, 9), read(1, 2, 1), read(3, 4, 2)]],
    ['a dead call that took effect and was lost again', [died('add', 0, 9), read(1, 2, 1), read(3, 4, 0)]],
    [
      'a dead call that took effect after the end of its server',
      [died('add', 0, 2), read(3, 4, 0), read(5, 6, 1)],
    ],
    ['a dead call that took effect before it was called', [read(0, 1, 1), died('add', 2, 9)]],
  ])('has %s', (_, history) => {
    expect(isLinearizable(history)).toBe(false);
  });

  it('is reported with the place where no call can be next', () => {
    const stale = read(4, 5, 1);
    const verdict = linearize([add(0, 1, 1), add(2, 3, 2), stale, read(6, 7, 2)], counter);
    if (verdict.ok) throw new Error('it was found to be linearizable');
    expect(verdict).toMatchObject({ gaveUp: false, stuck: { state: 2, next: [stale] } });
    expect(verdict.stuck.order).toHaveLength(2);
  });
});

describe('the search', () => {
  it('agrees with a search of all orders', () => {
    fc.assert(
      fc.property(fc.array(anyCall, { maxLength: 6 }), (history) => {
        expect(isLinearizable(history)).toBe(canBeOrdered(history));
      }),
      { numRuns: 3_000 },
    );
  });

  it('accepts each history of one machine, however the calls overlap', () => {
    const step = fc.record({
      request: fc.constantFrom('add', 'read'),
      early: fc.nat(30),
      late: fc.nat(30),
      dies: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        let count = 0;
        const history = steps.map(({ request, early, late, dies }, i): Call => {
          const at = 10 * i;
          if (request === 'add') count += 1;
          if (dies && i % 7 === 0) return died(request, at - early, at + late);
          return answered(request, at - early, at + late, count);
        });
        expect(isLinearizable(history)).toBe(true);
      }),
    );
  });

  it('takes a moment for 2,000 calls of 8 clients, most of them reads', TIMED, () => {
    const history = Array.from({ length: 2_000 }, (_, i) => {
      const [request, count] =
        i % 4 === 0 ? (['add', 1 + i / 4] as const) : (['read', 1 + Math.floor(i / 4)] as const);
      return answered(request, 10 * i - 35, 10 * i + 35, count);
    });
    const from = performance.now();
    expect(isLinearizable(history)).toBe(true);
    // A search that does not end at once: nothing explains the last answer.
    expect(isLinearizable([...history, read(30_000, 30_001, 7)])).toBe(false);
    expect(performance.now() - from).toBeLessThan(5_000);
  });

  it('goes on from a place again with another call that may take effect', () => {
    // The first order that is tried, `k`, `u`, `l`, leads to `z` as `l`, `k` does, but has no `u` left for `m`.
    const next: Readonly<Record<string, string>> = {
      ...{ 'start k': 'a', 'a u': 'b', 'b l': 'z' },
      ...{ 'start l': 'c', 'c k': 'z', 'z u': 'y', 'y m': 'end' },
    };
    const model: Model<string, string, null> = {
      initial: 'start',
      *step(state, { request }) {
        const then = next[`${state} ${request}`];
        if (then !== undefined) yield then;
      },
      key: String,
      rank: () => 0,
      most: () => 0,
    };
    const call = (request: string, called: number, returned: number) =>
      ({ client: '', request, called, outcome: { known: true, answer: null, returned } }) as const;
    const died = { client: '', request: 'u', called: 0, outcome: { known: false, until: 9 } } as const;
    const history = [call('k', 0, 3), call('l', 0, 4), call('m', 5, 6), died];
    expect(linearize(history, model).ok).toBe(true);
  });

  it('gives up at its bound, which is no success', () => {
    const history = [...Array.from({ length: 12 }, () => died('add', 0, 100)), read(50, 60, 13)];
    expect(linearize(history, counter, 5)).toMatchObject({ ok: false, gaveUp: true });
    expect(linearize(history, counter)).toMatchObject({ ok: false, gaveUp: false });
  });
});

function isLinearizable(history: readonly Call[]): boolean {
  return linearize(history, counter).ok;
}

/** Tries every order of every subset of the calls, by the definition. */
function canBeOrdered(rest: readonly Call[], before: readonly Call[] = [], count = 0): boolean {
  if (rest.every(({ outcome }) => !outcome.known)) return true;
  return rest.some((call) => {
    // No call comes after one that was called after its return.
    if (before.some((earlier) => earlier.called > latest(call))) return false;
    const others = rest.filter((other) => other !== call);
    return [...counter.step(count, call, { before: 0, most: Number.POSITIVE_INFINITY })].some((next) =>
      canBeOrdered(others, [...before, call], next),
    );
  });
}

const anyCall: fc.Arbitrary<Call> = fc
  .record({
    request: fc.constantFrom('add' as const, 'read' as const),
    called: fc.nat(8),
    took: fc.nat(6),
    answer: fc.option(fc.nat(3)),
  })
  .map(({ request, called, took, answer }) =>
    answer === null ? died(request, called, called + took) : answered(request, called, called + took, answer),
  );

function add(called: number, returned: number, answer: number): Call {
  return answered('add', called, returned, answer);
}

function read(called: number, returned: number, answer: number): Call {
  return answered('read', called, returned, answer);
}

function answered(request: Call['request'], called: number, returned: number, answer: number): Call {
  return { client: '', request, called, outcome: { known: true, answer, returned } };
}

function died(request: Call['request'], called: number, until: number): Call {
  return { client: '', request, called, outcome: { known: false, until } };
}
