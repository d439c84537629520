/**
 * Bounds of statecharts: each document is accepted or refused within 200 ms, and no accepted chart can make a request
 * take more than 100 ms of the object's time. Each trap is small; `hostile-charts.ts` has them.
 */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readChart, send, start, storeSnapshot } from '../../../src/chart/chart.ts';
import { CHART_TIMERS, CONTEXT_BYTES, EVENT_LENGTH } from '../../../src/chart-limits.ts';
import { fireDue } from '../../../src/objects/due.ts';
import { report } from '../../../src/objects/update.ts';
import { newChart } from '../../charts.ts';
import { ask, historyOf, problemOf, send as request, statePath, statusOf } from '../../service.ts';
import { allowed } from '../../slowness.ts';
import { chartOf } from '../run.ts';
import { beginTurn, nextTurn } from '../turns.ts';
import { CHARTS, DOCUMENTS } from './hostile-charts.ts';

/** The bound of the object's time, ms. */
const MOST = 100;
/** The bound for reading a document, ms: it is read once, when it is uploaded or found. */
const MOST_TO_READ = 200;
/** Repeats of a measurement that was too long: other processes may have used the processor. */
const TRIES = 15;
/** Repeats after which a slower machine gets the time that it needs (`slowness.ts`). */
const USUAL_TRIES = 3;

// A chart without a bound takes minutes.
vi.setConfig({ testTimeout: 120_000 });

const figures: [name: string, ms: number][] = [];

/** The least time of several tries, and the result. */
function timed<Result>(name: string, act: () => Result, most = MOST): Result {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; ; i++) {
    const before = performance.now();
    const result = act();
    least = Math.min(least, performance.now() - before);
    // Ten times the bound is no noise.
    const isLast = least > 10 * most || i === TRIES;
    const bound = isLast || i === USUAL_TRIES ? allowed(least, most) : most;
    if (isLast || least < bound) {
      figures.push([name, least]);
      expect(least, `${name} took ${least.toFixed(0)} ms`).toBeLessThan(bound);
      return result;
    }
  }
}

beforeAll(() => {
  for (const name of [
    'as many states as are allowed',
    'many small guards',
    'a sequence to the full',
    'wrong actions',
  ])
    for (let i = 0; i < 3; i++) readChart(DOCUMENTS[name] ?? '');
}, 60_000);

afterAll(() => {
  const slowest = figures.toSorted(([, a], [, b]) => b - a).slice(0, 10);
  const rows = slowest.map(([name, ms]) => `${ms.toFixed(0).padStart(8)} ms  ${name}`);
  console.log(`bounds: ${figures.length} measured; the slowest:\n${rows.join('\n')}`);
});

describe(`within ${MOST_TO_READ} ms a document is accepted or refused`, () => {
  it.each(Object.entries(DOCUMENTS))('%s', (name, text) => {
    const reading = timed(`document: ${name}`, () => readChart(text), MOST_TO_READ);
    if (reading.ok) return;
    expect(reading.errors.length).toBeGreaterThan(0);
    for (const { line, column, message } of reading.errors) {
      expect(Math.min(line, column)).toBeGreaterThan(0);
      expect(message.length).toBeGreaterThan(0);
      expect(message.length).toBeLessThan(1_000);
    }
  });
});

describe(`within ${MOST} ms an event is taken or refused`, () => {
  const cases = Object.entries(CHARTS).map(([name, { text, event }]) => ({ name, text, event }));

  it.each(cases)('$name', ({ name, text, event }) => {
    const reading = timed(`chart: ${name}`, () => readChart(text), MOST_TO_READ);
    if (!reading.ok) {
      expect(reading.errors).toEqual([expect.objectContaining({ severity: 'error' })]);
      return;
    }
    const { chart } = reading;
    const began = timed(`start: ${name}`, () => start(chart, 0));
    if (!began.ok) throw new Error(began.detail);
    const before = JSON.stringify(storeSnapshot(began.snapshot));
    const step = timed(`event: ${name}`, () => send(chart, began.snapshot, { type: event, address: 0 }, 0));
    expect(JSON.stringify(storeSnapshot(began.snapshot))).toBe(before);
    if (step.ok) {
      const stored = JSON.stringify(storeSnapshot(step.snapshot));
      expect(stored.length).toBeLessThan(4 * CONTEXT_BYTES);
      expect(step.snapshot.timers.size).toBeLessThanOrEqual(CHART_TIMERS);
    }
  });

  it('is in the history if it is refused, and changes nothing else', () => {
    let refused = 0;
    for (const { text, event } of cases) {
      const reading = readChart(text);
      const turn = reading.ok ? beginTurn(reading.chart) : undefined;
      if (turn === undefined) continue;
      const { snapshot, revision } = turn.machine;
      const answer = report(turn, { state: 'root', event }, 0);
      if (answer.ok || answer.code !== 'over-bound') continue;
      refused += 1;
      expect(turn.machine.snapshot).toBe(snapshot);
      expect(turn.machine.revision).toBe(revision);
      const last = turn.changes?.history.at(-1);
      expect(last).toMatchObject({ cause: 'refused', event, revision });
      expect(last?.notes[0]?.length).toBeGreaterThan(0);
      expect(answer.detail).toContain(last?.notes[0]);
      expect(JSON.stringify(last?.notes).length).toBeLessThan(100_000);
    }
    expect(refused).toBeGreaterThan(cases.length / 3);
  });
});

