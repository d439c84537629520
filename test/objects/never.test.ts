/** A state that cannot come any more is refused at once, without `Retry-After`, even with a wait. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { counting, final, newChart, sequence, timed } from '../charts.ts';
import { ask, report, reportTimes } from '../service.ts';
import { claim, put, refusedOf, verdict, waitFor } from './callers.ts';

// It stands still: a wait that does not end at once would never end.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(Date.parse('2040-06-01T12:00:00Z'));
});
afterEach(() => {
  vi.useRealTimers();
});

/** Refused with and without a wait, by `GET` and by `PUT`. */
async function expectNever(address: string, state: string): Promise<void> {
  for (const response of [
    await waitFor(address, state, '60s'),
    await ask(address, state),
    await report(address, state),
    await claim(address, state, 'a'),
  ]) {
    expect(response.status).toBe(406);
    expect(response.headers.get('Retry-After')).toBeNull();
    expect(await refusedOf(response)).toMatchObject({
      type: 'urn:stateservice:problem:cannot-come',
      detail: expect.stringContaining('cannot come any more'),
    });
  }
}

/** Refused with `Retry-After`. */
async function expectNotYet(address: string, state: string): Promise<void> {
  const response = await ask(address, state);
  expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
  expect(await verdict(response)).toBe('406 not-current');
}

describe('in a sequence', () => {
  it('a state before the current one never comes again', async () => {
    const address = await newChart(
      sequence(counting('a', 'b'), counting('b', 'c'), counting('c', 'd'), final('d')),
    );
    for (const state of ['b', 'c', 'd']) await expectNotYet(address, state);
    await report(address, 'a');
    await expectNever(address, 'a');
    await report(address, 'b');
    await expectNever(address, 'b');
    await expectNotYet(address, 'd');
  });

  it('a state of a cycle comes again', async () => {
    const address = await newChart(sequence(counting('a', 'b'), counting('b', 'c'), counting('c', 'b')));
    await reportTimes(address, 'a', 1);
    await reportTimes(address, 'b', 1);
    await expectNotYet(address, 'b');
    await expectNever(address, 'a');
  });

  it('no state comes after the end', async () => {
    const address = await newChart(sequence(counting('a', 'b'), final('b')));
    await report(address, 'a');
    await expectNever(address, 'a');
  });

  it.each([
    ['has its target behind it', 5, 3],
    ['is its target already', 3, 3],
    ['passes its target by', 0.5, 3],
  ])('no state comes after a count that %s', async (_, from, until) => {
    const address = await newChart(sequence(counting('a', 'b', until, from), final('b')));
    await expectNever(address, 'b');
    await reportTimes(address, 'a', 4);
    await expectNever(address, 'b');
  });

  it('no state comes after such a count that is yet to begin', async () => {
    const address = await newChart(sequence(counting('a', 'b'), counting('b', 'c', 1, 2), final('c')));
    await expectNotYet(address, 'b');
    await expectNever(address, 'c');
  });

  it('a count of fractions that meets its target comes', async () => {
    const address = await newChart(sequence(counting('a', 'b', 2.5, -0.5), final('b')));
    await expectNotYet(address, 'b');
    await reportTimes(address, 'a', 3);
    expect((await ask(address, 'b')).status).toBe(200);
  });

  it('a state that the clock leaves can come', async () => {
    const address = await newChart(sequence(timed('a', 'b', '2040-06-01T12:00:02'), final('b')));
    const response = await ask(address, 'b');
    expect(response.headers.get('Retry-After')).toBe('2');
  });

  it('a state without a path to it never comes', async () => {
    const address = await newChart(sequence(counting('a', 'b'), final('b'), counting('aside', 'b')));
    await expectNever(address, 'aside');
  });

  it('a state that the chart does not have never comes', async () => {
    const address = await newChart(sequence(counting('a', 'b'), final('b')));
    const response = await waitFor(address, 'c', '60s');
    expect([response.status, response.headers.get('Retry-After')]).toEqual([406, null]);
    expect((await refusedOf(response)).detail).toBe('This chart has no state "c"; current: "a".');
  });
});

describe('in a statechart', () => {
  it('a state behind a guard may come', async () => {
    const address = await newChart(`
initial: a
context: {open: false}
states: {a: {on: {update: {target: b, guard: context.open}}}, b: {}}
`);
    await expectNotYet(address, 'b');
  });

  it('no state comes after the end, in any region', async () => {
    const address = await newChart(`
initial: a
states: {a: {on: {update: end, other: b}}, b: {}, end: {type: final}}
`);
    await report(address, 'a');
    for (const state of ['a', 'b']) await expectNever(address, state);
  });

  it('a state that only a transition of a left state leads to never comes', async () => {
    const address = await newChart(`
initial: a
states:
  a: {on: {update: b, fail: rollback}}
  b: {on: {update: c}}
  c: {}
  rollback: {}
`);
    await expectNotYet(address, 'rollback');
    await report(address, 'a');
    await expectNever(address, 'rollback');
    await expectNotYet(address, 'c');
  });

  it('a state that another region leads to may come', async () => {
    const address = await newChart(`
type: parallel
states:
  eu: {initial: one, states: {one: {on: {update: two}}, two: {on: {fail: '#us2'}}}}
  us: {initial: one, states: {one: {}, two: {id: us2}}}
`);
    await expectNotYet(address, 'us2');
    await put(address, 'eu.one');
    await expectNotYet(address, 'us2');
  });

  it('a state that only a history state remembers may come', async () => {
    const address = await newChart(`
initial: first
states:
  first: {on: {update: '#b'}}
  both:
    initial: a
    on: {update: rest}
    states: {a: {}, b: {id: b}, last: {id: last, type: history}}
  rest: {on: {update: '#last'}}
`);
    await report(address, 'first');
    await report(address, 'both');
    await expectNever(address, 'first');
    await expectNotYet(address, 'b');
    await report(address, 'rest');
    expect((await ask(address, 'b')).status).toBe(200);
  });

  it('a region at its end stays there, and the others continue', async () => {
    const address = await newChart(`
type: parallel
states:
  eu: {initial: one, states: {one: {on: {update: two}}, two: {type: final}}}
  us: {initial: one, states: {one: {on: {update: two}}, two: {type: final}}}
`);
    await put(address, 'eu.one');
    await expectNever(address, 'eu.one');
    await expectNotYet(address, 'us.two');
  });
});

describe('a wait', () => {
  it('ends at once when its state cannot come any more', async () => {
    const address = await newChart(`
initial: a
states: {a: {on: {update: b, fail: rollback}}, b: {on: {update: c}}, c: {}, rollback: {}}
`);
    const waiting = waitFor(address, 'rollback', '60s');
    await new Promise((done) => setTimeout(done, 50));
    await report(address, 'a');
    const response = await waiting;
    expect([response.status, response.headers.get('Retry-After')]).toEqual([406, null]);
    expect(await verdict(response)).toBe('406 cannot-come');
  });

  it('ends at once when the machine is done', async () => {
    const address = await newChart(`
initial: a
states: {a: {on: {update: b, fail: rollback}}, b: {type: final}, rollback: {}}
`);
    const waiting = waitFor(address, 'rollback', '60s');
    await new Promise((done) => setTimeout(done, 50));
    await report(address, 'a');
    expect(await verdict(await waiting)).toBe('406 cannot-come');
  });
});
