/** A running sequence, written as its own file with its present values (`GET {machine}/chart`). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readChart, writeChart } from '../../src/chart/chart.ts';
import type { Sequence } from '../../src/chart/sequence-model.ts';
import { writeSequence } from '../../src/chart/sequence-write.ts';
import { atOnce } from '../../src/sliced.ts';
import { counting, final, sequence, timed } from '../charts.ts';
import { inputsOf } from '../fuzz.ts';
import { begin, leftOf, openText, reportAll, type Walk } from './walk.ts';

/** Names that YAML 1.1 or 1.2 reads as something else without quotes, and names that are hard to write. */
const HOSTILE = [
  'yes',
  'Yes',
  'YES',
  'no',
  'No',
  'NO',
  'on',
  'On',
  'ON',
  'off',
  'Off',
  'OFF',
  'y',
  'Y',
  'n',
  'N',
  'true',
  'True',
  'TRUE',
  'false',
  'False',
  'FALSE',
  'null',
  'Null',
  'NULL',
  '~',
  '',
  '0',
  '1',
  '-1',
  '+1',
  '-0',
  '00',
  '010',
  '08',
  '0x1',
  '0xFF',
  '0o17',
  '0b11',
  '1_000',
  '1__0',
  '1:30',
  '190:20:30',
  '1:30.5',
  '1.0',
  '1.',
  '.5',
  '-.5',
  '1e3',
  '1E3',
  '1e+3',
  '1.5e3',
  '1.e+3',
  '6.8523015e+5',
  '685_230.15',
  '.inf',
  '-.inf',
  '.Inf',
  '.nan',
  '.NaN',
  'NaN',
  'Infinity',
  '2001-01-01',
  '2001-01-01T00:00:00',
  '2001-12-14 21:59:43.10 -5',
  '2001-12-15T02:59:43.1Z',
  '=',
  '<<',
  '?',
  '? a',
  ':',
  ': a',
  'a:',
  'a: b',
  'a:b',
  '- a',
  '-',
  '--',
  '---',
  '...',
  '--- a',
  '#',
  '#1',
  'a #b',
  'a#b',
  '&a',
  '*a',
  '!a',
  '!!str a',
  '%a',
  '100%',
  '@a',
  '`a`',
  '|',
  '|-',
  '>',
  '>+',
  '[',
  ']',
  '[a]',
  '{',
  '}',
  '{a: b}',
  ',',
  'a,b',
  'a, b',
  '"',
  '"a"',
  "'",
  "'a'",
  "it's",
  'say "it\'s"',
  '\\',
  '\\n',
  'a\\',
  ' ',
  '  ',
  ' a',
  'a ',
  'a  b',
  '\t',
  '\ta',
  'a\t',
  'a\tb',
  '\n',
  'a\n',
  '\na',
  'a\nb',
  'a\n\nb',
  'a\n b',
  ' a\nb',
  'a\n\n',
  '\n\n',
  '\r',
  'a\rb',
  'a\r\nb',
  '\u0085',
  'a\u0085b',
  '\u2028',
  'a\u2029b',
  '\u0000',
  'a\u0000',
  '\u0007',
  '\u001b[0m',
  '\u007f',
  '\u0080',
  '\u00a0',
  'a\u00a0b',
  '\u200b',
  '\u202e',
  '\ufeff',
  '\ufeffa',
  'a\ufeff',
  '\ufffd',
  '\ufffe',
  '\uffff',
  '\ue000',
  'é',
  'e\u0301',
  '準備',
  '🚀',
  '👩‍👩‍👧',
  '__proto__',
  'constructor',
  'a'.repeat(200),
  `${'word '.repeat(50)}end`,
  `${'long '.repeat(30)}\n${'lines '.repeat(30)}`,
];

