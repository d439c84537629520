/** Errors in a sequence, and their positions in the text. Invalid YAML: yaml.test.ts. */
import { describe, expect, it } from 'vitest';
import { readChart } from '../../src/chart/chart.ts';
import { errorsOf, messageAt, placesOf, warningsOf } from './reading.ts';

/** The lines are numbered in the tests: the first is `current_state`. */
const CHART = `current_state: green
states:
  - name: green
    func: increment
    current: {key: count, value: 0}
    target: {name: red, when: {key: count, value: 1}}
  - name: red
    func: time
    target: {name: blue, when: {key: clock, value: 2026-12-01T02:00:00}}
  - name: blue
`;

/** `CHART` with one part replaced by another. */
function chartWith(part: string, other: string): string {
  if (!CHART.includes(part)) throw new Error(`the chart has no ${JSON.stringify(part)}`);
  return CHART.replace(part, other);
}

describe('a sequence', () => {
  it('is read with its states by number and by name', () => {
    const reading = readChart(CHART);
    expect(reading).toMatchObject({ ok: true, warnings: [] });
    expect(reading.ok && reading.chart.definition).toMatchObject({
      dialect: 'sequence',
      current_state: 'green',
      states: [{ name: 'green' }, { name: 'red' }, { name: 'blue' }],
    });
  });

  it('may count fractions whose difference is not whole as a binary number', () => {
    expect(2.3 - 0.3).not.toBe(2);
    const chart = chartWith('value: 0', 'value: 0.3').replace('value: 1}', 'value: 2.3}');
    expect(readChart(chart)).toMatchObject({ ok: true, warnings: [] });
  });

  it('may be JSON', () => {
    expect(readChart('{"current_state": "a", "states": [{"name": "a"}]}')).toMatchObject({ ok: true });
  });

  it('has the names as written, also those that YAML reads as numbers or booleans', () => {
    const reading = readChart(`
current_state: 1.10
states:
  - {name: 1.10, func: increment, current: {key: 1, value: 0}, target: {name: true, when: {key: no, value: 1}}}
  - {name: true, func: increment, current: {key: 1, value: 0}, target: {name: "0x10", when: {key: no, value: 1}}}
  - {name: 0x10}
`);
    expect(reading).toMatchObject({ ok: true, warnings: [] });
    expect(reading.ok && reading.chart.definition).toMatchObject({
      current_state: '1.10',
      states: [{ name: '1.10' }, { name: 'true' }, { name: '0x10' }],
    });
  });

  it('may share parts by anchors', () => {
    const reading = readChart(`
current_state: a
states:
  - {name: a, func: increment, current: &c {key: k, value: 0}, target: {name: b, when: &w {key: k, value: 2}}}
  - {name: b, func: increment, current: *c, target: {name: c, when: *w}}
  - {name: c}
`);
    expect(reading).toMatchObject({ ok: true, warnings: [] });
  });
});

