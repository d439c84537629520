/**
 * Charts of one family and two sizes: reading, starting and one event take no more time per character for the larger
 * chart than for the smaller one, except for noise.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readChart, send, start } from '../../src/chart/chart.ts';
import { FUZZ, IS_LONG } from '../fuzz.ts';
import { allowed, TIMED } from '../slowness.ts';
import { fasterThanText, randomFamilies, YAML_FAMILIES } from './hostile.ts';

const many = (count: number, make: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => make(i)).join(', ');
const regions = (count: number, make: (i: number) => string) =>
  `type: parallel\nstates: {${many(count, (i) => `r${i}: ${make(i)}`)}}`;
const one = (state: string, more = '') => `initial: a\n${more}states: {a: ${state}, b: {}}`;

/** Nested states with a name of 1,000 characters each, and leaves in the innermost. */
function deep(depth: number, leaves: number, name: string): string {
  let states = `initial: l0, states: {${many(leaves, (i) => `l${i}: {}`)}}`;
  for (let i = 0; i < depth; i++) states = `initial: ${name}${i}, states: {${name}${i}: {${states}}}`;
  return `{${states}}`;
}

/** Charts by their size: the larger one has four times as much of the family's part. */
const FAMILIES: Readonly<Record<string, (size: 1 | 4) => string>> = {
  states: (size) => `initial: s0\nstates: {${many(200 * size, (i) => `s${i}: {on: {go: s${i}}}`)}}`,
  regions: (size) => regions(8 * size, () => '{initial: a, states: {a: {on: {go: b}}, b: {on: {go: a}}}}'),
  'nested states': (size) => one(deep(7 * size, 100, 'n')),
  'leaves below long names': (size) => one(deep(24, 200 * size, 'n'.repeat(1_000))),
  'long names': (size) =>
    `initial: s0\nstates: {${many(25 * size, (i) => `s${i}${i === 0 ? '' : 'x'.repeat(1_000)}: {}`)}}`,
  'targets of a transition': (size) =>
    `${regions(32, () => '{initial: a, states: {a: {}, b: {}}}')}\non: {${many(
      200,
      (e) => `e${e}: {target: [${many(8 * size, (i) => `.r${i}.b`)}]}`,
    )}}`,
  timers: (size) => one(`{after: {${many(200 * size, (i) => `${1_000 + i}: b`)}}}`),
  actions: (size) =>
    one(
      `{on: {go: {actions: [${many(250 * size, () => '{assign: {n: context.n + 1}}')}]}}}`,
      'context: {n: 0}\n',
    ),
  guards: (size) =>
    one(
      `{on: {go: [${many(200 * size, (i) => `{target: b, guard: context.n == ${i + 1}}`)}]}}`,
      'context: {n: 0}\n',
    ),
  'wide history': (size) =>
    one(
      `{type: parallel, on: {go: b}, states: {${many(6 * size, (i) => `r${i}: {initial: x, states: {x: {}, y: {}, h: {type: history, history: deep}}}`)}}}`,
    ),
};

/** The factor per character that noise does not reach; and a time that is noise, in ms. */
const NOISE = 3;
const FLOOR = 40;

it.each(Object.entries(FAMILIES))('what more %s take grows with the text', TIMED, (_, make) => {
  const small = make(1);
  const large = make(4);
  const before = timeOf(small);
  const after = timeOf(large);
  const growth = large.length / small.length;
  expect(after, `${before} ms, then ${after} ms for ${growth} times the text`).toBeLessThan(
    Math.max(allowed(after, FLOOR), NOISE * growth * before),
  );
});

describe.runIf(IS_LONG)('in the long tests', { timeout: 1_200_000 }, () => {
  it.each([
    ['YAML text', () => YAML_FAMILIES],
    [
      'random chart',
      () => fc.sample(randomFamilies, { seed: FUZZ.seed, numRuns: Math.min(300, FUZZ.runs / 10) }),
    ],
  ])('what more of a %s takes grows with the text', (_, families) => {
    // A finding is measured again: other processes interrupt a test of minutes.
    const found = families()
      .filter((family) => fasterThanText(family, timeOf, allowed) !== undefined)
      .flatMap((family) => fasterThanText(family, timeOf, allowed) ?? []);
    expect(found, `seed ${FUZZ.seed}`).toEqual([]);
  });
});

/** The least time of several tries for reading, starting and one event, in ms. */
function timeOf(text: string): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 4; i++) {
    const begun = performance.now();
    const reading = readChart(text);
    if (reading.ok) {
      const step = start(reading.chart, 0);
      if (step.ok) send(reading.chart, step.snapshot, { type: 'go', address: 0 }, 1);
    }
    least = Math.min(least, performance.now() - begun);
  }
  return least;
}