describe('a chart that is written', () => {
  it('is the text that was read, before the first event', () => {
    for (const text of [
      sequence(counting('a', 'b', 2.5, -0.5), timed('b', 'c', '2999-12-01T02:00:00+02:00'), final('c')),
      COMMENTED,
      COMMENTED.replaceAll('\n', '\r\n'),
      `\uFEFF${COMMENTED}`,
    ])
      expect(written(runOf(text))).toBe(text);
  });

  it('has the value of this visit, and the values that other states were left with', () => {
    const run = runOf(sequence(counting('a', 'b', 2), counting('b', 'a', 7, 5), final('c')));
    const values = () =>
      parse(written(run)).states.map((state: { current?: { value: number } }) => state.current?.value);
    expect(values()).toEqual([0, 5, undefined]);
    reportAll(run.walk, ['a']);
    expect(values()).toEqual([1, 5, undefined]);
    reportAll(run.walk, ['a', 'b']);
    expect(values()).toEqual([2, 6, undefined]);
    reportAll(run.walk, ['b', 'a']);
    expect(values()).toEqual([1, 7, undefined]);
  });

  it('keeps comments, order, quotes and layout; only present values differ', () => {
    const run = runOf(COMMENTED);
    reportAll(run.walk, ['drain', 'drain', 'restart']);
    expect(written(run)).toBe(
      COMMENTED.replace("'drain' # where", "'done' # where")
        .replace('value:   0 # so far', 'value:   2 # so far')
        .replace('"value":0.5', '"value":1.5'),
    );
  });

  it.each<[what: string, before: string, after: string]>([
    ['without quotes', 'current_state: a # now\n', 'current_state: b # now\n'],
    ['in double quotes', '"current_state": "a"\n', '"current_state": "b"\n'],
    ['in a block', 'current_state: |-  # now\n  a\n\n# next\n', 'current_state: b  # now\n\n# next\n'],
    ['over several lines', 'current_state:\n  "\\\n   a"\n', 'current_state:\n  "b"\n'],
    ['behind a tag', 'current_state: !!str a\n', 'current_state: !!str b\n'],
    ['as a complex key', '? current_state\n: a\n', '? current_state\n: b\n'],
  ])('names the current state where the name stood: %s', (_, before, after) => {
    const states = `states:\n- ${JSON.stringify(counting('a', 'b'))}\n- name: b\n`;
    const run = runOf(before + states);
    reportAll(run.walk, ['a']);
    expect(written(run)).toBe(after + states.replace('"value":0', '"value":1'));
  });

  it('names the current state if its name is an empty text with a tag', () => {
    const states = `states:\n- ${JSON.stringify(counting('', 'b'))}\n- name: b\n`;
    const run = runOf(`current_state: !!str\n${states}`);
    reportAll(run.walk, ['']);
    expect(parse(written(run))).toMatchObject({
      current_state: 'b',
      states: [{ current: { value: 1 } }, {}],
    });
  });

  it('names a state in the style of its `name`: a number stays a number', () => {
    const run = runOf(`
current_state: 1.0
states:
  - {name: 1.0, func: increment, current: {key: 1, value: 0}, target: {name: 1.10, when: {key: true, value: 1}}}
  - {name: 1.10}
`);
    reportAll(run.walk, ['1.0']);
    expect(written(run)).toContain('current_state: 1.10\n');
  });
});