describe(`within ${MOST} ms a turn fires the timers that are due`, () => {
  const timers = (ringing: object, more: object = {}) =>
    JSON.stringify({
      initial: 'a',
      context: { n: 0 },
      states: {
        a: {
          entry: Array.from({ length: CHART_TIMERS }, () => ({ raise: { event: 'ring', delay: 1_000 } })),
          on: { ring: ringing },
        },
        b: {},
      },
      ...more,
    });
  const heavy = {
    guard: `${Array.from({ length: 39 }, () => 'context.n == 0').join(' && ')}`,
    actions: { raise: 'ring' },
  };

  it.each([
    ['a thousand that count', timers({ actions: { assign: { n: 'context.n + 1' } } })],
    ['a thousand that nobody takes', timers({ guard: 'false', target: 'b' })],
    ['a thousand that each cost all that an event may', timers(heavy)],
    [
      'a thousand that each set another, due at once',
      timers({ actions: { raise: { event: 'ring', delay: 0 } } }),
    ],
    [
      'one that sets itself again, due at once, for ever',
      JSON.stringify({
        initial: 'a',
        context: { on: true },
        states: {
          a: { after: { 1000: 'b' } },
          b: { after: { 0: { target: 'c', guard: 'context.on' } } },
          c: { after: { 0: 'b' } },
        },
      }),
    ],
    [
      'a moment that has passed, in a state that is entered again and again',
      JSON.stringify({
        initial: 'a',
        context: { on: true },
        states: {
          a: { after: { 1000: 'b' } },
          b: { at: { '1970-01-01T00:00:00Z': { target: 'b', guard: 'context.on', reenter: true } } },
        },
      }),
    ],
    [
      'a thousand of 32 regions',
      JSON.stringify({
        type: 'parallel',
        states: Object.fromEntries(
          Array.from({ length: 32 }, (_, i) => [
            `r${i}`,
            { initial: 'a', states: { a: { after: { 1000: 'b' } }, b: { after: { 0: 'a' } } } },
          ]),
        ),
      }),
    ],
  ])('%s', (name, text) => {
    const chart = chartOf(text);
    const begun = beginTurn(chart);
    timed(`timers: ${name}`, () => {
      const turn = nextTurn(begun.machine);
      fireDue(turn, 1_000);
      expect(turn.changes?.history.length).toBeGreaterThan(0);
    });
  });
});

