/** The model of links: what it accepts, and what it refuses. */
import { describe, expect, it } from 'vitest';
import { answered, ask, type Call, chartOf, isAccepted, refused, report, yes } from './histories.ts';
import type { Answer, Link } from './requests.ts';

/** Each state is left by the second report. */
const TWO = chartOf(
  'initial: a\nstates: {a: {on: {update: {target: b, quorum: 2}}}, b: {on: {update: {target: a, quorum: 2}}}}',
);

/** The number of the first visit of `a`: that of the root is before it. */
const FIRST = 2;

const ANNA = { state: 'a', event: 'update', by: 'anna' };

function make(called: number, answer: Answer): Call {
  return answered(called, { type: 'makeLink', ...ANNA }, answer);
}

function made(revision: number, visit: number): Answer {
  return { status: 201, revision, visit, link: 'any' };
}

function use(called: number, visit: number, answer: Answer, type: Link['type'] = 'useLink'): Call {
  return answered(called, { type, ...ANNA, link: 'any', visit }, answer);
}

function counts(revision: number, isRepeat = false): Answer {
  return { status: 200, revision, isRepeat };
}

function over(revision: number): Answer {
  return { status: 410, problem: 'visit-over', revision };
}

const accepts = (history: readonly Call[]) => isAccepted(history, TWO);

describe('a link', () => {
  it('is for the present visit, and for a report that would count', () => {
    expect(accepts([make(10, made(1, FIRST))])).toBe(true);
    expect(accepts([make(10, made(1, FIRST + 1))])).toBe(false);
    expect(accepts([make(10, made(2, FIRST))])).toBe(false);
    const left = [report(10, {}, 2), report(20, {}, 3)];
    expect(accepts([...left, make(30, refused(3, 'not-current', ['b']))])).toBe(true);
    const reported = report(10, { by: 'anna' }, 2);
    expect(accepts([reported, make(30, refused(2, 'already-reported', ['a']))])).toBe(true);
    expect(accepts([reported, make(30, made(2, FIRST))])).toBe(false);
  });

  it('counts once, and not again', () => {
    const used = [make(10, made(1, FIRST)), use(20, FIRST, counts(2))];
    expect(accepts([...used, use(30, FIRST, counts(2, true)), ask(40, 'a', yes(2))])).toBe(true);
    expect(accepts([...used, use(30, FIRST, counts(3))])).toBe(false);
    expect(accepts([...used, use(30, FIRST, counts(3, true))])).toBe(false);
    expect(accepts([...used, use(30, FIRST, counts(2))])).toBe(false);
    // As the report of the same caller.
    expect(accepts([...used, report(30, { by: 'anna' }, 2)])).toBe(true);
    expect(accepts([...used, report(30, { by: 'anna' }, 3)])).toBe(false);
  });

  it('counts in its visit only; a repeat is told after the visit that it has counted', () => {
    const left = [report(10, {}, 2), report(20, {}, 3)];
    expect(accepts([...left, use(30, FIRST, over(3))])).toBe(true);
    const again = [...left, report(30, { state: 'b' }, 4), report(40, { state: 'b' }, 5)];
    expect(accepts([...again, use(50, FIRST, over(5))])).toBe(true);
    expect(accepts([...again, use(50, FIRST, counts(6))])).toBe(false);
    expect(accepts([...again, use(50, FIRST + 2, counts(6))])).toBe(true);
    const counted = [use(10, FIRST, counts(2)), report(20, {}, 3)];
    expect(accepts([...counted, use(30, FIRST, counts(3, true))])).toBe(true);
    expect(accepts([...counted, use(30, FIRST, over(3))])).toBe(false);
  });

  it('does nothing when its page is opened', () => {
    const opened = use(20, FIRST, counts(1), 'showLink');
    expect(accepts([make(10, made(1, FIRST)), opened, ask(30, 'a', yes(1))])).toBe(true);
    expect(accepts([make(10, made(1, FIRST)), opened, ask(30, 'a', yes(2))])).toBe(false);
    expect(accepts([opened, use(30, FIRST, counts(2)), use(40, FIRST, counts(2, true), 'showLink')])).toBe(
      true,
    );
    expect(accepts([use(30, FIRST, counts(2)), use(40, FIRST, counts(2), 'showLink')])).toBe(false);
  });
});