describe('an error in a sequence', () => {
  it.each<[what: string, chart: string, line: number, column: number, path: string, message: RegExp]>([
    [
      'a target that is no state',
      chartWith('{name: red', '{name: rde'),
      6,
      20,
      'states[0].target.name',
      /no state "rde"\. Did you mean "red"\?/,
    ],
    [
      'a target that is like no state',
      chartWith('{name: red', '{name: yellow-brick-road'),
      6,
      20,
      'states[0].target.name',
      /no state "yellow-brick-road"\.$/,
    ],
    [
      'a target in another case',
      chartWith('{name: red', '{name: RED'),
      6,
      20,
      'states[0].target.name',
      /no state "RED"/,
    ],
    [
      'a time state’s target that is no state',
      chartWith('{name: blue', '{name: bleu'),
      9,
      20,
      'states[1].target.name',
      /no state "bleu"\. Did you mean "blue"\?/,
    ],
    [
      'a target that is an object’s property',
      chartWith('{name: red', '{name: __proto__'),
      6,
      20,
      'states[0].target.name',
      /no state "__proto__"/,
    ],
    [
      'a start that is no state',
      chartWith('current_state: green', 'current_state: gren'),
      1,
      16,
      'current_state',
      /no state "gren"\. Did you mean "green"\?/,
    ],
    [
      'a start that is a mapping',
      chartWith('current_state: green', 'current_state: {a: b}'),
      1,
      16,
      'current_state',
      /must be a name/,
    ],
    [
      'a name that is taken',
      chartWith('- name: blue', '- name: blue\n  - name: red'),
      11,
      11,
      'states[3].name',
      /"red" is taken by the state on line 7/,
    ],
    [
      'no current',
      chartWith('    current: {key: count, value: 0}\n', ''),
      3,
      5,
      'states[0].current',
      /`current` is missing/,
    ],
    [
      'no target',
      chartWith('    target: {name: red, when: {key: count, value: 1}}\n', ''),
      3,
      5,
      'states[0].target',
      /`target` is missing/,
    ],
    [
      'no when',
      chartWith(', when: {key: count, value: 1}', ''),
      6,
      13,
      'states[0].target.when',
      /`when` is missing/,
    ],
    [
      'no target of a time state',
      chartWith('    target: {name: blue, when: {key: clock, value: 2026-12-01T02:00:00}}\n', ''),
      7,
      5,
      'states[1].target',
      /`target` is missing/,
    ],
    [
      'no name',
      chartWith('- name: blue', '- name: blue\n  - description: grey'),
      11,
      5,
      'states[3].name',
      /`name` is missing/,
    ],
    [
      'no name of a target',
      chartWith('{name: red, ', '{'),
      6,
      13,
      'states[0].target.name',
      /`name` is missing/,
    ],
    [
      'no key',
      chartWith('{key: count, value: 0}', '{value: 0}'),
      5,
      14,
      'states[0].current.key',
      /`key` is missing/,
    ],
    [
      'no value',
      chartWith('{key: count, value: 0}', '{key: count}'),
      5,
      14,
      'states[0].current.value',
      /`value` is missing.*number/,
    ],
    [
      'current that is no mapping',
      chartWith('{key: count, value: 0}', '0'),
      5,
      14,
      'states[0].current',
      /must be a mapping/,
    ],
    [
      'current that is a list',
      chartWith('{key: count, value: 0}', '[count, 0]'),
      5,
      14,
      'states[0].current',
      /must be a mapping/,
    ],
    [
      'a key that is a list',
      chartWith('{key: count, value: 0}', '{key: [count], value: 0}'),
      5,
      20,
      'states[0].current.key',
      /must be a label/,
    ],
    [
      'a function that is not known',
      chartWith('func: increment', 'func: incremet'),
      4,
      11,
      'states[0].func',
      /`increment` or `time`.*Did you mean "increment"\?/,
    ],
    [
      'a function of code',
      chartWith('func: increment', 'func: os.system'),
      4,
      11,
      'states[0].func',
      /`increment` or `time`/,
    ],
    [
      'a function in a list',
      chartWith('func: increment', 'func: [increment]'),
      4,
      11,
      'states[0].func',
      /`increment` or `time`/,
    ],
    [
      'a function in a mapping',
      chartWith('func: increment', 'func: {increment: 1}'),
      4,
      11,
      'states[0].func',
      /`increment` or `time`/,
    ],
    [
      'a state that is a number',
      chartWith('- name: blue', '- name: blue\n  - 5'),
      11,
      5,
      'states[3]',
      /Item 4 must be a mapping/,
    ],
    [
      'a state that is a text',
      chartWith('- name: blue', '- name: blue\n  - text'),
      11,
      5,
      'states[3]',
      /Item 4 must be a mapping/,
    ],
    [
      'a state that is a list',
      chartWith('- name: blue', '- name: blue\n  - [a]'),
      11,
      5,
      'states[3]',
      /Item 4 must be a mapping/,
    ],
    [
      'a name that is a list',
      chartWith('- name: blue', '- name: blue\n  - name: [a]'),
      11,
      11,
      'states[3].name',
      /must be a name/,
    ],
    [
      'a name that is too long',
      chartWith('- name: blue', `- name: blue\n  - name: ${'x'.repeat(1_025)}`),
      11,
      11,
      'states[3].name',
      /at most 1024 characters/,
    ],
    [
      'a name with half a character',
      chartWith('- name: blue', '- name: blue\n  - name: "\\uD83D"'),
      11,
      12,
      'states[3].name',
      /well-formed/,
    ],
  ])('is told at its place: %s', (_, chart, line, column, path, message) => {
    const errors = errorsOf(chart);
    expect(placesOf(errors)).toEqual([[line, column, path]]);
    expect(errors[0]?.message).toMatch(message);
    expect(errors[0]?.severity).toBe('error');
  });

  it.each<[what: string, chart: string, path: string, message: RegExp]>([
    ['no states', 'current_state: a\n', 'states', /`states` is missing/],
    ['no state in the list', 'current_state: a\nstates: []\n', 'states', /at least one state/],
    ['states that are a mapping', 'current_state: a\nstates: {a: {}}\n', 'states', /list of states/],
    ['states that are text', 'current_state: a\nstates: a\n', 'states', /list of states/],
  ])('is told whatever else is told: %s', (_, chart, path, message) => {
    expect(messageAt(errorsOf(chart), path)).toMatch(message);
  });

  it.each<[what: string, chart: string, line: number, path: string]>([
    ['a value', chartWith('value: 0', 'value:'), 5, 'states[0].current.value'],
    ['a function', chartWith('func: increment', 'func:'), 4, 'states[0].func'],
    ['a name', chartWith('- name: blue', '- name:'), 10, 'states[2].name'],
    ['a state', chartWith('- name: blue', '- name: blue\n  -'), 11, 'states[3]'],
    ['current', chartWith('current: {key: count, value: 0}', 'current:'), 5, 'states[0].current'],
    ['the start', chartWith('current_state: green', '# first\ncurrent_state:'), 2, 'current_state'],
  ])('is told on its own line where nothing is written: %s', (_, chart, line, path) => {
    const told = errorsOf(chart).find((error) => error.path === path);
    expect(told?.line).toBe(line);
  });

  it('is reported all at once, in the order of the text', () => {
    const errors = errorsOf(`current_state: gren
states:
  - name: green
    func: increment
    current: {key: count, value: "0"}
    target: {name: rad, when: {key: count, value: 1}}
  - name: red
    func: tiem
  - name: red
  - 7
`);
    expect(errors.map(({ line, path }) => [line, path])).toEqual([
      [1, 'current_state'],
      [5, 'states[0].current.value'],
      [6, 'states[0].target.name'],
      [8, 'states[1].func'],
      [9, 'states[2].name'],
      [10, 'states[3]'],
    ]);
  });

  it('is reported at the anchor, not at its aliases', () => {
    const errors = errorsOf(`current_state: a
states:
  - {name: a, func: increment, current: {key: k, value: 0}, target: &t {name: nowhere, when: {key: k, value: 1}}}
  - {name: b, func: increment, current: {key: k, value: 0}, target: *t}
`);
    expect(errors.map(({ line, path }) => [line, path])).toEqual([
      [3, 'states[0].target.name'],
      [3, 'states[1].target.name'],
    ]);
  });

  it('is reported up to a hundred times', () => {
    const states = Array.from({ length: 500 }, () => '  - {}\n').join('');
    expect(errorsOf(`current_state: a\nstates:\n${states}`)).toHaveLength(100);
  });
});

