import { describe, expect, it } from 'vitest';
import { Run } from '../run.ts';

const NOON = Date.parse('2040-06-01T12:00:00Z');
const HOUR = 3_600_000;

describe('at', () => {
  it.each([
    ['2040-06-01T13:00:00Z', HOUR],
    ['2040-06-01T13:00:00', HOUR],
    ['2040-06-01T13:00Z', HOUR],
    ['2040-06-01T15:00:00+02:00', HOUR],
    ['2040-06-01T13:00:00.250Z', HOUR + 250],
    ['2040-06-02T00:00:00Z', 12 * HOUR],
  ])('%s is a moment', (at, after) => {
    const run = new Run(`initial: a\nstates: {a: {at: {'${at}': b}}, b: {}}`, NOON).wait(after - 1);
    expect(run.active).toEqual(['a']);
    expect(run.wait(1).active).toEqual(['b']);
  });

  it('may be written without quotes', () => {
    const run = new Run('initial: a\nstates:\n  a:\n    at:\n      2040-06-01T13:00:00Z: b\n  b: {}', NOON);
    expect(run.wait(HOUR).active).toEqual(['b']);
  });

  it('that has passed already is taken at once on entry', () => {
    const run = new Run(
      `initial: a\nstates: {a: {on: {go: b}}, b: {at: {'2000-01-01T00:00:00Z': c}}, c: {}}`,
      NOON,
    );
    expect(run.sendAll('go').active).toEqual(['c']);
  });

  it('is gone when its state is left, and set again when it is entered again', () => {
    const run = new Run(
      `initial: a\nstates: {a: {at: {'2040-06-01T13:00:00Z': late}, on: {go: b}}, b: {on: {back: a}}, late: {}}`,
      NOON,
    );
    expect(run.due).toEqual([NOON + HOUR]);
    expect(run.sendAll('go').due).toEqual([]);
    expect(run.wait(2 * HOUR).active).toEqual(['b']);
    expect(run.sendAll('back').active).toEqual(['late']);
  });

  it('may have several moments, each with guards and actions', () => {
    const run = new Run(
      `
      initial: a
      context: {log: ''}
      states:
        a:
          at:
            '2040-06-01T15:00:00Z': b
            '2040-06-01T13:00:00Z': {actions: {assign: {log: '"one"'}}}
            '2040-06-01T14:00:00Z': [{target: c, guard: context.log == "two"}, {actions: {assign: {log: '"three"'}}}]
        b: {}
        c: {}
      `,
      NOON,
    );
    expect(run.wait(HOUR).context).toEqual({ log: 'one' });
    expect(run.wait(HOUR).context).toEqual({ log: 'three' });
    expect(run.wait(HOUR).active).toEqual(['b']);
  });

  it('stands beside after: whichever is first', () => {
    const chart = `initial: a\nstates: {a: {at: {'2040-06-01T13:00:00Z': b}, after: {30m: c}}, b: {}, c: {}}`;
    expect(new Run(chart, NOON).wait(HOUR).active).toEqual(['c']);
    expect(new Run(chart, NOON + HOUR / 2 + 1).wait(HOUR).active).toEqual(['b']);
  });

  it('of a parent goes on while the states inside change', () => {
    const run = new Run(
      `
      initial: a
      states:
        a: {initial: x, at: {'2040-06-01T13:00:00Z': z}, states: {x: {on: {go: y}}, y: {}}}
        z: {}
      `,
      NOON,
    ).sendAll('go');
    expect(run.wait(HOUR).active).toEqual(['z']);
  });
});
