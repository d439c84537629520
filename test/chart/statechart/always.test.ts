import { describe, expect, it } from 'vitest';
import { Run } from '../run.ts';

describe('always', () => {
  it('is taken as soon as its state is entered', () => {
    const run = new Run('initial: a\nstates: {a: {always: b}, b: {always: c}, c: {}}');
    expect(run.active).toEqual(['c']);
  });

  it('waits for its guard, and is looked at after each event', () => {
    const run = new Run(`
      initial: a
      context: {n: 0}
      states:
        a:
          always: {target: b, guard: context.n >= 2}
          on: {more: {actions: {assign: {n: context.n + 1}}}}
        b: {}
    `).sendAll('more');
    expect(run.active).toEqual(['a']);
    expect(run.sendAll('more').active).toEqual(['b']);
  });

  it('takes the first of its list whose guard is true', () => {
    const run = new Run(`
      initial: a
      context: {n: 7}
      states:
        a: {always: [{target: b, guard: context.n < 5}, {target: c, guard: context.n < 10}, d]}
        b: {}
        c: {}
        d: {}
    `);
    expect(run.active).toEqual(['c']);
  });

  it('of a parent is taken whatever child is active', () => {
    const run = new Run(`
      initial: a
      context: {stop: false}
      states:
        a:
          initial: x
          always: {target: z, guard: context.stop}
          states: {x: {on: {go: y}}, y: {on: {stop: {actions: {assign: {stop: 'true'}}}}}}
        z: {}
    `).sendAll('go', 'stop');
    expect(run.active).toEqual(['z']);
  });

  it('goes before an event that was raised meanwhile', () => {
    const run = new Run(`
      initial: a
      states:
        a: {on: {go: {target: b, actions: {raise: ring}}}}
        b: {always: c, on: {ring: wrong}}
        c: {on: {ring: right}}
        wrong: {}
        right: {}
    `).sendAll('go');
    expect(run.active).toEqual(['right']);
  });

  it('may have actions alone, which end what its guard asks for', () => {
    const run = new Run(`
      initial: a
      context: {n: 0}
      states: {a: {always: {guard: context.n < 100, actions: {assign: {n: context.n + 1}}}}}
    `);
    expect(run.context).toEqual({ n: 100 });
  });

  it('in a region joins what happens in another', () => {
    const run = new Run(`
      type: parallel
      states:
        work: {initial: a, states: {a: {on: {done: b}}, b: {}}}
        watch:
          initial: wait
          states: {wait: {always: {target: seen, guard: 'in_state("work.b")'}}, seen: {}}
    `);
    expect(run.leaves).toEqual(['work.a', 'watch.wait']);
    expect(run.sendAll('done').leaves).toEqual(['work.b', 'watch.seen']);
  });

  it('that turns out to run for ever refuses the event whole, and nothing has changed', () => {
    const run = new Run(`
      initial: a
      context: {n: 0, spin: false}
      states:
        a: {on: {spin: {target: b, actions: {assign: {spin: 'true', n: '1'}}}, go: c}}
        b: {always: {target: a2, guard: context.spin}}
        a2: {always: {target: b, guard: context.spin}}
        c: {}
    `);
    const before = run.snapshot;
    expect(run.send('spin')).toBe('over-bound');
    expect(run.last).toMatchObject({ ok: false, detail: expect.stringMatching(/without end|too/) });
    expect(run.snapshot).toBe(before);
    expect([run.active, run.context]).toEqual([['a'], { n: 0, spin: false }]);
    expect(run.sendAll('go').active).toEqual(['c']);
  });
});
