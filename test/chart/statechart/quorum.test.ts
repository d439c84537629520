import { describe, expect, it } from 'vitest';
import { quorums } from '../../../src/chart/chart.ts';
import { Run } from '../run.ts';

/** How far the quorums have come. */
const counts = (run: Run) =>
  quorums(run.chart, run.snapshot).map(({ event, have, until }) => [event, have, until]);

describe('a quorum of N', () => {
  it.each([1, 2, 3, 10])('of %i takes exactly the last of as many events', (quorum) => {
    const run = new Run(`initial: a\nstates: {a: {on: {update: {target: b, quorum: ${quorum}}}}, b: {}}`);
    for (let i = 1; i < quorum; i++) {
      run.sendAll('update');
      expect([run.active, counts(run)]).toEqual([['a'], [['update', i, quorum]]]);
    }
    expect(run.sendAll('update').active).toEqual(['b']);
  });

  it('runs its actions once, with the event that takes it', () => {
    const run = new Run(`
      initial: a
      context: {n: 0}
      states: {a: {on: {update: {target: b, quorum: 3, actions: {assign: {n: context.n + 1}}}}}, b: {}}
    `).sendAll('update', 'update');
    expect(run.context).toEqual({ n: 0 });
    expect(run.sendAll('update').context).toEqual({ n: 1 });
  });

  it('counts anew in each visit', () => {
    const run = new Run(`
      initial: a
      states: {a: {on: {update: {target: z, quorum: 2}, away: b}}, b: {on: {back: a}}, z: {}}
    `).sendAll('update', 'away', 'back');
    expect(counts(run)).toEqual([['update', 0, 2]]);
    expect(run.sendAll('update').active).toEqual(['a']);
    expect(run.sendAll('update').active).toEqual(['z']);
  });

  it('begins anew when its state is reentered, and goes on when it is not', () => {
    const run = new Run(`
      initial: a
      states:
        a:
          on: {update: {target: z, quorum: 3}, again: {target: a, reenter: true}, stay: {target: a}}
          initial: x
          states: {x: {on: {inside: y}}, y: {}}
        z: {}
    `).sendAll('update', 'stay', 'inside', 'update');
    expect(counts(run)).toEqual([['update', 2, 3]]);
    expect(counts(run.sendAll('again'))).toEqual([['update', 0, 3]]);
    expect(run.sendAll('update', 'update').active).toEqual(['a', 'a.x']);
    expect(run.sendAll('update').active).toEqual(['z']);
  });

  it('counts only events that its guard lets through', () => {
    const run = new Run(`
      initial: a
      context: {open: false}
      states:
        a:
          on:
            update: {target: b, quorum: 2, guard: context.open}
            open: {actions: {assign: {open: 'true'}}}
            shut: {actions: {assign: {open: 'false'}}}
        b: {}
    `);
    expect(run.send('update')).toBe('not-taken');
    run.sendAll('open', 'update', 'shut');
    expect(run.send('update')).toBe('not-taken');
    expect(counts(run)).toEqual([['update', 1, 2]]);
    expect(run.sendAll('open', 'update').active).toEqual(['b']);
  });

  it('counts each event apart', () => {
    const run = new Run(`
      initial: a
      states: {a: {on: {yes: {target: b, quorum: 2}, no: {target: c, quorum: 2}}}, b: {}, c: {}}
    `).sendAll('yes', 'no');
    expect(counts(run)).toEqual([
      ['yes', 1, 2],
      ['no', 1, 2],
    ]);
    expect(run.sendAll('no').active).toEqual(['c']);
  });

  it('counts each transition of a list apart', () => {
    const run = new Run(`
      initial: a
      context: {fast: true}
      states:
        a:
          on:
            update: [{target: b, quorum: 2, guard: context.fast}, {target: c, quorum: 3}]
            slow: {actions: {assign: {fast: 'false'}}}
        b: {}
        c: {}
    `).sendAll('update', 'slow', 'update', 'update');
    expect(run.active).toEqual(['a']);
    expect(run.sendAll('update').active).toEqual(['c']);
  });

  it('without a target does its actions with every Nth event, and begins anew', () => {
    const run = new Run(`
      initial: a
      context: {n: 0}
      states: {a: {on: {update: {quorum: 2, actions: {assign: {n: context.n + 1}}}}}}
    `).sendAll('update', 'update');
    expect(run.context).toEqual({ n: 1 });
  });

  it('counts in each region by itself', () => {
    const run = new Run(`
      type: parallel
      states:
        eu: {initial: a, states: {a: {on: {update: {target: b, quorum: 2}}}, b: {}}}
        us: {initial: a, states: {a: {on: {update: {target: b, quorum: 3}}}, b: {}}}
    `).sendAll('update');
    run.send('update', 'eu');
    expect(run.leaves).toEqual(['eu.b', 'us.a']);
    run.sendAll('update');
    expect(run.leaves).toEqual(['eu.b', 'us.a']);
    expect(run.sendAll('update').leaves).toEqual(['eu.b', 'us.b']);
  });

  it('of a parent goes on while the states inside change', () => {
    const run = new Run(`
      initial: a
      states:
        a: {initial: x, on: {update: {target: z, quorum: 2}}, states: {x: {on: {next: y}}, y: {on: {next: x}}}}
        z: {}
    `).sendAll('next', 'update', 'next', 'next');
    expect(run.sendAll('update').active).toEqual(['z']);
  });

  it('of the root is told, and counts', () => {
    const run = new Run('initial: a\non: {update: {target: .b, quorum: 2}}\nstates: {a: {}, b: {}}').sendAll(
      'update',
    );
    expect(counts(run)).toEqual([['update', 1, 2]]);
    expect(run.sendAll('update').active).toEqual(['b']);
  });

  it('is not mixed up with the states inside its target', () => {
    const run = new Run(`
      initial: a
      states:
        a: {on: {update: {target: b, quorum: 2}}}
        b: {initial: c, states: {c: {on: {update: {target: d, quorum: 2}}}, d: {}}}
    `).sendAll('update', 'update', 'update');
    expect(run.leaves).toEqual(['b.c']);
    expect(run.sendAll('update').leaves).toEqual(['b.d']);
  });
});