describe('a count', () => {
  it.each([
    '0',
    '-3',
    '2.5',
    '1e3',
    '.5',
    '+1',
    '0x10',
    '0o17',
    '-0',
    '9007199254740991',
    '-9007199254740991',
    '1e-7',
  ])('may be %s', (value) => {
    expect(readChart(chartWith('value: 0', `value: ${value}`)).ok).toBe(true);
    expect(readChart(chartWith('value: 1', `value: ${value}`)).ok).toBe(true);
  });

  it.each([
    '"0"',
    "'0'",
    'zero',
    'true',
    'null',
    '~',
    '[0]',
    '{a: 0}',
    '2026-11-24',
    '.nan',
    '.NaN',
    '.inf',
    '-.inf',
    '1e400',
    '-1e400',
    '9007199254740992',
    '-9007199254740992',
    '1e20',
    '1_000',
    '1,5',
    '0b1',
    '१',
  ])('must be a number that can be counted: not %s', (value) => {
    const quoted = /^["']/.test(value) ? 1 : 0;
    const inCurrent = errorsOf(chartWith('value: 0', `value: ${value.replace(',', '\\,')}`));
    expect(placesOf(inCurrent)).toEqual([[5, 34 + quoted, 'states[0].current.value']]);
    const inTarget = errorsOf(chartWith('value: 1', `value: ${value.replace(',', '\\,')}`));
    expect(placesOf(inTarget)).toEqual([[6, 51 + quoted, 'states[0].target.when.value']]);
    for (const { message } of [...inCurrent, ...inTarget]) expect(message).toMatch(/^`value` must be/);
  });
});

describe('a moment', () => {
  it.each([
    '2026-12-01T02:00:00',
    '"2026-12-01T02:00:00"',
    '2026-12-01T02:00:00Z',
    '2026-12-01T02:00:00+02:00',
    '2026-12-01T02:00:00-11:30',
    '2024-02-29T00:00:00',
    '2000-02-29T23:59:59',
    '1970-01-01T00:00:00',
    '9999-12-31T23:59:59',
  ])('may be %s', (value) => {
    expect(readChart(chartWith('2026-12-01T02:00:00', value))).toMatchObject({ ok: true, warnings: [] });
  });

  it.each([
    ['30 February', '2026-02-30T00:00:00'],
    ['29 February in no leap year', '2023-02-29T00:00:00'],
    ['29 February 2100', '2100-02-29T00:00:00'],
    ['31 April', '2026-04-31T00:00:00'],
    ['day 0', '2026-01-00T00:00:00'],
    ['month 13', '2026-13-01T00:00:00'],
    ['month 0', '2026-00-01T00:00:00'],
    ['hour 24', '2026-12-01T24:00:00'],
    ['minute 60', '2026-12-01T23:60:00'],
    ['second 60', '2026-12-01T23:59:60'],
    ['no seconds', '2026-12-01T02:00'],
    ['no time', '2026-12-01'],
    ['a space for the T', '2026-12-01 02:00:00'],
    ['two digits of a year', '26-12-01T02:00:00'],
    ['a year of five digits', '12026-12-01T02:00:00'],
    ['a sign', '+2026-12-01T02:00:00'],
    ['no leading zeros', '2026-1-1T2:00:00'],
    ['an offset without minutes', '2026-12-01T02:00:00+02'],
    ['an offset of 24 hours', '2026-12-01T02:00:00+24:00'],
    ['an offset of 60 minutes', '2026-12-01T02:00:00+01:60'],
    ['a zone by name', '2026-12-01T02:00:00CET'],
    ['text behind it', '2026-12-01T02:00:00 or so'],
    ['a number', '1796090400'],
    ['a list', '[2026-12-01T02:00:00]'],
    ['a boolean', 'true'],
  ])('must be complete and in the calendar: not %s', (_, value) => {
    const errors = errorsOf(chartWith('2026-12-01T02:00:00', value));
    expect(placesOf(errors)).toEqual([[9, 52, 'states[1].target.when.value']]);
    expect(errors[0]?.message).toMatch(/^`value` must be a time: `2026-12-01T02:00:00`/);
  });
});

describe('a warning about a likely mistake', () => {
  it.each<[what: string, chart: string, line: number, column: number, path: string, message: RegExp]>([
    [
      'a state that no way leads to',
      chartWith('- name: blue', '- name: blue\n  - name: grey'),
      11,
      11,
      'states[3].name',
      /No transition leads from "green" to "grey"/,
    ],
    [
      'a count that is past its target',
      chartWith('value: 0', 'value: 2'),
      6,
      51,
      'states[0].target.when.value',
      /from 2 by 1 never gives 1/,
    ],
    [
      'a count that is at its target already',
      chartWith('value: 0', 'value: 1'),
      6,
      51,
      'states[0].target.when.value',
      /from 1 by 1 never gives 1/,
    ],
    [
      'a count that misses its target',
      chartWith('value: 0', 'value: 0.5'),
      6,
      51,
      'states[0].target.when.value',
      /from 0.5 by 1 never gives 1/,
    ],
    [
      'a count whose steps do not sum up to its target, though their difference is whole',
      chartWith('value: 0', 'value: -19.8').replace('value: 1}', 'value: -7.8}'),
      6,
      51,
      'states[0].target.when.value',
      /from -19.8 by 1 never gives -7.8/,
    ],
    ['a key of the chart', `${CHART}extra: 1\n`, 11, 1, 'extra', /"extra" is not used here/],
    [
      'a key of a state',
      chartWith('    func: increment', '    func: increment\n    colour: red'),
      5,
      5,
      'states[0].colour',
      /"colour" is not used/,
    ],
    [
      'a key of a count',
      chartWith('value: 0}', 'value: 0, max: 4}'),
      5,
      37,
      'states[0].current.max',
      /"max" is not used/,
    ],
    [
      'a key of a target',
      chartWith('value: 1}}', 'value: 1}, then: x}'),
      6,
      55,
      'states[0].target.then',
      /"then" is not used/,
    ],
    [
      'a key of a condition',
      chartWith('value: 1}}', 'value: 1, by: 2}}'),
      6,
      54,
      'states[0].target.when.by',
      /"by" is not used/,
    ],
    [
      'a key of a final state that is misspelt',
      chartWith('- name: blue', '- name: blue\n    fnuc: time'),
      11,
      5,
      'states[2].fnuc',
      /"fnuc" is not used/,
    ],
    [
      'a key that objects have',
      `${CHART}constructor: 1\n`,
      11,
      1,
      'constructor',
      /"constructor" is not used/,
    ],
    [
      'a key that objects have above all',
      `${CHART}__proto__: 1\n`,
      11,
      1,
      '__proto__',
      /^"__proto__" is not used/,
    ],
  ])('is told and accepted: %s', (_, chart, line, column, path, message) => {
    const warnings = warningsOf(chart);
    expect(placesOf(warnings)).toEqual([[line, column, path]]);
    expect(warnings[0]?.message).toMatch(message);
    expect(warnings[0]?.severity).toBe('warning');
  });

  it('is given in the order of the text', () => {
    const lines = warningsOf(`z: 1\n${CHART.replace('value: 0', 'value: 7')}a: 2\n`).map(({ line }) => line);
    expect(lines).toEqual([1, 7, 12]);
  });

  it('is not given for a ring of all states', () => {
    expect(
      warningsOf(
        chartWith(
          '- name: blue',
          `- name: blue
    func: increment
    current: {key: count, value: -2}
    target: {name: green, when: {key: count, value: 0}}`,
        ),
      ),
    ).toEqual([]);
  });
});