describe('a chart or an event that could not be stored is refused', () => {
  it('names that grow with each level', async () => {
    const address = await newChart(DOCUMENTS['names that grow with each level'] ?? '');
    const { status } = await ask(address, 's0');
    expect([200, 422]).toContain(status);
    if (status === 200) expect((await request('PUT', statePath(address, 's0'))).status).toBe(200);
  });

  it('long names in many regions, with each of a thousand timers', async () => {
    const long = 'x'.repeat(1_000);
    const states = Object.fromEntries(
      Array.from({ length: 60 }, (_, i) => [`${long}${i}`, { initial: long, states: { [long]: {} } }]),
    );
    const entry = Array.from({ length: CHART_TIMERS }, () => ({ raise: { event: 'ring', delay: 0 } }));
    const ring = { actions: { cancel: 'x' } };
    const chart = JSON.stringify({ id: 'root', type: 'parallel', states, entry, on: { ring } });
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      const address = await newChart(chart);
      const before = performance.now();
      expect([200, 422]).toContain((await ask(address, 'root')).status);
      times.push(performance.now() - before);
    }
    // With reading the chart, starting it and storing the result.
    const least = Math.min(...times);
    expect(least).toBeLessThan(allowed(least, 5 * MOST));
  });

  it('an event’s name that is longer than any that can be sent', () => {
    const name = 'e'.repeat(EVENT_LENGTH + 1);
    for (const raise of [name, { event: name, delay: '1s' }]) {
      const reading = readChart(JSON.stringify({ initial: 'a', states: { a: { exit: { raise } } } }));
      expect(reading).toMatchObject({ ok: false });
    }
  });

  it('a context that is larger than any that an event may make', () => {
    const context = { s: 'x'.repeat(2 * CONTEXT_BYTES) };
    expect(readChart(JSON.stringify({ initial: 'a', context, states: { a: {} } }))).toMatchObject({
      ok: false,
      errors: [{ path: 'context' }],
    });
  });

  it('the notes of very many guards that fail', async () => {
    const guard = `context.missing == "${'x'.repeat(1_900)}"`;
    const go = [...Array.from({ length: 100 }, () => ({ guard, target: 'b' })), { actions: { raise: 'go' } }];
    const address = await newChart(JSON.stringify({ initial: 'a', states: { a: { on: { go } }, b: {} } }));
    const response = await request('PUT', `${statePath(address, 'a')}&event=go`);
    expect(response.status).toBe(406);
    expect((await problemOf(response)).type).toBe('urn:stateservice:problem:over-bound');
    const [entry] = (await historyOf(address)).history;
    expect(entry).toMatchObject({ cause: 'refused', event: 'go' });
    expect(JSON.stringify(entry).length).toBeLessThan(100_000);
    expect(await statusOf(address)).toMatchObject({ states: ['a'], revision: 1 });
  });
});

describe('a chart at a bound is accepted', () => {
  it('with the largest context', () => {
    const text = JSON.stringify({
      initial: 'a',
      context: { s: 'x'.repeat(CONTEXT_BYTES - 1_000), n: 0 },
      states: { a: { on: { go: { actions: { assign: { n: 'context.n + 1' } } } } } },
    });
    const chart = chartOf(text);
    const began = start(chart, 0);
    if (!began.ok) throw new Error(began.detail);
    const step = timed('a large context', () => send(chart, began.snapshot, { type: 'go', address: 0 }, 0));
    expect(step).toMatchObject({ ok: true });
  });

  it('with the most timers, and not with one more', () => {
    const withTimers = (count: number) =>
      JSON.stringify({
        initial: 'a',
        states: {
          a: {
            on: {
              go: { actions: Array.from({ length: count }, () => ({ raise: { event: 'x', delay: 9 } })) },
            },
          },
        },
      });
    const outcome = (count: number) => {
      const chart = chartOf(withTimers(count));
      const began = start(chart, 0);
      if (!began.ok) throw new Error(began.detail);
      return timed(`${count} timers`, () => send(chart, began.snapshot, { type: 'go', address: 0 }, 0));
    };
    expect(outcome(CHART_TIMERS)).toMatchObject({ ok: true });
    expect(outcome(CHART_TIMERS + 1)).toMatchObject({
      ok: false,
      reason: 'over-bound',
      detail: `it sets more than ${CHART_TIMERS} timers`,
    });
  });

  it('with a chain of `always` through the most states', () => {
    const states = Array.from({ length: 990 }, (_, i) => `  s${i}: {always: s${i + 1}}\n`).join('');
    const chart = chartOf(`initial: wait\nstates:\n  wait: {on: {go: s0}}\n${states}  s990: {}\n`);
    const began = start(chart, 0);
    if (!began.ok) throw new Error(began.detail);
    const step = timed('a chain', () => send(chart, began.snapshot, { type: 'go', address: 0 }, 0));
    expect(step.ok && [...step.snapshot.active.keys()]).toEqual([992]);
  });

  it('with the longest guard', () => {
    const guard = Array.from({ length: 39 }, (_, i) => `context.n != ${i}`).join(' && ');
    const chart = chartOf(
      JSON.stringify({
        initial: 'a',
        context: { n: 99 },
        states: { a: { on: { go: { guard, target: 'b' } } }, b: {} },
      }),
    );
    const began = start(chart, 0);
    if (!began.ok) throw new Error(began.detail);
    const step = timed('a long guard', () => send(chart, began.snapshot, { type: 'go', address: 0 }, 0));
    expect(step).toMatchObject({ ok: true });
  });
});
