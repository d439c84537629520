/** `notify`: what it names, and which hooks are told of a step. */
import { describe, expect, it } from 'vitest';
import { hooksOf, hooksToTell, readChart } from '../../src/chart/chart.ts';
import { CHART_HOOKS } from '../../src/chart-limits.ts';

function statechart(...notify: readonly unknown[]): string {
  const fleet = { type: 'parallel', states: { eu: { initial: 'a', states: { a: {} } }, us: { id: 'west' } } };
  return JSON.stringify({
    id: 'all',
    initial: 'a',
    notify,
    states: {
      a: { on: { update: 'fleet', undo: 'rollback', again: 'paused', back: 'h' } },
      fleet,
      rollback: {},
      paused: { initial: 'x', states: { x: {}, h: { type: 'history' } } },
      h: { type: 'history' },
    },
  });
}

function sequence(notify: unknown): string {
  const current = { key: 'n', value: 0 };
  const target = { name: '1.10', when: { key: 'n', value: 1 } };
  const states = [{ name: 'drain', func: 'increment', current, target }, { name: '1.10' }];
  return JSON.stringify({ current_state: 'drain', notify, states });
}

/** What is wrong with a chart: `path: message`. */
function issuesOf(text: string, kind: 'errors' | 'warnings' = 'errors'): string[] {
  const reading = readChart(text);
  const issues = kind === 'warnings' ? reading.warnings : reading.ok ? [] : reading.errors;
  return issues.map(({ path, message }) => `${path}: ${message}`);
}

function told(text: string, entered: readonly string[], occasion?: 'paused' | 'overridden' | 'refused') {
  const reading = readChart(text);
  if (!reading.ok) throw new Error(issuesOf(text).join('\n'));
  const numbers = entered.map((name) => reading.chart.model.states.findIndex((state) => state.name === name));
  expect(numbers).not.toContain(-1);
  return hooksToTell(reading.chart.model, numbers, occasion);
}

describe('a hook', () => {
  it('is told of states by their id, their path and their key, alone or in a list', () => {
    for (const name of ['west', 'fleet.us', 'us']) {
      expect(told(statechart({ on: name, to: 'OPS' }), ['fleet', 'west'])).toEqual(['OPS']);
      expect(told(statechart({ on: ['rollback', name], to: 'OPS' }), ['a'])).toEqual([]);
    }
  });

  it('is told once, and in the order of the items', () => {
    const chart = statechart(
      { on: ['a', 'rollback'], to: 'OPS' },
      { on: 'rollback', to: 'CHAT' },
      { on: ['overridden', 'rollback'], to: 'OPS' },
    );
    expect(told(chart, ['a', 'rollback'], 'overridden')).toEqual(['OPS', 'CHAT']);
    expect(told(chart, [], 'overridden')).toEqual(['OPS']);
    expect(told(chart, [], 'refused')).toEqual([]);
  });

  it('is told of the states of a sequence, whose names are as they are written', () => {
    const text = `current_state: 1.10\nnotify: [{on: [1.10, refused], to: OPS}]\nstates: [{name: 1.10}, {name: 1.1}]`;
    expect(told(text, ['1.10'])).toEqual(['OPS']);
    expect(told(text, ['1.1'])).toEqual([]);
    expect(told(sequence([{ on: 'drain', to: 'OPS' }]), ['drain'])).toEqual(['OPS']);
  });

  it('is not told of anything by a chart without the key', () => {
    const reading = readChart(sequence(undefined));
    expect(reading.ok && [hooksOf(reading.chart.model), reading.chart.model.notify]).toEqual([[], undefined]);
  });
});

describe('a chart is refused', () => {
  it('with each unknown state, and the nearest name', () => {
    expect(issuesOf(statechart({ on: ['rolback', 'pausd', 'fleet.uss'], to: 'OPS' }))).toEqual([
      'notify[0].on[0]: There is no state "rolback". Did you mean "rollback"?',
      'notify[0].on[1]: There is no state "pausd". Did you mean "paused"?',
      'notify[0].on[2]: There is no state "fleet.uss". Did you mean "fleet.us"?',
    ]);
    expect(issuesOf(sequence([{ on: 'drian', to: 'OPS' }]))).toEqual([
      'notify[0].on: There is no state "drian". Did you mean "drain"?',
    ]);
  });

  it('for a key that several states have, for the chart as a whole, and for a history state', () => {
    const inside = statechart({ on: ['h', 'x', 'all', 'paused.h'], to: 'OPS' });
    expect(issuesOf(inside)).toEqual([
      'notify[0].on[0]: A history state is never current; name the states that it leads to.',
      'notify[0].on[2]: The chart as a whole is entered when it starts; name its first state.',
      'notify[0].on[3]: A history state is never current; name the states that it leads to.',
    ]);
    const twice =
      '{"type": "parallel", "notify": [{"on": "x", "to": "A"}], "states": {"a": {"initial": "x", "states": {"x": {}}}, "b": {"initial": "x", "states": {"x": {}}}}}';
    expect(issuesOf(twice)).toEqual([
      'notify[0].on: Several states are called "x": "a.x", "b.x". Name one of them.',
    ]);
  });

  it.each<[wrong: unknown, why: RegExp]>([
    [{ on: 'a' }, /^notify\[0\]\.to: `to` is missing/],
    [{ to: 'OPS' }, /^notify\[0\]\.on: `on` is missing/],
    [{ on: [], to: 'OPS' }, /at least one state/],
    [{ on: 'a', to: 'ops' }, /capital letters/],
    [{ on: 'a', to: 'https://a.example/' }, /capital letters/],
    [{ on: 'a', to: 'OPS', url: 'https://a.example/' }, /"url" is not a key/],
    ['a', /must be a mapping/],
  ])('for %j', (wrong, why) => {
    for (const text of [statechart(wrong), sequence([wrong])]) expect(issuesOf(text).join('\n')).toMatch(why);
  });

  it('for too many hooks', () => {
    const items = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ on: 'drain', to: `HOOK${i}` }));
    expect(issuesOf(sequence(items(CHART_HOOKS)))).toEqual([]);
    expect(issuesOf(sequence(items(CHART_HOOKS + 1)))).toEqual([
      `notify: \`notify\` names at most ${CHART_HOOKS} hooks.`,
    ]);
  });
});

it('warns of a state that has the name of an occasion: it is the state', () => {
  const text = statechart({ on: 'paused', to: 'OPS' });
  expect(issuesOf(text, 'warnings').filter((issue) => issue.startsWith('notify'))).toEqual([
    'notify[0].on: "paused" is a state of this chart, so it is told when the state is entered, and at no other time.',
  ]);
  expect(told(text, [], 'paused')).toEqual([]);
  expect(told(text, ['paused'])).toEqual(['OPS']);
});
