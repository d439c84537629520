import { describe, expect, it } from 'vitest';
import { Run } from '../run.ts';

const twoRegions = `
  type: parallel
  states:
    eu:
      initial: drain
      states: {drain: {on: {update: deploy, eu: deploy}}, deploy: {}}
    us:
      initial: drain
      states: {drain: {on: {update: deploy, us: deploy}}, deploy: {}}
`;

describe('the regions of a parallel state', () => {
  it('are all entered with it, in the order of the document', () => {
    expect(new Run(twoRegions).active).toEqual(['eu', 'eu.drain', 'us', 'us.drain']);
  });

  it('each take an event that is sent to all', () => {
    expect(new Run(twoRegions).sendAll('update').leaves).toEqual(['eu.deploy', 'us.deploy']);
  });

  it('do not touch each other', () => {
    const run = new Run(twoRegions).sendAll('us');
    expect(run.leaves).toEqual(['eu.drain', 'us.deploy']);
    run.sendAll('update');
    expect(run.leaves).toEqual(['eu.deploy', 'us.deploy']);
  });

  it('are all left with it', () => {
    const run = new Run(`
      initial: both
      states:
        both: {type: parallel, on: {stop: off}, states: {a: {}, b: {initial: c, states: {c: {}}}}}
        off: {}
    `);
    expect(run.active).toEqual(['both', 'both.a', 'both.b', 'both.b.c']);
    expect(run.sendAll('stop').active).toEqual(['off']);
  });

  it('may hold regions themselves', () => {
    const run = new Run(`
      type: parallel
      states:
        a: {type: parallel, states: {a1: {}, a2: {initial: x, states: {x: {on: {go: y}}, y: {}}}}}
        b: {}
    `).sendAll('go');
    expect(run.active).toEqual(['a', 'a.a1', 'a.a2', 'a.a2.y', 'b']);
  });

  it('let the first of the document win where two would lead out of the parallel state', () => {
    const run = new Run(`
      initial: p
      states:
        p: {type: parallel, states: {a: {on: {go: '#x'}}, b: {on: {go: '#y'}}}}
        x: {id: x}
        y: {id: y}
    `).sendAll('go');
    expect(run.active).toEqual(['x']);
  });

  it('let the first of the document win also after they were moved in another order', () => {
    const run = new Run(`
      initial: p
      states:
        p:
          type: parallel
          states:
            a: {initial: a1, states: {a1: {on: {a: a2}}, a2: {on: {go: '#x'}}}}
            b: {initial: b1, states: {b1: {on: {b: b2}}, b2: {on: {go: '#y'}}}}
        x: {id: x}
        y: {id: y}
    `).sendAll('b', 'a', 'go');
    expect(run.active).toEqual(['x']);
  });

  it('let the first of the document win also where nothing but a guard is waited for', () => {
    const run = new Run(`
      initial: p
      context: {open: false}
      states:
        p:
          type: parallel
          states:
            a: {initial: a1, states: {a1: {on: {a: a2}}, a2: {always: {target: '#x', guard: context.open}}}}
            b: {initial: b1, states: {b1: {on: {b: b2}}, b2: {always: {target: '#y', guard: context.open}}}}
            c: {on: {open: {actions: {assign: {open: 'true'}}}}}
        x: {id: x}
        y: {id: y}
    `).sendAll('b', 'a', 'open');
    expect(run.active).toEqual(['x']);
  });

  it('let the first of the document win also where its state is entered by the same event', () => {
    const run = new Run(`
      initial: p
      states:
        p:
          type: parallel
          states:
            a: {initial: a1, states: {a1: {on: {go: a2}}, a2: {always: '#x'}}}
            b: {always: {target: '#y', guard: in_state("p.a.a2")}}
        x: {id: x}
        y: {id: y}
    `).sendAll('go');
    expect(run.active).toEqual(['x']);
  });

  it('see one another where they are told to: a transition that names a region', () => {
    const run = new Run(`
      type: parallel
      states:
        a: {initial: a1, states: {a1: {on: {go: {target: '#b2'}}}, a2: {}}}
        b: {initial: b1, states: {b1: {}, b2: {id: b2}}}
    `).sendAll('go');
    expect(run.leaves).toEqual(['a.a1', 'b2']);
  });
});
