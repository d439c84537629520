import { describe, expect, it } from 'vitest';
import { Run } from '../run.ts';

describe('raise', () => {
  it('sends the chart an event before the next one from outside', () => {
    const run = new Run(`
      initial: a
      states:
        a: {on: {go: {target: b, actions: {raise: next}}}}
        b: {on: {next: c}}
        c: {on: {go: d}}
        d: {}
    `).sendAll('go');
    expect(run.active).toEqual(['c']);
  });

  it('queues several events in the order in which they were raised', () => {
    const run = new Run(`
      initial: a
      context: {log: ''}
      on:
        one: {actions: {assign: {log: 'context.log + "1"'}}}
        two: {actions: [{assign: {log: 'context.log + "2"'}}, {raise: three}]}
        three: {actions: {assign: {log: 'context.log + "3"'}}}
        four: {actions: {assign: {log: 'context.log + "4"'}}}
      states: {a: {on: {go: {actions: [{raise: one}, {raise: two}, {raise: four}]}}}}
    `).sendAll('go');
    expect(run.context).toEqual({ log: '1243' });
  });

  it('is taken by nobody without harm', () => {
    const run = new Run('initial: a\nstates: {a: {on: {go: {target: b, actions: {raise: nobody}}}}, b: {}}');
    expect(run.sendAll('go').active).toEqual(['b']);
  });

  it('may stand in entry, in exit and in an initial', () => {
    const run = new Run(`
      initial: {target: a, actions: {raise: from_initial}}
      context: {log: ''}
      on:
        from_initial: {actions: {assign: {log: 'context.log + "i"'}}}
        from_entry: {actions: {assign: {log: 'context.log + "e"'}}}
        from_exit: {actions: {assign: {log: 'context.log + "x"'}}}
      states:
        a: {entry: {raise: from_entry}, exit: {raise: from_exit}, on: {go: b}}
        b: {}
    `);
    expect(run.context).toEqual({ log: 'ie' });
    expect(run.sendAll('go').context).toEqual({ log: 'iex' });
  });

  it('reaches every region, wherever the event from outside was sent to', () => {
    const run = new Run(`
      type: parallel
      states:
        eu: {initial: a, states: {a: {on: {update: {target: b, actions: {raise: tell}}}}, b: {}}}
        us: {initial: a, states: {a: {on: {update: b, tell: told}}, b: {}, told: {}}}
    `);
    run.send('update', 'eu.a');
    expect(run.leaves).toEqual(['eu.b', 'us.told']);
  });
});

