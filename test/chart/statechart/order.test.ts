import { describe, expect, it } from 'vitest';
import { Run } from '../run.ts';

/** An action that writes a word down. */
const log = (word: string) => `{assign: {log: 'context.log + "${word} "'}}`;

describe('a transition', () => {
  it('leaves the innermost first, acts, and enters the outermost first', () => {
    const run = new Run(`
      initial: a
      context: {log: ''}
      states:
        a:
          entry: ${log('+a')}
          exit: ${log('-a')}
          initial: a1
          states: {a1: {entry: ${log('+a1')}, exit: ${log('-a1')}, on: {go: {target: '#b', actions: ${log('act')}}}}}
        b:
          id: b
          entry: ${log('+b')}
          initial: b1
          states: {b1: {entry: ${log('+b1')}}}
    `);
    expect(run.context).toEqual({ log: '+a +a1 ' });
    expect(run.sendAll('go').context).toEqual({ log: '+a +a1 -a1 -a act +b +b1 ' });
  });

  it('runs the actions of an initial between those of the parent and of the child', () => {
    const run = new Run(`
      initial: a
      context: {log: ''}
      states:
        a:
          entry: ${log('parent')}
          initial: {target: b, actions: ${log('initial')}}
          states: {b: {entry: ${log('child')}}}
    `);
    expect(run.context).toEqual({ log: 'parent initial child ' });
  });

  it('leaves regions in the reverse order of the document, and enters them in its order', () => {
    const run = new Run(`
      initial: p
      context: {log: ''}
      states:
        p:
          type: parallel
          on: {go: q}
          states:
            a: {entry: ${log('+a')}, exit: ${log('-a')}}
            b: {entry: ${log('+b')}, exit: ${log('-b')}}
        q: {}
    `).sendAll('go');
    expect(run.context).toEqual({ log: '+a +b -b -a ' });
  });

  it('takes names that are whole numbers in the order of the document too', () => {
    const run = new Run(`
      type: parallel
      context: {10: x, log: []}
      states:
        b: {on: {1: {actions: {assign: {log: 'context.log + ["b"]'}}}}}
        10: {initial: '9', states: {9: {on: {1: {actions: {assign: {log: 'context.log + ["10"]'}}}}}, 1: {}}}
        2: {on: {1: {actions: {assign: {log: 'context.log + ["2"]'}}}}}
    `).sendAll('1');
    expect(run.active).toEqual(['b', '10', '10.9', '2']);
    expect(run.context).toEqual({ 10: 'x', log: ['b', '10', '2'] });
  });

  it('runs the actions of several regions in the order of the document', () => {
    const run = new Run(`
      type: parallel
      context: {log: ''}
      states:
        b: {on: {go: {actions: ${log('first')}}}}
        a: {on: {go: {actions: ${log('second')}}}}
    `).sendAll('go');
    expect(run.context).toEqual({ log: 'first second ' });
  });

  it('runs a list of actions from its first to its last', () => {
    const run = new Run(`
      initial: a
      context: {log: ''}
      states: {a: {on: {go: {actions: [${log('1')}, ${log('2')}, ${log('3')}]}}}}
    `).sendAll('go');
    expect(run.context).toEqual({ log: '1 2 3 ' });
  });

  it('runs no entry or exit of a state that it stays in', () => {
    const run = new Run(`
      initial: a
      context: {log: ''}
      states:
        a:
          entry: ${log('+a')}
          exit: ${log('-a')}
          initial: x
          on: {go: {actions: ${log('act')}}}
          states: {x: {on: {next: y}, entry: ${log('+x')}, exit: ${log('-x')}}, y: {entry: ${log('+y')}}}
    `).sendAll('go', 'next');
    expect(run.context).toEqual({ log: '+a +x act -x +y ' });
  });
});

describe('reenter', () => {
  const chart = (transition: string) => `
    initial: a
    context: {log: ''}
    states:
      a:
        entry: ${log('+a')}
        exit: ${log('-a')}
        initial: x
        on: {go: ${transition}}
        states:
          x: {entry: ${log('+x')}, exit: ${log('-x')}}
          y: {entry: ${log('+y')}, exit: ${log('-y')}}
  `;

  it.each([
    ['left out, a transition to the state itself enters its inside anew', 'a', '+a +x -x +x '],
    ['left out, a transition to a state inside leaves the outer one alone', '.y', '+a +x -x +y '],
    ['true, the state itself is left and entered', '{target: a, reenter: true}', '+a +x -x -a +a +x '],
    [
      'true, the state is left and entered on the way inside too',
      '{target: .y, reenter: true}',
      '+a +x -x -a +a +y ',
    ],
    ['false, it is as if it were left out', '{target: .y, reenter: false}', '+a +x -x +y '],
  ])('%s', (_, transition, written) => {
    expect(new Run(chart(transition)).sendAll('go').context).toEqual({ log: written });
  });

  it('begins a new visit, and restarts its timers', () => {
    const run = new Run(`
      initial: a
      states:
        a: {after: {10s: late}, on: {again: {target: a, reenter: true}, stay: {actions: {cancel: nothing}}}}
        late: {}
    `);
    run.wait(9_000).sendAll('stay').wait(500).sendAll('again').wait(9_999);
    expect(run.active).toEqual(['a']);
    expect(run.wait(1).active).toEqual(['late']);
  });
});
