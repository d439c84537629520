/** The data of a report, as guards and assignments see it. */
import { describe, expect, it } from 'vitest';
import { type Json, readChart } from '../../../src/chart/chart.ts';
import { DATA_BYTES } from '../../../src/chart-limits.ts';
import { Run } from '../run.ts';

/** Whether a guard lets an event with these data be taken, and what was noted of it. */
function ask(guard: string, data?: Json): { taken: boolean; notes: readonly string[] } {
  const run = new Run(`
    initial: a
    context: {most: 5, seen: []}
    states: {a: {on: {go: {target: b, guard: ${JSON.stringify(guard)}}}}, b: {}}
  `);
  const taken = run.send('go', undefined, data) === 'taken';
  return { taken, notes: run.last.failures };
}

/** The context after one event with these data. */
function contextAfter(assignments: string, data?: Json): unknown {
  const run = new Run(`
    initial: a
    context: {n: 1}
    states: {a: {on: {go: {actions: {assign: ${assignments}}}}}}
  `);
  return run.send('go', undefined, data) === 'taken' ? run.context : run.last;
}

describe('a guard over the data of an event', () => {
  it.each<[string, Json]>([
    ['event.data.errors > 5', { errors: 6 }],
    ['event.data.errors > context.most', { errors: 5.5 }],
    ['event.data.errors + 1 == 7', { errors: 6 }],
    ['event.data["a b"] == "x"', { 'a b': 'x' }],
    ['event.data.deep.list[1].name == "two"', { deep: { list: [1, { name: 'two' }] } }],
    ['event.data.checks.all(c, c.ok)', { checks: [{ ok: true }, { ok: true }] }],
    ['event.data == null', null],
    ['event.data', true],
    ['event.data > 3', 4],
    ['event.data == "done"', 'done'],
    ['size(event.data) == 2', [1, 2]],
    ['event.data.__proto__ == 1', JSON.parse('{"__proto__":1}')],
    ['has(event.data) && !has(event.data.errors)', {}],
    ['event.type == "go" && has(event.data)', 0],
  ])('%s is true', (guard, data) => {
    expect(ask(guard, data)).toEqual({ taken: true, notes: [] });
  });

  it.each<[string, Json]>([
    ['event.data.errors > 5', { errors: 5 }],
    ['event.data.ok', { ok: false }],
    ['has(event.data.toString)', {}],
  ])('%s is false', (guard, data) => {
    expect(ask(guard, data)).toEqual({ taken: false, notes: [] });
  });

  it('is false where there are no data, and says so', () => {
    const { taken, notes } = ask('event.data.errors > 5');
    expect(taken).toBe(false);
    expect(notes).toEqual(['guard event.data.errors > 5: No such key: data']);
  });

  it.each<[string, Json]>([
    ['event.data.errors > 5', {}],
    ['event.data.errors > 5', { errors: '7' }],
    ['event.data.errors > 5', [7]],
    ['!event.data.ok', null],
    ['event.data.toString == event.data.toString', {}],
    // cel-js tells a mapping by its constructor.
    ['event.data.n == 1', { n: 1, constructor: null }],
    ['event.data.n == 1', { n: 1, constructor: { name: 'Object' } }],
  ])('%s is false for other data, and says so: %j', (guard, data) => {
    const { taken, notes } = ask(guard, data);
    expect(taken).toBe(false);
    expect(notes).toEqual([expect.stringContaining(`guard ${guard}: `)]);
  });

  it('can ask first whether there are any', () => {
    expect(ask('!has(event.data) || event.data.errors < 5')).toEqual({ taken: true, notes: [] });
  });
});

