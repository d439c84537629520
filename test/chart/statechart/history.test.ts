import { describe, expect, it } from 'vitest';
import { Run } from '../run.ts';

/** A state with two levels inside, that is left by `out` and entered again by way of its history. */
const chartWith = (history: string) => `
  initial: out
  states:
    out: {on: {back: work.past, fresh: work}}
    work:
      initial: a
      on: {out: out}
      states:
        past: ${history}
        a: {on: {next: b}}
        b:
          initial: b1
          states: {b1: {on: {next: b2}}, b2: {}}
`;

describe('a history state that has nothing to remember', () => {
  it('leads to its target', () => {
    const run = new Run(chartWith('{type: history, target: b}')).sendAll('back');
    expect(run.leaves).toEqual(['work.b.b1']);
  });

  it('leads to the initial state where it has no target', () => {
    const run = new Run(chartWith('{type: history}')).sendAll('back');
    expect(run.leaves).toEqual(['work.a']);
  });

  it('may have a target that lies deeper', () => {
    const run = new Run(chartWith('{type: history, history: deep, target: b.b2}')).sendAll('back');
    expect(run.leaves).toEqual(['work.b.b2']);
  });
});

describe('a shallow history', () => {
  it('remembers the child, and enters it anew', () => {
    const run = new Run(chartWith('{type: history, target: a}'));
    run.sendAll('fresh', 'next', 'next');
    expect(run.leaves).toEqual(['work.b.b2']);
    expect(run.sendAll('out', 'back').leaves).toEqual(['work.b.b1']);
  });

  it('is what a history is where nothing else is said, also without a type', () => {
    const run = new Run(chartWith('{history: shallow}')).sendAll('fresh', 'next', 'next', 'out', 'back');
    expect(run.leaves).toEqual(['work.b.b1']);
  });
});

describe('a deep history', () => {
  it('remembers all that was active inside', () => {
    const run = new Run(chartWith('{type: history, history: deep}'));
    run.sendAll('fresh', 'next', 'next', 'out', 'back');
    expect(run.active).toEqual(['work', 'work.b', 'work.b.b2']);
  });

  it('remembers every region of a parallel state', () => {
    const run = new Run(`
      initial: p
      states:
        p:
          type: parallel
          on: {out: out}
          states:
            past: {type: history, history: deep}
            x: {initial: x1, states: {x1: {on: {x: x2}}, x2: {}}}
            y: {initial: y1, states: {y1: {on: {y: y2}}, y2: {}}}
        out: {on: {back: p.past}}
    `).sendAll('y', 'out', 'back');
    expect(run.leaves).toEqual(['p.x.x1', 'p.y.y2']);
    expect(run.sendAll('x', 'out', 'back').leaves).toEqual(['p.x.x2', 'p.y.y2']);
  });
});

describe('any history', () => {
  it('remembers the last visit and not the one before', () => {
    const run = new Run(chartWith('{type: history, history: deep}'));
    run.sendAll('fresh', 'next', 'next', 'out', 'fresh', 'out', 'back');
    expect(run.leaves).toEqual(['work.a']);
  });

  it('is no place to be: it is never active', () => {
    const run = new Run(chartWith('{type: history}')).sendAll('back');
    expect(run.active).not.toContain('work.past');
  });

  it('may be the initial state of its parent', () => {
    const run = new Run(`
      initial: work
      states:
        work:
          initial: past
          on: {out: out}
          states: {past: {type: history, target: a}, a: {on: {next: b}}, b: {}}
        out: {on: {back: work}}
    `);
    expect(run.leaves).toEqual(['work.a']);
    expect(run.sendAll('next', 'out', 'back').leaves).toEqual(['work.b']);
  });

  it('that leads from a child of its parent to this child leaves and enters the child', () => {
    const run = new Run(`
      initial: work
      states:
        work:
          initial: a
          states: {past: {type: history}, a: {on: {again: past}, after: {1m: b}}, b: {}}
    `).sendAll('again');
    expect(run.last).toMatchObject({ left: [{ state: 3, visit: 3 }], entered: [3] });
    expect(run.due).toEqual([60_000]);
  });

  it('of a parallel state does not lead from a region to states that cannot be active together', () => {
    const run = new Run(`
      initial: work
      states:
        work:
          initial: p
          states:
            p:
              type: parallel
              states: {past: {type: history, target: x}, x: {on: {go: past}}, y: {on: {go: '#other'}}}
            other: {id: other}
    `).sendAll('go');
    expect(run.leaves).toEqual(['work.p.x', 'work.p.y']);
  });
});
