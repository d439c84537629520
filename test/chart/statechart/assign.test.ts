import { describe, expect, it } from 'vitest';
import { Run } from '../run.ts';

/** The context after one event with these actions. */
function contextAfter(context: string, actions: string): unknown {
  return new Run(`
    initial: a
    context: ${context}
    states: {a: {on: {go: {actions: ${actions}}}}}
  `).sendAll('go').context;
}

describe('assign', () => {
  it('sets what an expression says', () => {
    expect(contextAfter('{n: 1}', '{assign: {n: context.n + 1}}')).toEqual({ n: 2 });
  });

  it('lets all keys see the context as it was before', () => {
    expect(contextAfter('{a: 1, b: 2}', '{assign: {a: context.b, b: context.a}}')).toEqual({ a: 2, b: 1 });
  });

  it('is followed by the next assign, which sees what it has set', () => {
    const actions = '[{assign: {a: context.a + 1}}, {assign: {b: context.a * 10}}]';
    expect(contextAfter('{a: 1, b: 0}', actions)).toEqual({ a: 2, b: 20 });
  });

  it('leaves the keys alone that it does not name, and may add new ones', () => {
    expect(contextAfter('{a: 1}', '{assign: {b: "[context.a]"}}')).toEqual({ a: 1, b: [1] });
  });

  it('takes numbers, booleans and null as they stand', () => {
    expect(contextAfter('{}', '{assign: {a: 1.5, b: true, c: null, d: -7}}')).toEqual({
      a: 1.5,
      b: true,
      c: null,
      d: -7,
    });
  });

  it('takes text for an expression, and text in quotes of its own for text', () => {
    expect(contextAfter('{}', `{assign: {a: '"1 + 1"', b: '1 + 1'}}`)).toEqual({ a: '1 + 1', b: 2 });
  });

  it.each([
    ['2 * 3', 6],
    ['7 / 2', 3],
    ['7 / 2.0', 3.5],
    ['context.n / 2', 1.5],
    ['-context.n', -3],
    ['context.list + [4]', [1, 2, 4]],
    ['context.list.map(x, x * 2)', [2, 4]],
    ['context.list.filter(x, x > 1)', [2]],
    ['size(context.list)', 2],
    ['{"a": context.n, "b": {"c": [1, 2.5, null, true]}}', { a: 3, b: { c: [1, 2.5, null, true] } }],
    ['context.n > 2 ? "many" : "few"', 'many'],
    ['"n=" + string(context.n)', 'n=3'],
    ['event.type', 'go'],
    ['has(context.n)', true],
    ['context', { n: 3, list: [1, 2] }],
  ])('%s gives %j, as plain JSON', (expression, value) => {
    const result = contextAfter('{n: 3, list: [1, 2]}', `{assign: {r: ${JSON.stringify(expression)}}}`);
    expect(result).toEqual({ n: 3, list: [1, 2], r: value });
  });

  it('treats a key that is a name in JavaScript like any other', () => {
    const context = contextAfter(
      '{__proto__: 1, constructor: 2}',
      '{assign: {__proto__: "9", toString: "8", constructor: "7"}}',
    );
    const entries = Object.entries(context as object).sort();
    expect(entries).toEqual([
      ['__proto__', 9],
      ['constructor', 7],
      ['toString', 8],
    ]);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect({}.toString).toBe(Object.prototype.toString);
  });

  it('writes no part of the chart’s own context, so that another run starts from it', () => {
    const chart =
      'initial: a\ncontext: {n: 0}\nstates: {a: {on: {go: {actions: {assign: {n: context.n + 1}}}}}}';
    const run = new Run(chart).sendAll('go', 'go');
    expect(run.context).toEqual({ n: 2 });
    expect(run.chart.model.context).toEqual({ n: 0 });
  });
});

describe('an assign that cannot be', () => {
  it.each([
    ['context.missing', 'No such key: missing'],
    ['context.n + "a"', 'no such overload'],
    ['context.n / 0', 'Infinity is no JSON number'],
    ['context.n % 0', 'NaN is no JSON number'],
    ['9007199254740993', 'too large for a number'],
  ])('refuses the event whole and changes nothing: %s', (expression, reason) => {
    const run = new Run(`
      initial: a
      context: {n: 3}
      states:
        a: {exit: {assign: {n: '0'}}, on: {go: {target: b, actions: [{assign: {n: '1'}}, {assign: {r: ${JSON.stringify(expression)}}}]}}}
        b: {}
    `);
    expect(run.send('go')).toBe('expression-failed');
    expect(run.last).toMatchObject({ ok: false, detail: expect.stringContaining(reason) });
    expect([run.active, run.context]).toEqual([['a'], { n: 3 }]);
  });

  it('refuses the chart where it is done at the start', () => {
    expect(() => new Run('initial: a\nentry: {assign: {n: context.missing}}\nstates: {a: {}}')).toThrow(
      /It cannot start: .*No such key: missing/,
    );
  });
});
