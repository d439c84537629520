/** A running sequence, written so that the original could load it and go on (`GET {machine}/chart`). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Chart, readChart, writeChart } from '../../src/chart/index.ts';
import { counting, final, sequence, timed } from '../charts.ts';
import { begin, leftOf, openText, reportAll, type Walk } from './walk.ts';

/** What YAML 1.1 or 1.2 would take for something else, were it not quoted; and what is hard to write at all. */
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
  it('is the chart that was read, before anything has happened', () => {
    const text = sequence(
      counting('a', 'b', 2.5, -0.5),
      timed('b', 'c', '2999-12-01T02:00:00+02:00'),
      final('c'),
    );
    expect(parse(written(begin(openText(text))))).toEqual(JSON.parse(text));
  });

  it('has the value of this visit, and the values that other states were left with', () => {
    const walk = begin(openText(sequence(counting('a', 'b', 2), counting('b', 'a', 7, 5), final('c'))));
    const values = () =>
      parse(written(walk)).states.map((state: { current?: { value: number } }) => state.current?.value);
    expect(values()).toEqual([0, 5, undefined]);
    reportAll(walk, ['a']);
    expect(values()).toEqual([1, 5, undefined]);
    reportAll(walk, ['a', 'b']);
    expect(values()).toEqual([2, 6, undefined]);
    reportAll(walk, ['b', 'a']);
    expect(values()).toEqual([1, 7, undefined]);
  });

  it('keeps the labels as they are: text, numbers and booleans', () => {
    const states = `
current_state: a
states:
  - {name: a, func: increment, current: {key: 1, value: 0}, target: {name: b, when: {key: true, value: 1}}}
  - {name: b, func: increment, current: {key: "1", value: 0}, target: {name: a, when: {key: "true", value: 1}}}
`;
    expect(parse(written(begin(openText(states))))).toEqual(parse(states));
  });

  it('has nothing shared and nothing folded: a person and the original can edit it', () => {
    const text = `
current_state: a
states:
  - {name: a, func: increment, current: &c {key: k, value: 0}, target: {name: b, when: *c}}
  - {name: b, func: increment, current: *c, target: {name: a, when: {key: ${'word '.repeat(60)}end, value: 1}}}
`;
    expect(written(begin(openText(text)))).not.toMatch(/[&*]|^\s+word/m);
  });
});

describe('a hostile name in a chart that is written', () => {
  it.each(HOSTILE.map((name) => [JSON.stringify(name).slice(0, 40), name]))(
    'is the same to every reader: %s',
    (_, name) => {
      const chart = openText(
        sequence({ ...counting(name, 'end'), current: { key: name, value: 0 } }, final('end')),
      );
      const text = written(begin(chart));
      const expected = { current_state: name, states: [{ name, current: { key: name } }, {}] };
      expect(parse(text)).toMatchObject(expected);
      expect(parse(text, { version: '1.1' })).toMatchObject(expected);
      expect(definitionOf(text)).toEqual(chart.definition);
    },
  );

  it('is the same to every reader, whatever it is', () => {
    fc.assert(
      fc.property(hostileNames, (name) => {
        fc.pre(name !== 'end');
        const chart = openText(
          sequence({ ...counting(name, 'end'), current: { key: name, value: 0 } }, final('end')),
        );
        const text = written(begin(chart));
        expect(parse(text)).toMatchObject({
          current_state: name,
          states: [{ name, current: { key: name } }, {}],
        });
        expect(parse(text, { version: '1.1' })).toMatchObject({
          current_state: name,
          states: [{ name }, {}],
        });
        expect(definitionOf(text)).toEqual(chart.definition);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a number in a chart that is written', () => {
  /** What PyYAML, which the original loads charts with, takes for a number. */
  const PY_INT = /^[-+]?(?:0|[1-9][0-9_]*)$/;
  const PY_FLOAT = /^[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?$/;

  it('is the same number to every reader, PyYAML among them', () => {
    fc.assert(
      fc.property(counts, counts, (from, until) => {
        const text = written(begin(openText(sequence(counting('a', 'b', until, from), final('b')))));
        const expected = { states: [{ current: { value: from }, target: { when: { value: until } } }, {}] };
        expect(parse(text)).toMatchObject(expected);
        expect(parse(text, { version: '1.1' })).toMatchObject(expected);
        for (const [, value = ''] of text.matchAll(/ value: (.*)$/gm))
          expect(PY_INT.test(value) || PY_FLOAT.test(value), value).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it.each([1e-7, 1.5e-10, 5e-324, 1e15, 9007199254740991, -9007199254740991, 0.1, 123456.789])(
    'is never text: %d',
    (value) => {
      const text = written(begin(openText(sequence(counting('a', 'b', 1, value), final('b')))));
      const [, shown = ''] = /value: (.*)/.exec(text) ?? [];
      expect(PY_INT.test(shown) || PY_FLOAT.test(shown), shown).toBe(true);
      expect(Number(shown)).toBe(value);
    },
  );
});

describe('a moment in a chart that is written', () => {
  it('stays text for the original, which parses it itself', () => {
    const text = written(begin(openText(sequence(timed('a', 'b', '2999-12-01T02:00:00'), final('b')))));
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

function written(walk: Walk): string {
  return writeChart(walk.chart, walk.snapshot, leftOf(walk)) ?? '';
}

function definitionOf(text: string): Chart['definition'] {
  const reading = readChart(text);
  if (!reading.ok) throw new Error(`${JSON.stringify(reading.errors)} in ${text}`);
  return reading.chart.definition;
}