describe('a chart of any layout that is written', () => {
  /** A state in one of several styles, with a comment on each of its lines. */
  const style = fc.constantFrom('block', 'flow', 'json', 'anchor', 'alias');
  const layouts = fc.record({
    styles: fc.array(style, { minLength: 1, maxLength: 6 }),
    reports: fc.nat(12),
    currentLast: fc.boolean(),
    indent: fc.constantFrom('', '  ', '     '),
    lineEnd: fc.constantFrom('\n', '\r\n'),
    quote: fc.constantFrom('', "'", '"'),
  });

  it('has its present values as data, all of its comments, and all other lines byte for byte', () => {
    fc.assert(
      fc.property(layouts, ({ styles, reports, currentLast, indent, lineEnd, quote }) => {
        const states = styles.flatMap((layout, i) => stateLines(layout, `s${i}`, `s${i + 1}`, i));
        const current = `current_state:   ${quote}s0${quote}   # current`;
        const list = ['states: # all', ...states, `- name: s${styles.length} # last`].map((line, i) =>
          i === 0 ? line : indent + line,
        );
        const lines = [
          'shared: &shared {key: "n", value: 0} # shared',
          ...(currentLast ? [...list, current] : [current, ...list]),
        ];
        const run = runOf(lines.map((line) => line + lineEnd).join(''));
        // Through JSON, which shares nothing: an alias keeps its value.
        const expected = JSON.parse(JSON.stringify(parse(run.text)));
        for (let i = 0; i < reports; i++) {
          const at = Math.floor(i / 2);
          if (at >= styles.length) break;
          reportAll(run.walk, [`s${at}`]);
          expected.states[at].current.value += 1;
          expected.current_state = `s${Math.floor((i + 1) / 2)}`;
        }
        const text = written(run);
        expect(parse(text)).toEqual(expected);
        expect(text.match(/#.*/g)).toEqual(run.text.match(/#.*/g));
        const [before, after] = [run.text, text].map((whole) => whole.split('\n'));
        expect(after?.length).toBe(before?.length);
        before?.forEach((line, i) => {
          if (/value"?: *0|\*/.test(line) || line.startsWith('current_state')) return;
          expect(after?.[i]).toBe(line);
        });
        expect(readChart(text).ok).toBe(true);
      }),
      { numRuns: inputsOf(300) },
    );
  });

  /** After two reports the next state follows. An alias shares the first value of all. */
  function stateLines(layout: string, name: string, target: string, i: number): string[] {
    const rest = `target: {name: ${target}, when: {key: n, value: 2}}`;
    if (layout === 'flow')
      return [`- {name: ${name}, func: increment, current: {key: n, value: 0}, ${rest}} # ${i}`];
    if (layout === 'json') return [`- ${JSON.stringify(counting(name, target, 2))}   # ${i}`];
    const current =
      layout === 'block'
        ? ['  current: # its count', '    value:   0 # so far', '    key: n']
        : [
            layout === 'alias'
              ? '  current: *shared # shared'
              : `  current: &a${i} { key: n, value: 0 } # ${i}`,
          ];
    const after = layout === 'anchor' ? [`  was: *a${i} # as it began`] : [];
    return [
      `- name: "${name}"  # ${i}`,
      '  func: increment',
      '  # its count',
      ...current,
      `  ${rest}`,
      ...after,
    ];
  }
});

describe('an alias in a chart that is written', () => {
  it('stays if its value has not changed', () => {
    const text = `
current_state: a
states:
  - {name: a, func: increment, current: {key: &k count, value: 0}, target: &t {name: b, when: {key: *k, value: 1}}}
  - {name: b, func: increment, current: {key: *k, value: 0}, target: {name: a, when: {key: *k, value: 2}}}
`;
    const run = runOf(text);
    reportAll(run.walk, ['a']);
    expect(written(run)).toBe(
      text.replace('current_state: a', 'current_state: b').replace('value: 0', 'value: 1'),
    );
  });

  it('keeps its value if the value of the anchor changes', () => {
    const text = `
current_state: a
states:
  - name: a
    func: increment
    current: &c {key: k, value: 0} # the anchor
    target: {name: b, when: {key: k, value: 3}}
  - name: b
    func: increment
    current: *c # an alias
    target: {name: a, when: {key: k, value: 1}}
`;
    const run = runOf(text);
    reportAll(run.walk, ['a']);
    expect(written(run)).toBe(
      text.replace('&c {key: k, value: 0}', '&c {key: k, value: 1}').replace('*c #', '{key: k, value: 0} #'),
    );
  });

  it('is replaced if its own value changes, and the anchor stays', () => {
    const text = `
start: &c {key: "k", value: 0}
current_state: a
states:
  - {name: a, func: increment, current: *c, target: {name: b, when: {key: k, value: 1}}}
  - {name: b, func: increment, current: *c, target: {name: a, when: {key: k, value: 1}}}
`;
    const run = runOf(text);
    reportAll(run.walk, ['a']);
    expect(written(run)).toBe(
      text.replace('current_state: a', 'current_state: b').replace('*c', '{key: "k", value: 1}'),
    );
  });

  it('is replaced by its whole value: a state, all states, a name, a key', () => {
    const state =
      '{name: a, func: increment, current: {key: k, value: 0}, target: {name: "b c", when: {key: k, value: 1}}}';
    for (const text of [
      `x: &s ${state}\ncurrent_state: a\nstates: [*s, name: "b c"]\n`,
      `x: &s [${state}, {name: "b c"}]\ncurrent_state: a\nstates: *s\n`,
      `x: &a a\ncurrent_state: *a\nstates:\n- ${state}\n- name: b c\n`,
      `current_state: &a a\nstates:\n- ${state.replace('name: a', 'name: *a')}\n- name: b c\n*a : 1\n`,
    ]) {
      const run = runOf(text);
      reportAll(run.walk, ['a']);
      const data = parse(text);
      data.current_state = 'b c';
      data.states = structuredClone(data.states);
      data.states[0].current.value = 1;
      expect(parse(written(run))).toEqual(data);
    }
  });
});

describe('a hostile name in a chart that is written', () => {
  it.each(HOSTILE.map((name) => [JSON.stringify(name).slice(0, 40), name]))(
    'is the same to every reader: %s',
    (_, name) => expectSame(name),
  );

  it('is read as the same name by every reader', () => {
    fc.assert(fc.property(hostileNames, expectSame), { numRuns: inputsOf(500) });
  });

  /** The name is written after `current_state`, in each style, and in the place of an alias. */
  function expectSame(name: string): void {
    fc.pre(name !== 'start');
    for (const start of ['start', "'start'", '"start"']) {
      const quoted = JSON.stringify(name);
      const current = `{key: ${quoted}, value: 0}`;
      const run = runOf(
        `current_state: ${start}
states:
  - {name: start, func: increment, current: &c ${current}, target: {name: ${quoted}, when: *c }}
  - {name: ${quoted}}
`.replace('when: *c', 'when: {key: k, value: 1}, x: *c'),
      );
      reportAll(run.walk, ['start']);
      const text = written(run);
      const expected = {
        current_state: name,
        states: [
          { current: { key: name, value: 1 }, target: { name, x: { key: name, value: 0 } } },
          { name },
        ],
      };
      expect(parse(text)).toMatchObject(expected);
      expect(parse(text, { version: '1.1' })).toMatchObject(expected);
      expect(definitionOf(text)).toMatchObject({ current_state: name, states: [{}, { name }] });
    }
  }
});

describe('a number in a chart that is written', () => {
  /** The syntax of numbers in PyYAML, with which the original loads charts. */
  const PY_INT = /^[-+]?(?:0|[1-9][0-9_]*)$/;
  const PY_FLOAT = /^[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?$/;

  it('is the same number for every reader, also PyYAML', () => {
    fc.assert(fc.property(counts, expectNumber), { numRuns: inputsOf(500) });
  });

  it.each([1e-7, 1.5e-10, 5e-324, 1e15, 9007199254740991, -9007199254740990, 0.1, 123456.789])(
    'is never text: %d',
    expectNumber,
  );

  /** The last value of a state that was left is that of its target. */
  function expectNumber(value: number): void {
    const text = `current_state: a
states:
  - {name: a, func: increment, current: {key: k, value: 1000.5}, target: {name: b, when: {key: k, value: ${value}}}}
  - {name: b}
`;
    const progress = { current: 2, count: undefined, left: new Set([1]) };
    const after = atOnce(writeSequence(text, definitionOf(text), progress));
    const [, shown = ''] = /current: [{]key: k, value: (.*?)[}]/.exec(after) ?? [];
    expect(PY_INT.test(shown) || PY_FLOAT.test(shown), shown).toBe(true);
    expect(Number(shown)).toBe(value);
    expect(parse(after, { version: '1.1' }).states[0].current.value).toBe(value);
  }
});

describe('a moment in a chart that is written', () => {
  it('stays text for the original, which parses it itself', () => {
    const text = written(runOf(sequence(timed('a', 'b', '2999-12-01T02:00:00'), final('b'))));
    for (const version of ['1.1', '1.2'] as const)
      expect(parse(text, { version }).states[0].target.when.value).toBe('2999-12-01T02:00:00');
  });
});

const hostileNames = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...HOSTILE) },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.constantFrom(...HOSTILE), { minLength: 2, maxLength: 4 })
      .map((parts) => parts.join('')),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.double().map(String) },
  { weight: 1, arbitrary: fc.date({ noInvalidDate: true }).map((date) => date.toISOString()) },
);

const counts = fc.oneof(
  fc.integer({ min: -1_000, max: 1_000 }),
  fc.maxSafeInteger(),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value))
    .map((value) => value || 0),
);

/** A file in a typical layout. */
const COMMENTED = `# The release of the web servers.
%YAML 1.2
---
states:   # in no order

  - name: "restart"

    func:  increment
    current: {"key":"count","value":0.5}   # half of it is done
    # Then the end.
    target: {name: done, when: {key: count, value: 1.5}}
  -   name: drain
      func: increment   # counts
      current:
        value:   0 # so far
        key: 'count'
      target:
        # the next one
        name: restart
        when: { key: count,
                value: 2 }
  - name: done # the end

current_state: 'drain' # where it stands
# The last line.
`.replace(/^# The release.*\n/, '');

interface Run {
  readonly text: string;
  readonly walk: Walk;
}

function runOf(text: string): Run {
  return { text, walk: begin(openText(text)) };
}

function written({ text, walk }: Run): string {
  return writeChart(walk.chart, walk.snapshot, leftOf(walk), text);
}

function definitionOf(text: string): Sequence {
  const { definition } = openText(text);
  if (definition.dialect !== 'sequence') throw new Error('this is no sequence');
  return definition;
}
