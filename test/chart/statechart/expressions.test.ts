/** What `check` says of expressions that can be read and still come to nothing. */
import { describe, expect, it } from 'vitest';
import { type ChartIssue, readChart } from '../../../src/chart/chart.ts';
import data from '../../conformance/statechart.json';

const CONTEXT =
  '{n: 3, half: 0.5, list: [1, 2, 3], map: {a: 1}, text: hello, yes: true, no: false, nothing: null}';

/** A chart with one guard, and what else its state `a` has. */
function guarded(guard: string, more = '', context = CONTEXT): string {
  const on = `on: {go: {target: b, guard: ${JSON.stringify(guard)}}}`;
  return `initial: a\ncontext: ${context}\nstates:\n  a: {${on}${more}}\n  b: {}\n`;
}

/** A chart with one assignment, to the key `r`. */
function assigned(expression: string, context = CONTEXT): string {
  const actions = `{assign: {r: ${JSON.stringify(expression)}}}`;
  return `initial: a\ncontext: ${context}\nstates:\n  a: {on: {go: {actions: ${actions}}}}\n`;
}

function errorsOf(text: string): readonly ChartIssue[] {
  const reading = readChart(text);
  return reading.ok ? [] : reading.errors;
}

function warningsOf(text: string): readonly ChartIssue[] {
  const reading = readChart(text);
  expect(reading).toMatchObject({ ok: true });
  return reading.warnings;
}

const messages = (issues: readonly ChartIssue[]) => issues.map(({ message }) => message);

describe('an error is', () => {
  it.each(['event.by', 'event["by"]', 'event.by == "a"', 'context.yes || event.by == "a"'])(
    'a key that no event has: %s',
    (expression) => {
      const said = 'an event has no key `by`; it has: type, data.';
      expect(messages(errorsOf(guarded(expression)))).toEqual([expect.stringContaining(said)]);
      expect(messages(errorsOf(assigned(expression)))).toEqual([expect.stringContaining(said)]);
    },
  );

  it('told with the nearest key, at its place', () => {
    expect(errorsOf(guarded('context.yes && event.tipe == "go"'))).toEqual([
      {
        severity: 'error',
        line: 4,
        column: expect.any(Number),
        path: 'states.a.on.go.guard',
        message: expect.stringMatching(
          /at character 16: an event has no key `tipe`.* Did you mean "type"\?$/,
        ),
      },
    ]);
  });

  it.each([
    'context.n + 1',
    'context.missing + 1',
    '-context.n',
    'context.n % 2',
    'context.yes ? context.n * 2 : context.n / 2',
  ])('a guard that is no boolean, whatever the context holds: %s', (guard) => {
    expect(messages(errorsOf(guarded(guard)))).toEqual([
      expect.stringMatching(/a guard is true or false; this gives /),
    ]);
  });

  it.each(['context.yes && context.n + 1', '!(context.n - 1)', '(context.n + 1) || context.yes'])(
    'a condition that is no boolean: %s',
    (expression) => {
      const said = [expect.stringMatching(/a condition is true or false; this gives /)];
      expect(messages(errorsOf(guarded(expression)))).toEqual(said);
      expect(messages(errorsOf(assigned(expression)))).toEqual(said);
    },
  );

  it('a quorum of which nothing comes', () => {
    const chart = (transition: string) => `initial: a\nstates:\n  a: {on: {go: ${transition}}}\n  b: {}\n`;
    expect(errorsOf(chart('{quorum: 3}'))).toMatchObject([
      { path: 'states.a.on.go.quorum', line: 3, message: expect.stringContaining('add a `target`') },
    ]);
    expect(errorsOf(chart('{quorum: 3, target: b}'))).toEqual([]);
    expect(errorsOf(chart('{quorum: 3, actions: {raise: x}}'))).toEqual([]);
  });
});

describe('a warning is', () => {
  it.each(['context.faild >= 1', 'context["faild"] >= 1', '!context.faild', 'context.ok || context.faild'])(
    'a key of the context that nothing sets, with the nearest: %s',
    (guard) => {
      const [warning, ...others] = warningsOf(guarded(guard, '', '{failed: 0, ok: true}'));
      expect(others).toEqual([]);
      expect(warning).toMatchObject({ line: 4, path: 'states.a.on.go.guard' });
      expect(warning?.message).toMatch(
        /no key `faild` is in the context, and none is assigned\. Did you mean "failed"\?$/,
      );
    },
  );

  it('the same in an assignment, which fails each time', () => {
    expect(messages(warningsOf(assigned('context.faild + 1', '{failed: 0}')))).toEqual([
      expect.stringContaining('Did you mean "failed"?'),
    ]);
  });

  it.each([
    ['context.n', 'this gives a number'],
    ['context.text', 'this gives a string'],
    ['context.list', 'this gives a list'],
    ['context.n > "a"', 'no such overload: number > string'],
    ['context.text + 1 == "hello1"', 'no such overload: string + number'],
    ['context.n && context.yes', "Logical operator requires bool operands, got 'number'"],
    ['context.n.deeper == 1', "Cannot index type 'number'"],
    ['context.text.startsWith(context.n)', 'found no matching overload'],
  ])('a type that does not fit: %s', (guard, said) => {
    expect(messages(warningsOf(guarded(guard)))).toEqual([expect.stringContaining(said)]);
  });

  it('a type that does not fit what is assigned', () => {
    const actions = ', exit: [{assign: {n: context.n + 1}}, {assign: {n: 7}}]';
    expect(messages(warningsOf(guarded('context.n > "a"', actions)))).toHaveLength(1);
  });
});

