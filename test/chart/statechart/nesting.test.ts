import { describe, expect, it } from 'vitest';
import { Run } from '../run.ts';

describe('a state inside a state', () => {
  const nested = `
    initial: work
    states:
      work:
        initial: drain
        on: {abort: aborted}
        states:
          drain: {on: {next: deploy}}
          deploy:
            initial: copy
            states:
              copy: {on: {next: check}}
              check: {on: {next: drain_again, abort: '#kept'}}
              drain_again: {}
          kept: {id: kept}
      aborted: {}
  `;

  it('is entered with its parent, by way of initial, down to a state with nothing inside', () => {
    const run = new Run(nested);
    expect(run.active).toEqual(['work', 'work.drain']);
    run.sendAll('next');
    expect(run.active).toEqual(['work', 'work.deploy', 'work.deploy.copy']);
  });

  it('is left without leaving its parent', () => {
    const run = new Run(nested);
    const before = run.snapshot.active.get(1);
    run.sendAll('next', 'next');
    expect(run.active).toEqual(['work', 'work.deploy', 'work.deploy.check']);
    expect(run.snapshot.active.get(1)).toEqual(before);
  });

  it('leaves an event that it does not name to its parents', () => {
    const run = new Run(nested).sendAll('next', 'abort');
    expect(run.active).toEqual(['aborted']);
  });

  it('goes before its parents where both name an event', () => {
    const run = new Run(nested).sendAll('next', 'next', 'abort');
    expect(run.active).toEqual(['work', 'kept']);
  });

  it('leaves an event to its parents where its own guard is false', () => {
    const run = new Run(`
      initial: outer
      states:
        outer:
          initial: inner
          on: {go: by_the_parent}
          states: {inner: {on: {go: {target: '#child', guard: 'false'}}}, child: {id: child}}
        by_the_parent: {}
    `).sendAll('go');
    expect(run.active).toEqual(['by_the_parent']);
  });
});

describe('a target', () => {
  const chartWith = (target: string) => `
    initial: a
    states:
      a:
        initial: b
        states:
          b: {on: {go: {target: '${target}'}}, initial: c, states: {c: {}, 'c.d': {}, e: {initial: f, states: {f: {}, g: {}}}}}
          h: {id: far.away, initial: i, states: {i: {}, j: {}}}
      k: {}
  `;

  it.each([
    ['.c.d', 'a.b.c.d'],
    ['.e', 'a.b.e.f'],
    ['.e.g', 'a.b.e.g'],
    ['h', 'a.h.i'],
    ['h.j', 'a.h.j'],
    ['b', 'a.b.c'],
    ['#far.away', 'a.h.i'],
    ['#far.away.j', 'a.h.j'],
  ])('%s is found as XState finds it', (target, reached) => {
    expect(new Run(chartWith(target)).sendAll('go').leaves).toEqual([reached]);
  });

  it('may be a list of states in different regions', () => {
    const run = new Run(`
      initial: off
      states:
        off: {on: {go: {target: [on.a.a2, on.b.b2]}}}
        on:
          type: parallel
          states:
            a: {initial: a1, states: {a1: {}, a2: {}}}
            b: {initial: b1, states: {b1: {}, b2: {}}}
            c: {initial: c1, states: {c1: {}, c2: {}}}
    `).sendAll('go');
    expect(run.leaves).toEqual(['on.a.a2', 'on.b.b2', 'on.c.c1']);
  });

  it('of an initial may come with actions', () => {
    const run = new Run(`
      initial: {target: a, actions: {assign: {began: 'true'}}}
      states: {a: {}}
    `);
    expect(run.context).toEqual({ began: true });
  });
});

it('numbers the visits of states, and says since when each lasts', () => {
  const chart = 'initial: a\nstates: {a: {initial: b, states: {b: {on: {go: c}}, c: {on: {go: b}}}}}';
  const run = new Run(chart, 1_000);
  const visitOf = (name: string) => {
    const found = run.chart.names.find(name);
    const visit = found?.ok ? run.snapshot.active.get(found.state) : undefined;
    if (visit === undefined) throw new Error(`${name} is not active`);
    return visit;
  };
  const [a, b] = [visitOf('a'), visitOf('b')];
  expect([a.since, b.since]).toEqual([1_000, 1_000]);
  expect(b.number).toBeGreaterThan(a.number);
  run.wait(5).sendAll('go').wait(5).sendAll('go');
  expect(visitOf('a')).toEqual(a);
  expect(visitOf('b').since).toBe(1_010);
  expect(visitOf('b').number).toBeGreaterThan(b.number + 1);
});
