import { describe, expect, it } from 'vitest';
import { Run } from '../run.ts';

/** Where an event leads. */
const led = (on: string, event: string) => {
  const run = new Run(`initial: a\nstates: {a: {on: ${on}}, b: {}, c: {}, d: {}}`);
  return run.send(event) === 'taken' ? run.active : [];
};

describe('a wildcard', () => {
  it.each([
    ['{"*": b}', 'anything', ['b']],
    ['{"*": b}', 'a.b.c', ['b']],
    ['{"build.*": b}', 'build', ['b']],
    ['{"build.*": b}', 'build.done', ['b']],
    ['{"build.*": b}', 'build.done.well', ['b']],
    ['{"build.*": b}', 'builder', []],
    ['{"build.*": b}', 'rebuild.done', []],
    ['{build: b}', 'build.done', []],
    ['{build.done: b}', 'build', []],
  ])('%s and the event %s', (on, event, reached) => {
    expect(led(on, event)).toEqual(reached);
  });

  it('comes after the exact name, and the closer one before the wider', () => {
    const on = '{"*": b, "x.*": c, x.y: d}';
    expect(led(on, 'x.y')).toEqual(['d']);
    expect(led(on, 'x.z')).toEqual(['c']);
    expect(led(on, 'z')).toEqual(['b']);
  });

  it('comes to its turn where the exact one’s guard is false', () => {
    expect(led('{x: {target: b, guard: "false"}, "*": c}', 'x')).toEqual(['c']);
  });

  it('of a state inside goes before the exact name of its parent', () => {
    const run = new Run(`
      initial: a
      states: {a: {initial: x, on: {go: c}, states: {x: {on: {'*': b}}, b: {}}}, c: {}}
    `).sendAll('go');
    expect(run.active).toEqual(['a', 'a.b']);
  });

  it('may carry a quorum, which all its events count for', () => {
    const run = new Run(`
      initial: a
      states: {a: {on: {'vote.*': {target: b, quorum: 3}}}, b: {}}
    `).sendAll('vote.yes', 'vote.no');
    expect(run.active).toEqual(['a']);
    expect(run.sendAll('vote').active).toEqual(['b']);
  });
});

describe('an event', () => {
  it('that nobody names is not taken', () => {
    expect(led('{go: b}', 'come')).toEqual([]);
  });

  it.each(['__proto__', 'constructor', 'toString', 'a b', 'ü', '100%', '1', '#1', '*x'])(
    'may have any name, such as %s',
    (name) => {
      expect(led(`{${JSON.stringify(name)}: b}`, name)).toEqual(['b']);
      expect(led('{other: b}', name)).toEqual([]);
    },
  );

  it('is the same for two states that name it: only the one that is active takes it', () => {
    const run = new Run('initial: a\nstates: {a: {on: {go: b}}, b: {on: {go: a}}}');
    expect(run.sendAll('go').active).toEqual(['b']);
    expect(run.sendAll('go').active).toEqual(['a']);
  });
});

describe('a forbidden transition, {}', () => {
  const chart = `
    initial: a
    on: {stop: .z}
    states:
      a: {initial: x, states: {x: {on: {stop: {}, go: y}}, y: {}}}
      z: {}
  `;

  it('keeps an event from the parents, and takes it not', () => {
    const run = new Run(chart);
    expect(run.send('stop')).toBe('not-taken');
    expect(run.active).toEqual(['a', 'a.x']);
  });

  it('does so only while its state is active', () => {
    expect(new Run(chart).sendAll('go', 'stop').active).toEqual(['z']);
  });

  it('with a guard keeps it only while the guard is true', () => {
    const run = new Run(`
      initial: a
      context: {busy: true}
      on: {stop: .z}
      states:
        a: {on: {stop: {guard: context.busy}, free: {actions: {assign: {busy: 'false'}}}}}
        z: {}
    `);
    expect(run.send('stop')).toBe('not-taken');
    expect(run.sendAll('free', 'stop').active).toEqual(['z']);
  });

  it('keeps a wildcard of its own state from it', () => {
    const run = new Run(`initial: a\nstates: {a: {on: {stop: {}, '*': b}}, b: {}}`);
    expect(run.send('stop')).toBe('not-taken');
    expect(run.send('else')).toBe('taken');
  });
});