describe('data are in scope', () => {
  const chart = `
    initial: a
    context: {seen: []}
    states:
      a:
        on: {go: {target: b, actions: {raise: inner}}}
        exit: {assign: {seen: "context.seen + [event.data]"}}
      b:
        entry: {assign: {seen: "context.seen + [event.data]"}}
        on:
          inner:
            - {target: c, guard: has(event.data)}
            - {target: d}
      c: {}
      d: {always: {target: e, guard: has(event.data)}}
      e: {}
  `;

  it('of all actions of their event, and of no event that the chart raises', () => {
    const run = new Run(chart);
    expect(run.send('go', undefined, 7)).toBe('taken');
    expect(run.context).toEqual({ seen: [7, 7] });
    expect(run.active).toEqual(['d']);
  });

  it('not of a timer, nor of a delayed event', () => {
    const run = new Run(`
      initial: a
      states:
        a:
          on: {go: {actions: {raise: {event: later, delay: 1s}}}, later: [{target: wrong, guard: has(event.data)}, {target: b}]}
        b: {after: {1s: [{target: wrong, guard: has(event.data)}, {target: c}]}}
        c: {}
        wrong: {}
    `);
    expect(run.send('go', undefined, { n: 1 })).toBe('taken');
    expect(run.wait(1_000).active).toEqual(['b']);
    expect(run.wait(1_000).active).toEqual(['c']);
  });
});

describe('an assignment from the data of an event', () => {
  it('takes over what is there', () => {
    const data = { n: 2, list: [1, 'x', null], deep: { yes: true } };
    expect(contextAfter('{n: event.data.n + context.n, all: event.data}', data)).toEqual({ n: 3, all: data });
  });

  it('is refused where there are none, and changes nothing', () => {
    expect(contextAfter('{n: event.data.n}')).toMatchObject({
      ok: false,
      reason: 'expression-failed',
      detail: 'assign event.data.n: No such key: data',
    });
  });

  it('obeys the bound of the context', () => {
    const run = new Run(`
      initial: a
      context: {all: []}
      states: {a: {on: {go: {actions: {assign: {all: "context.all + [event.data]"}}}}}}
    `);
    const data = 'x'.repeat(DATA_BYTES - 2);
    for (let i = 0; i < 15; i++) expect(run.send('go', undefined, data)).toBe('taken');
    expect(run.send('go', undefined, data)).toBe('over-bound');
    expect(run.context.all).toHaveLength(15);
  });
});

describe('the size of the data', () => {
  const guard = Array.from({ length: 20 }, () => 'event.data.all(x, x in event.data)').join(' && ');
  const chart = `
    initial: a
    states: {a: {on: {go: {target: b, guard: ${JSON.stringify(guard)}}}}, b: {}}
  `;

  it('is charged to the event, as the size of the context is', () => {
    const long = Array.from({ length: DATA_BYTES / 2 - 1 }, () => 1);
    expect(new Run(chart).send('go', undefined, [1, 2, 3])).toBe('taken');
    const run = new Run(chart);
    expect(run.send('go', undefined, long)).toBe('over-bound');
    expect(run.last).toMatchObject({ detail: expect.stringContaining('too many steps') });
  });

  it('of data nested as deep as they may be is no trouble', () => {
    let data: Json = 1;
    for (let i = 0; i < DATA_BYTES / 2; i++) data = [data];
    expect(ask('event.data == event.data && event.data != context.seen', data)).toEqual({
      taken: true,
      notes: [],
    });
    expect(contextAfter('{all: event.data}', data)).toMatchObject({ ok: false, reason: 'expression-failed' });
  });
});

describe('a chart that names', () => {
  const said = (guard: string) => {
    const reading = readChart(
      `initial: a\nstates:\n  a: {on: {go: {target: b, guard: '${guard}'}}}\n  b: {}\n`,
    );
    return [...(reading.ok ? [] : reading.errors), ...reading.warnings].map(({ message }) => message);
  };

  it('data of any type is right', () => {
    expect(said('event.data.errors > 5 && event.data.name.startsWith("web")')).toEqual([]);
  });

  it('another key of the event is told which there are', () => {
    expect(said('event.date.errors > 5')).toEqual([expect.stringMatching(/it has: type, data\..*"data"/)]);
  });
});
