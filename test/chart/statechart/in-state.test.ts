import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inputsOf } from '../../fuzz.ts';
import { Run } from '../run.ts';

/** Two regions: `watch` asks with the guard, `work` is moved by `a`, `b` and `c`. */
const chartWith = (guard: string) => `
  type: parallel
  context: {yes: true, no: false, n: 3, text: 'a)b'}
  states:
    work:
      initial: a
      states:
        a: {on: {b: b, c: '#see'}}
        b: {initial: deep, states: {deep: {}}, on: {a: a, c: '#see'}}
        c: {id: see, on: {a: a, b: b}}
    watch:
      initial: wait
      states: {wait: {on: {ask: {target: told, guard: ${JSON.stringify(guard)}}}}, told: {}}
`;

const saysYes = (guard: string, ...events: string[]) =>
  new Run(chartWith(guard)).sendAll(...events).send('ask') === 'taken';

describe('in_state', () => {
  it.each(['work.b', 'b', 'deep', 'work.b.deep'])(
    'finds %s by its path, or its key where that is unique',
    (name) => {
      expect(saysYes(`in_state("${name}")`)).toBe(false);
      expect(saysYes(`in_state("${name}")`, 'b')).toBe(true);
      expect(saysYes(`in_state("${name}")`, 'b', 'a')).toBe(false);
    },
  );

  it.each(['see', 'work.c', 'c'])('finds a state with an id as %s', (name) => {
    expect(saysYes(`in_state('${name}')`)).toBe(false);
    expect(saysYes(`in_state('${name}')`, 'c')).toBe(true);
  });

  it('is true of an outer state too', () => {
    expect(saysYes('in_state("work")')).toBe(true);
    expect(saysYes('in_state("work.b")', 'b')).toBe(true);
  });

  it.each([
    ['!in_state("b")', [true, false, true]],
    ['in_state("a") || in_state("c")', [true, false, true]],
    ['in_state("work") && !in_state("a")', [false, true, true]],
    ['!(in_state("a") || in_state("b"))', [false, false, true]],
    ['!(in_state("a") && context.yes)', [false, true, true]],
    ['!!in_state("b")', [false, true, false]],
    ['in_state("b") && context.yes', [false, true, false]],
    ['context.no || in_state("b")', [false, true, false]],
    ['context.yes && (in_state("b") || (in_state("c") && !context.no))', [false, true, true]],
    ['(in_state("a") || in_state("b")) && (in_state("b") || in_state("c"))', [false, true, false]],
  ])('joins with && || and !: %s', (guard, [inA, inB, inC]) => {
    expect([saysYes(guard), saysYes(guard, 'b'), saysYes(guard, 'c')]).toEqual([inA, inB, inC]);
  });

  it.each([
    '!context.missing && in_state("work")',
    'in_state("work") && !(context.missing == 1)',
    '!(context.missing || !in_state("work"))',
    'context.missing || in_state("b")',
  ])('does not make true what cannot be evaluated: %s', (guard) => {
    const run = new Run(chartWith(guard));
    expect(run.send('ask')).toBe('not-taken');
    expect(run.last.failures).toEqual([expect.stringContaining('No such key: missing')]);
  });

  it('sees where the machine is after the part of an event that was done before, not where the request found it', () => {
    const run = new Run(`
      type: parallel
      states:
        work: {initial: a, states: {a: {on: {go: {target: b, actions: {raise: check}}}}, b: {}}}
        watch:
          initial: wait
          states:
            wait: {on: {check: [{target: right, guard: 'in_state("work.b")'}, {target: wrong}]}}
            right: {}
            wrong: {}
    `).sendAll('go');
    expect(run.leaves).toEqual(['work.b', 'watch.right']);
  });

  it('sees where the machine was before an event that several regions take at once', () => {
    const run = new Run(`
      type: parallel
      states:
        a: {initial: a1, states: {a1: {on: {go: a2}}, a2: {}}}
        b: {initial: b1, states: {b1: {on: {go: [{target: b2, guard: 'in_state("a1")'}, {target: b3}]}}, b2: {}, b3: {}}}
    `).sendAll('go');
    expect(run.leaves).toEqual(['a.a2', 'b.b2']);
  });

  it('is asked in always and onDone as well', () => {
    const run = new Run(`
      type: parallel
      states:
        gate: {initial: shut, states: {shut: {on: {open: open}}, open: {}}}
        door:
          initial: waiting
          states:
            waiting: {always: {target: through, guard: 'in_state("gate.open")'}}
            through: {initial: end, states: {end: {type: final}}, onDone: {target: out, guard: '!in_state("gate.shut")'}}
            out: {}
    `);
    expect(run.leaves).toEqual(['gate.shut', 'door.waiting']);
    expect(run.sendAll('open').leaves).toEqual(['gate.open', 'door.out']);
  });

  it.each([
    'context.n - (2 - 1) == 2',
    '(context.n - 2) - 1 == 0',
    '(context.n + 1) * 2 == 8',
    '2 * (context.n + 1) == 8',
    '!(context.n == 4)',
    '((context.yes))',
    '(context.no ? context.no : (context.yes))',
    'context.text == "a)b" && context.text != "("',
    "context.text == 'a)b' || context.text == '(\\''",
    '[1, (2)].exists(x, (x == 2))',
    '-(context.n - 4) == 1',
    'context.n / (6 / 2) == 1',
  ])('changes nothing of what it is joined with: %s', (expression) => {
    expect(saysYes(expression)).toBe(true);
    expect(saysYes(`in_state("work") && ${expression}`)).toBe(true);
    expect(saysYes(`${expression} && in_state("work")`)).toBe(true);
    expect(saysYes(`!(in_state("b") || !(${expression}))`)).toBe(true);
  });

  it('changes nothing of any expression that it is joined with', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.log(`in_state: seed ${seed}`);
    const { truth } = fc.letrec<{ number: string; truth: string }>((tie) => ({
      number: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        fc.constantFrom('context.n', '1', '2', '0.5', 'size(context.text)'),
        fc
          .tuple(tie('number'), fc.constantFrom('+', '-', '*'), tie('number'), fc.boolean())
          .map(([a, operator, b, wrapped]) =>
            wrapped ? `(${a} ${operator} ${b})` : `${a} ${operator} (${b})`,
          ),
        fc.tuple(tie('truth'), tie('number')).map(([a, b]) => `((${a}) ? double(${b}) : double(context.n))`),
        tie('number').map((a) => `-(${a})`),
      ),
      truth: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        fc.constantFrom('context.yes', 'context.no', 'context.text.contains(")")', 'context.text == "("'),
        fc
          .tuple(tie('number'), fc.constantFrom('==', '<', '>=', '!='), tie('number'))
          .map(([a, operator, b]) => `${a} ${operator} ${b}`),
        fc
          .tuple(tie('truth'), fc.constantFrom('&&', '||'), tie('truth'))
          .map((parts) => `(${parts.join(' ')})`),
        tie('truth').map((a) => `!(${a})`),
      ),
    }));
    const numRuns = inputsOf(300);
    let yes = 0;
    fc.assert(
      fc.property(truth, (expression) => {
        const alone = saysYes(expression);
        expect(saysYes(`in_state("work") && (${expression})`)).toBe(alone);
        expect(saysYes(`in_state("b") || (${expression})`)).toBe(alone);
        if (alone) yes += 1;
      }),
      { seed, numRuns },
    );
    expect(yes).toBeGreaterThan(numRuns / 10);
  });
});
