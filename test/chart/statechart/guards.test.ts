import { describe, expect, it } from 'vitest';
import { Run } from '../run.ts';

const CONTEXT =
  '{n: 3, half: 0.5, list: [1, 2, 3], map: {a: 1}, text: hello, yes: true, no: false, nothing: null}';

/** Whether a guard lets its transition be taken, and what was noted of it. */
function ask(guard: string): { taken: boolean; notes: readonly string[] } {
  const run = new Run(`
    initial: a
    context: ${CONTEXT}
    states: {a: {on: {go: {target: b, guard: ${JSON.stringify(guard)}}}}, b: {}}
  `);
  const taken = run.send('go') === 'taken';
  return { taken, notes: run.last.failures };
}

describe('a guard', () => {
  it.each([
    'true',
    'context.yes',
    'context.n == 3',
    'context.text == "hello"',
    'context.text.startsWith("he") && context.text.size() == 5',
    '"a" in context.map && !("b" in context.map)',
    'has(context.n) && !has(context.missing)',
    'context.nothing == null',
    'event.type == "go"',
    'context.list.exists(x, x == 3)',
    'context.list.map(x, x * 2).filter(x, x > 2).all(x, x == 4 || x == 6)',
    'context.yes ? context.n == 3 : false',
  ])('%s is true', (guard) => {
    expect(ask(guard)).toEqual({ taken: true, notes: [] });
  });

  it.each(['false', 'context.no', 'context.n == 4', 'event.type == "update"', 'context.text == "Hello"'])(
    '%s is false',
    (guard) => {
      expect(ask(guard)).toEqual({ taken: false, notes: [] });
    },
  );

  it.each(['context.n', 'context.text', 'context.list', 'context.map', 'context.nothing', 'context'])(
    '%s is no boolean, and so not true',
    (guard) => {
      expect(ask(guard)).toEqual({ taken: false, notes: [] });
    },
  );

  it('may be a boolean of YAML', () => {
    const chart = (guard: boolean) => `
      initial: a
      states: {a: {on: {go: {target: b, guard: ${guard}}}}, b: {}}
    `;
    expect(new Run(chart(true)).send('go')).toBe('taken');
    expect(new Run(chart(false)).send('go')).toBe('not-taken');
  });
});

describe('a guard that cannot be evaluated', () => {
  it.each([
    ['context.missing', 'No such key: missing'],
    ['context.missing.deeper == 1', 'No such key: missing'],
    ['context.n.deeper == 1', 'No such key: deeper'],
    ['context.list[7] == 1', 'No such key'],
    ['context.n > "a"', 'no such overload'],
    ['context.text + 1 == "hello1"', 'no such overload'],
    ['1 / 0 == 1', 'division by zero'],
  ])('%s is false, and is told with its reason', (guard, reason) => {
    const { taken, notes } = ask(guard);
    expect(taken).toBe(false);
    expect(notes).toEqual([expect.stringContaining(`guard ${guard}: `)]);
    expect(notes).toEqual([expect.stringContaining(reason)]);
  });

  it.each(['!context.missing', '!(context.missing == 1)', '!!context.missing'])(
    'does not become true by negation: %s',
    (guard) => {
      expect(ask(guard)).toMatchObject({ taken: false, notes: [expect.stringContaining('No such key')] });
    },
  );

  it('decides nothing where the other side of an || or && has decided', () => {
    expect(ask('context.missing || context.yes')).toEqual({ taken: true, notes: [] });
    expect(ask('context.yes || context.missing')).toEqual({ taken: true, notes: [] });
    expect(ask('context.missing && context.no')).toEqual({ taken: false, notes: [] });
    expect(ask('context.missing || context.no').taken).toBe(false);
    expect(ask('context.missing && context.yes').taken).toBe(false);
  });

  it('lets the next transition of the list be tried, and both are noted', () => {
    const run = new Run(`
      initial: a
      states:
        a:
          on:
            go:
              - {target: b, guard: context.one}
              - {target: b, guard: context.two}
              - {target: c}
        b: {}
        c: {}
    `).sendAll('go');
    expect(run.active).toEqual(['c']);
    expect(run.last.failures).toEqual([
      expect.stringContaining('context.one'),
      expect.stringContaining('context.two'),
    ]);
  });
});

describe('numbers in guards are numbers, whatever CEL calls them', () => {
  it.each([
    'context.n + 1 == 4',
    '1 + context.n == 4',
    'context.n - 1 == 2',
    'context.n * 2 == 6',
    'context.n / 2 == 1.5',
    '3 / context.half == 6',
    'context.n % 2 == 1',
    '7 % context.n == 1',
    'context.n % context.half == 0',
    '-context.n == -3',
    'context.n + 0.5 == 3.5',
    'context.n + context.half == 3.5',
    '1 + 1.5 == 2.5',
    '2.0 == 2 && 2 == 2.0 && 0.5 != 2 && 2 != 0.5',
    'double(context.n) == 3 && 0.5 + 1.5 == 2',
    'context.n == 3.0',
    'context.n > 2 && context.n >= 3 && context.n < 4 && context.n <= 3',
    '2 < context.n && 2.5 < context.n && 1 < 1.5',
    'context.n != 4 && !(context.n != 3)',
    'context.half > 0 && context.half < 1',
    'size(context.list) == context.n',
    'context.n in [1, 2, 3]',
    '2 in context.list',
    'context.list[1] == 2',
    'context.list[context.list.size() - 1] == context.n',
    'context.list[context.n - 1] == 3',
    'context.list.map(x, x + 1) == [2, 3, 4]',
    'context.list.all(x, x <= context.n)',
    'context.map["a"] + context.map.a == 2',
    'int(context.n) == 3 && double(3) == context.n',
  ])('%s', (guard) => {
    expect(ask(guard)).toEqual({ taken: true, notes: [] });
  });
});

describe('in a choice', () => {
  it('the first transition whose guard is true is taken', () => {
    const run = new Run(`
      initial: a
      context: {n: 2}
      states:
        a: {on: {go: [{target: b, guard: context.n == 1}, {target: c, guard: context.n == 2}, {target: d}]}}
        b: {}
        c: {}
        d: {}
    `).sendAll('go');
    expect(run.active).toEqual(['c']);
  });

  it('a guard sees the context as it is before the actions of its own event', () => {
    const run = new Run(`
      type: parallel
      context: {n: 0}
      states:
        a: {on: {go: {actions: {assign: {n: context.n + 1}}}}}
        b: {initial: x, states: {x: {on: {go: {target: y, guard: context.n == 1}}}, y: {}}}
    `).sendAll('go');
    expect(run.leaves).toEqual(['a', 'b.x']);
    expect(run.sendAll('go').leaves).toEqual(['a', 'b.y']);
  });
});
