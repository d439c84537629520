import { describe, expect, it } from 'vitest';
import { Run } from '../run.ts';

describe('onDone', () => {
  it('is taken when the final state inside is reached', () => {
    const run = new Run(`
      initial: work
      states:
        work: {initial: a, states: {a: {on: {update: b}}, b: {type: final}}, onDone: rest}
        rest: {}
    `);
    expect(run.active).toEqual(['work', 'work.a']);
    expect(run.sendAll('update').active).toEqual(['rest']);
  });

  it('of a parallel state waits for every region', () => {
    const run = new Run(`
      initial: both
      states:
        both:
          type: parallel
          states:
            eu: {initial: a, states: {a: {on: {eu: z}}, z: {type: final}}}
            us: {initial: a, states: {a: {on: {us: z}}, z: {type: final}}}
          onDone: released
        released: {}
    `).sendAll('eu');
    expect(run.leaves).toEqual(['both.eu.z', 'both.us.a']);
    expect(run.sendAll('us').active).toEqual(['released']);
  });

  it('is not taken where its guard is false, and the next of the list is tried', () => {
    const run = new Run(`
      initial: work
      context: {failed: 2}
      states:
        work:
          initial: a
          states: {a: {on: {update: b}}, b: {type: final}}
          onDone:
            - {target: good, guard: context.failed == 0}
            - {target: bad}
        good: {}
        bad: {}
    `).sendAll('update');
    expect(run.active).toEqual(['bad']);
  });

  it('runs its actions, after what the final state does on entry', () => {
    const run = new Run(`
      initial: work
      context: {log: ''}
      states:
        work:
          initial: a
          states:
            a: {on: {update: b}}
            b: {type: final, entry: {assign: {log: 'context.log + "entered "'}}}
          onDone: {target: rest, actions: {assign: {log: 'context.log + "done"'}}}
        rest: {}
    `).sendAll('update');
    expect(run.context).toEqual({ log: 'entered done' });
  });

  it('can be awaited elsewhere, by the event that XState names after the state', () => {
    const run = new Run(`
      type: parallel
      states:
        work: {initial: a, states: {a: {on: {update: b}}, b: {type: final}}}
        watch:
          initial: wait
          states: {wait: {on: {xstate.done.state.work: seen}}, seen: {}}
    `).sendAll('update');
    expect(run.leaves).toEqual(['work.b', 'watch.seen']);
  });

  it('is reached one level after the other', () => {
    const run = new Run(`
      initial: outer
      states:
        outer:
          initial: inner
          states:
            inner: {initial: a, states: {a: {on: {update: b}}, b: {type: final}}, onDone: end}
            end: {type: final}
          onDone: rest
        rest: {}
    `).sendAll('update');
    expect(run.active).toEqual(['rest']);
  });
});

describe('a machine whose final state is reached', () => {
  const chart = `
    initial: a
    context: {n: 0}
    on: {late: {actions: {assign: {n: context.n + 1}}}}
    states:
      a: {on: {update: z}, after: {1h: a2}}
      a2: {}
      z: {type: final, entry: {assign: {n: '10'}}}
  `;

  it('is done, and stands in it', () => {
    const run = new Run(chart);
    expect(run.done).toBe(false);
    run.sendAll('update');
    expect([run.done, run.active]).toEqual([true, ['z']]);
  });

  it('takes nothing more, not even what its root would take', () => {
    const run = new Run(chart).sendAll('late', 'update');
    expect(run.send('late')).toBe('not-taken');
    expect(run.send('update')).toBe('not-taken');
    expect(run.send('late', 'z')).toBe('not-taken');
    expect(run.context).toEqual({ n: 10 });
  });

  it('has no timers any more', () => {
    const run = new Run(chart);
    expect(run.due).toHaveLength(1);
    expect(run.sendAll('update').due).toEqual([]);
    expect(run.wait(10_000_000).active).toEqual(['z']);
  });

  it('has no events on their way any more', () => {
    const run = new Run(`
      initial: a
      states:
        a: {entry: {raise: {event: ring, delay: 1h}}, on: {update: z}}
        z: {type: final, entry: {raise: {event: ring, delay: 0}}}
    `);
    expect(run.due).toHaveLength(1);
    expect(run.sendAll('update').due).toEqual([]);
  });

  it('tells no state as left in which it stands', () => {
    const { last } = new Run(chart).sendAll('update');
    if (!last.ok) throw new Error(last.detail);
    const [a, z] = [1, 3];
    const left = last.left.map(({ state }) => state);
    expect(left).toContain(a);
    expect(left).not.toContain(z);
    expect(last.entered).toEqual([z]);
  });

  it('is one whose regions are all done, where the root is parallel', () => {
    const run = new Run(`
      type: parallel
      states:
        eu: {initial: a, states: {a: {on: {eu: z}}, z: {type: final}}}
        us: {initial: a, states: {a: {on: {us: z}}, z: {type: final}}}
    `).sendAll('us');
    expect(run.done).toBe(false);
    expect(run.sendAll('eu').done).toBe(true);
    expect(run.active).toEqual(['eu', 'eu.z', 'us', 'us.z']);
  });

  it('may be so from the start', () => {
    const run = new Run('initial: a\nstates: {a: {type: final}}');
    expect([run.done, run.active]).toEqual([true, ['a']]);
  });

  it('runs its exit actions to the end, as SCXML has it', () => {
    const run = new Run(`
      initial: a
      context: {log: ''}
      exit: {assign: {log: 'context.log + "root "'}}
      states:
        a: {on: {update: z}, exit: {assign: {log: 'context.log + "a "'}}}
        z: {type: final, exit: {assign: {log: 'context.log + "z "'}}}
    `).sendAll('update');
    expect(run.context).toEqual({ log: 'a z root ' });
  });
});