describe('raise with a delay', () => {
  const chart = (delay: string) => `
    initial: a
    states:
      a: {on: {go: {target: b, actions: [{raise: {event: outside, delay: ${delay}}}, {raise: inside}]}}}
      b: {on: {inside: c, outside: wrong}}
      c: {on: {outside: d}}
      d: {}
      wrong: {}
  `;

  it.each(['0', '1ms', '10s'])('of %s comes after everything that was raised without one', (delay) => {
    const run = new Run(chart(delay)).sendAll('go').wait(10_000);
    expect(run.active).toEqual(['d']);
  });

  it('of 0 is queued like an event from outside: what is always true comes first', () => {
    const run = new Run(`
      initial: a
      states:
        a: {on: {go: {target: b, actions: {raise: {event: ring, delay: 0}}}}}
        b: {always: c, on: {ring: wrong}}
        c: {on: {ring: right}}
        wrong: {}
        right: {}
    `).sendAll('go');
    expect(run.active).toEqual(['right']);
  });

  it.each([
    ['1500', 1_500],
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['1h30m', 5_400_000],
    ['0.5s', 500],
  ])('of %s comes at its moment and not before', (delay, ms) => {
    const run = new Run(chart(delay)).sendAll('go').wait(ms - 1);
    expect(run.active).toEqual(['c']);
    expect(run.wait(1).active).toEqual(['d']);
  });

  it('comes though its state was left meanwhile', () => {
    const run = new Run(`
      initial: a
      states:
        a: {entry: {raise: {event: ring, delay: 10s}}, on: {go: b}}
        b: {on: {ring: c}}
        c: {}
    `)
      .sendAll('go')
      .wait(10_000);
    expect(run.active).toEqual(['c']);
  });

  it('comes in the order of its moments, and among equals in the order in which it was set', () => {
    const run = new Run(`
      initial: a
      context: {log: ''}
      entry:
        - {raise: {event: late, delay: 2s}}
        - {raise: {event: first, delay: 1s}}
        - {raise: {event: second, delay: 1000}}
      on:
        late: {actions: {assign: {log: 'context.log + "late "'}}}
        first: {actions: {assign: {log: 'context.log + "first "'}}}
        second: {actions: {assign: {log: 'context.log + "second "'}}}
      states: {a: {}}
    `).wait(2_000);
    expect(run.context).toEqual({ log: 'first second late ' });
  });

  it('goes to every region', () => {
    const run = new Run(`
      type: parallel
      states:
        eu: {initial: a, states: {a: {on: {go: {actions: {raise: {event: ring, delay: 1s}}}, ring: b}}, b: {}}}
        us: {initial: a, states: {a: {on: {ring: b}}, b: {}}}
    `);
    run.send('go', 'eu');
    expect(run.wait(1_000).leaves).toEqual(['eu.b', 'us.b']);
  });
});

describe('cancel', () => {
  const chart = `
    initial: a
    states:
      a:
        entry: [{raise: {event: ring, delay: 10s, id: bell}}, {raise: {event: ring2, delay: 20s, id: other}}]
        on:
          stop: {actions: {cancel: bell}}
          stop_all: {actions: [{cancel: bell}, {cancel: other}]}
          stop_what_is_not_there: {actions: {cancel: nothing}}
          again: {actions: {raise: {event: ring, delay: 10s, id: bell}}}
          ring: b
          ring2: c
      b: {}
      c: {}
  `;

  it('takes back a delayed event by its id, and no other', () => {
    const run = new Run(chart).sendAll('stop').wait(10_000);
    expect(run.active).toEqual(['a']);
    expect(run.wait(10_000).active).toEqual(['c']);
  });

  it('of an id that nothing has does nothing', () => {
    const run = new Run(chart).sendAll('stop_what_is_not_there');
    expect(run.due).toEqual([10_000, 20_000]);
  });

  it('may take back several', () => {
    expect(new Run(chart).sendAll('stop_all').due).toEqual([]);
  });

  it('takes back every event that has the id', () => {
    const run = new Run(chart).sendAll('again', 'again');
    expect(run.due).toEqual([10_000, 10_000, 10_000, 20_000]);
    expect(run.sendAll('stop').due).toEqual([20_000]);
  });

  it('leaves one alone that was set after it', () => {
    const run = new Run(chart).wait(5_000).sendAll('stop', 'again').wait(9_999);
    expect(run.active).toEqual(['a']);
    expect(run.wait(1).active).toEqual(['b']);
  });

  it('in the same step as the raise leaves nothing', () => {
    const run = new Run(`
      initial: a
      states:
        a: {on: {go: {target: b, actions: [{raise: {event: ring, delay: 1s, id: x}}, {cancel: x}]}}}
        b: {on: {ring: c}}
        c: {}
    `).sendAll('go');
    expect(run.due).toEqual([]);
    expect(run.last).toMatchObject({ timersSet: [], timersCleared: [] });
  });

  it('does not reach the timers of after', () => {
    const run = new Run(`
      initial: a
      states: {a: {after: {1s: b}, on: {go: {actions: [{cancel: xstate.after.1000.s1}, {cancel: s1}, {cancel: a}]}}}, b: {}}
    `)
      .sendAll('go')
      .wait(1_000);
    expect(run.active).toEqual(['b']);
  });
});
