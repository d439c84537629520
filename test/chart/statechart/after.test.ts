import { describe, expect, it } from 'vitest';
import { Run } from '../run.ts';

describe('after', () => {
  it.each([
    ['1000', 1_000],
    ['0', 0],
    ['250ms', 250],
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['12h', 43_200_000],
    ['7d', 604_800_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1_500],
    ['3650d', 315_360_000_000],
  ])('%s is %i ms from the moment of entry', (delay, ms) => {
    const run = new Run(`initial: a\nstates: {a: {on: {go: b}}, b: {after: {${delay}: c}}, c: {}}`, 5_000);
    run.wait(777).sendAll('go');
    if (ms > 0) expect(run.wait(ms - 1).active).toEqual(['b']);
    expect(run.wait(1).active).toEqual(['c']);
  });

  it('is set when its state is entered, and gone when it is left', () => {
    const run = new Run(`
      initial: a
      states: {a: {after: {10s: late}, on: {go: b}}, b: {on: {back: a}}, late: {}}
    `);
    expect(run.due).toEqual([10_000]);
    expect(run.wait(9_000).sendAll('go').due).toEqual([]);
    expect(run.wait(60_000).active).toEqual(['b']);
    expect(run.sendAll('back').due).toEqual([79_000]);
  });

  it('of a parent goes on while the states inside change', () => {
    const run = new Run(`
      initial: a
      states:
        a: {initial: x, after: {10s: late}, states: {x: {on: {go: y}}, y: {on: {go: x}}}}
        late: {}
    `);
    run.wait(4_000).sendAll('go').wait(5_999).sendAll('go');
    expect(run.active).toEqual(['a', 'a.x']);
    expect(run.wait(1).active).toEqual(['late']);
  });

  it('may have several delays, the shortest first', () => {
    const run = new Run(`
      initial: a
      context: {log: ''}
      states:
        a:
          after:
            3s: b
            1s: {actions: {assign: {log: 'context.log + "1"'}}}
            2s: {actions: {assign: {log: 'context.log + "2"'}}}
        b: {}
    `);
    expect(run.wait(2_999).context).toEqual({ log: '12' });
    expect(run.wait(1).active).toEqual(['b']);
  });

  it('fires once', () => {
    const run = new Run(`
      initial: a
      context: {n: 0}
      states: {a: {after: {1s: {actions: {assign: {n: context.n + 1}}}}}}
    `);
    expect(run.wait(10_000).context).toEqual({ n: 1 });
    expect(run.due).toEqual([]);
  });

  it('tries its transitions in order, and is spent where no guard is true', () => {
    const run = new Run(`
      initial: a
      context: {n: 0}
      states:
        a:
          after: {1s: [{target: b, guard: context.n == 1}, {target: c, guard: context.n == 2}]}
          on: {more: {actions: {assign: {n: context.n + 1}}}}
        b: {}
        c: {}
    `);
    expect(run.wait(1_000).active).toEqual(['a']);
    expect(run.due).toEqual([]);
    expect(run.sendAll('more').wait(10_000).active).toEqual(['a']);
  });

  it('takes two ways of writing one duration for the same, in the order of the document', () => {
    const run = new Run(`
      initial: a
      states: {a: {after: {60s: {target: b, guard: 'false'}, 1m: c}}, b: {}, c: {}}
    `);
    expect(run.due).toEqual([60_000]);
    expect(run.wait(60_000).active).toEqual(['c']);
  });

  it('follows upon another at the moments that were planned', () => {
    const run = new Run(`
      initial: a
      states: {a: {after: {1s: b}}, b: {after: {1s: c}}, c: {after: {1s: d}}, d: {}}
    `);
    run.wait(10_000);
    const [visit] = run.snapshot.active.values();
    expect([run.active, visit?.since]).toEqual([['d'], 3_000]);
  });
});

describe('a timer that is fired late', () => {
  const chart = `
    type: parallel
    context: {log: ''}
    states:
      eu:
        initial: a
        states:
          a: {after: {10s: b}}
          b: {entry: {assign: {log: 'context.log + "eu "'}}, after: {10s: c}}
          c: {entry: {assign: {log: 'context.log + "eu2 "'}}}
      us:
        initial: a
        states:
          a: {after: {15s: b}, on: {go: b}}
          b: {entry: {assign: {log: 'context.log + "us "'}}, after: {1h: c}}
          c: {}
  `;

  it('leaves exactly what a punctual one leaves', () => {
    const punctual = new Run(chart);
    for (let i = 0; i < 40; i++) punctual.wait(1_000);
    const late = new Run(chart).wait(40_000);
    expect(late.context).toEqual({ log: 'eu us eu2 ' });
    expect(late.snapshot.active).toEqual(punctual.snapshot.active);
    expect(late.snapshot.timers).toEqual(punctual.snapshot.timers);
    expect(late.snapshot.machine.context).toEqual(punctual.snapshot.machine.context);
    expect(late.due).toEqual([15_000 + 3_600_000]);
  });

  it('goes before an event that comes after its moment', () => {
    const run = new Run(chart).wait(15_000);
    expect(run.send('go')).toBe('not-taken');
    const early = new Run(chart).wait(14_999);
    expect(early.send('go')).toBe('taken');
  });
});