describe('nothing is said of', () => {
  it.each([
    'true',
    'context.yes',
    'context.n == 3',
    'context.text == "hello"',
    'context.text.startsWith("he") && context.text.size() == 5',
    '"a" in context.map && !("b" in context.map)',
    'has(context.n) && !has(context.missing)',
    'has(event.by)',
    '"by" in event',
    'event.data.errors > 5',
    'event["data"]["errors"] > 5 && context.yes',
    'event.data == "text" || event.data > 3 || context.n > 3',
    'has(event.data) && has(event.data.errors) && event.data.list.exists(x, x.n == context.n)',
    'size(event) > 1 && context.n in event.data && event.data[0] == context.text',
    'context.nothing == null',
    'event.type == "go"',
    'context.list.exists(x, x == 3)',
    'context.list.map(x, x * 2).filter(x, x > 2).all(x, x == 4 || x == 6)',
    'context.yes ? context.n == 3 : false',
    'context.n + 1 == 4',
    '3 / context.half == 6',
    'context.n % context.half == 0',
    '-context.n == -3',
    'double(context.n) == 3 && 0.5 + 1.5 == 2',
    'context.n > 2 && context.n >= 3 && context.n < 4 && context.n <= 3.5',
    'context.n != 4 && !(context.n != 3)',
    'size(context.list) == context.n',
    'context.n in [1, 2, 3]',
    '2 in context.list',
    'context.list[context.list.size() - 1] == context.n',
    'context.list[context.n - 1] == 3',
    'context.list.map(x, x + 1) == [2, 3, 4]',
    'context.list == [1, 2.5]',
    'context.map["a"] + context.map.a == 2',
    'int(context.n) == 3 && double(3) == context.n',
    '(context.yes ? 1 : context.n) == 1',
    '"n" in context && size(context) > 3 && context == context',
    'context.list.all(context, context > 0)',
    'context[context.text] == 1',
  ])('the guard %s', (guard) => {
    expect(warningsOf(guarded(guard))).toEqual([]);
  });

  it('a key that is assigned somewhere, if it is not there at first', () => {
    expect(warningsOf(guarded('context.seen', ', entry: {assign: {seen: true}}'))).toEqual([]);
  });

  it('a key that may hold several types', () => {
    for (const to of ['"7"', 'null', 'context.other', '"context"', 'context.n > 1'])
      expect(warningsOf(guarded('context.n > "a"', `, exit: {assign: {n: '${to}', other: 1}}`))).toEqual([]);
  });

  it('a key whose type another takes along', () => {
    const exit = ', exit: {assign: {a: context.b, b: context.c, c: context.text}}';
    const context = '{a: 1, b: 1, c: 1, text: x}';
    expect(warningsOf(guarded('context.a > "a"', exit, context))).toEqual([]);
  });

  it('a name that every object has in JavaScript', () => {
    const context = '{constructor: 1, __proto__: 2, toString: 3}';
    const guard = 'context.constructor == 1 && context.__proto__ == 2 && context.toString == 3';
    expect(warningsOf(guarded(guard, '', context))).toEqual([]);
    expect(messages(warningsOf(guarded('context.valueOf', '', context)))).toEqual([
      expect.stringContaining('no key `valueOf`'),
    ]);
  });

  it('the charts of the conformance cases, as errors', () => {
    expect(data.length).toBeGreaterThan(50);
    for (const { chart } of data) expect(errorsOf(JSON.stringify(chart))).toEqual([]);
  });
});

describe('a key that is misspelt', () => {
  it.each([
    ['leese: 5m', 'lease'],
    ['slot: 3', 'slots'],
    ['tgas: [x]', 'tags'],
    ['afer: {1s: b}', 'after'],
    ['descripton: x', 'description'],
  ])('gets the nearest: %s', (written, meant) => {
    expect(messages(errorsOf(`initial: a\nstates:\n  a: {${written}}\n  b: {}\n`))).toEqual([
      expect.stringContaining(`Did you mean "${meant}"?`),
    ]);
  });
});

describe('a chart without `initial`', () => {
  it('is told where its states stand, with one of them, and with all that is wrong besides', () => {
    expect(errorsOf('id: x\n\nstates:\n  canary: {on: {go: nowhere}}\n')).toMatchObject([
      { line: 3, column: 1, path: 'states', message: expect.stringContaining('such as `initial: canary`') },
      { line: 4, path: 'states.canary.on.go' },
    ]);
  });

  it('is told what was misspelt', () => {
    expect(errorsOf('intial: a\nstates: {a: {}}\n')).toMatchObject([
      { line: 1, path: 'intial', message: expect.stringContaining('Did you mean "initial"?') },
      { line: 2, path: 'states' },
    ]);
  });

  it('is a sequence without its `current_state` where the states are a list', () => {
    expect(errorsOf('states:\n  - name: green\n')).toMatchObject([
      { path: 'current_state', message: expect.stringContaining('is missing') },
    ]);
  });
});
