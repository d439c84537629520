import { describe, expect, it } from 'vitest';
import { isActive, namedValue, readChart } from '../../../src/chart/chart.ts';
import { chartOf, Run } from '../run.ts';

const chart = `
  id: release
  initial: fleet
  states:
    fleet:
      type: parallel
      states:
        eu: {initial: drain, states: {drain: {}, only: {}}}
        us: {initial: drain, states: {drain: {}, sign: {id: signed}}}
    v1.2: {}
    '#1': {}
    __proto__: {}
`;

describe('a state is found', () => {
  const { names } = chartOf(chart);

  it.each([
    ['release', 0],
    ['fleet', 1],
    ['fleet.eu', 2],
    ['eu', 2],
    ['fleet.eu.drain', 3],
    ['only', 4],
    ['signed', 7],
    ['fleet.us.sign', 7],
    ['sign', 7],
    ['v1.2', 8],
    ['#1', 9],
    ['__proto__', 10],
  ])('by its id, its path, or its key where that is unique: %s', (name, state) => {
    expect(names.find(name)).toEqual({ ok: true, state });
  });

  it('not by a key that several have: each is to be called by its own name', () => {
    expect(names.find('drain')).toEqual({ ok: false, candidates: ['fleet.eu.drain', 'fleet.us.drain'] });
  });

  it.each([
    '',
    'fleet.',
    '.fleet',
    'eu.drain',
    'Fleet',
    'fleet.eu.sign',
    'constructor',
    '#signed',
    'toString',
  ])('not by %j, which names none', (name) => {
    expect(names.find(name)).toBeUndefined();
  });

  it('by an id before a path that reads the same, whichever stands first', () => {
    const idFirst = chartOf('initial: x\nstates: {x: {id: a, on: {go: a}}, a: {on: {go: x}}}');
    expect(idFirst.names.find('a')).toEqual({ ok: true, state: 1 });
    const pathFirst = chartOf('initial: a\nstates: {a: {on: {go: x}}, x: {id: a, on: {go: a}}}');
    expect(pathFirst.names.find('a')).toEqual({ ok: true, state: 2 });
  });

  it('never by a path that two states share', () => {
    const reading = readChart(
      'initial: a\nstates: {a.b: {}, a: {initial: b, on: {go: a.b}, states: {b: {}}}}',
    );
    expect(reading.ok && reading.chart.names.find('a.b')?.ok).toBe(false);
  });

  it('and the root not at all where it has no id', () => {
    expect(chartOf('initial: a\nstates: {a: {}}').names.find('')).toBeUndefined();
  });
});

describe('the answer to what is active', () => {
  it('is the names, outermost first', () => {
    expect(new Run(chart).active).toEqual([
      'fleet',
      'fleet.eu',
      'fleet.eu.drain',
      'fleet.us',
      'fleet.us.drain',
    ]);
  });

  it('holds the root, always', () => {
    const run = new Run(chart);
    expect(isActive(run.snapshot, 0)).toBe(true);
    expect(isActive(run.snapshot, 8)).toBe(false);
  });

  it('as XState’s value is made of keys', () => {
    const run = new Run(chart);
    expect(namedValue(run.chart, run.snapshot)).toEqual({ fleet: { eu: 'drain', us: 'drain' } });
    const simple = new Run('initial: a\nstates: {a: {id: other}}');
    expect(namedValue(simple.chart, simple.snapshot)).toBe('a');
    const regions = new Run('type: parallel\nstates: {a: {}, b: {initial: c, states: {c: {}}}}');
    expect(namedValue(regions.chart, regions.snapshot)).toEqual({ a: {}, b: 'c' });
  });
});
