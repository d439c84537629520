/** The YAML of a chart: version 1.2, one document, plain data. */
import { describe, expect, it } from 'vitest';
import { readChart } from '../../src/chart/chart.ts';
import { errorsOf, placesOf, warningsOf } from './reading.ts';

/** A valid chart of two lines; the tests add the third. */
const CHART = 'current_state: a\nstates: [{name: a}]\n';

describe('broken YAML', () => {
  it.each<[what: string, text: string, line: number, column: number]>([
    ['a list that is not closed', 'current_state: [a', 1, 18],
    ['a mapping that is not closed', 'current_state: a\nstates: [{name: a]\n', 2, 18],
    ['a quote that is not closed', 'current_state: "a\nstates: []\n', 1, 16],
    ['a tab that indents', 'current_state: a\nstates:\n\t- name: a\n', 3, 1],
    ['a line that is indented too far', 'current_state: a\n states: b\n', 2, 2],
    ['two values on a line', 'current_state: a: b\n', 1, 17],
    ['an escape that does not exist', 'current_state: "\\q"\n', 1, 17],
    ['a NUL', 'current_state: a\nstates: \u0000\n', 2, 9],
    ['a bell', 'current_state: a\nstates: "\u0007"\n', 2, 10],
    ['a control character that is not quoted', 'current_state: a\u007f\n', 1, 17],
  ])('is one error, where the parser gave up: %s', (_, text, line, column) => {
    const errors = errorsOf(text);
    expect(placesOf(errors)).toEqual([[line, column, '']]);
    expect(errors[0]?.message).toMatch(/^This is not YAML: .+\.$/);
  });

  it.each<[what: string, text: string, line: number, column: number, hint: RegExp]>([
    ['a comma that is missing in a list', 'a: ["b" "c"]\n', 1, 9, /comma is missing before this/],
    ['a comma that is missing in a mapping', 'a: {b: 1 c: 2}\n', 1, 8, /comma is missing/],
    ['a comma too many', 'a: [b,,c]\n', 1, 7, /comma is too many here; remove it/],
    ['a comma too many in a mapping', 'a: {b: 1,, c: 2}\n', 1, 10, /comma is too many here; remove it/],
    ['a comma first', 'a: [,b]\n', 1, 5, /comma is too many here; remove it/],
    ['a bracket of the other kind', 'a: {b: [c}\n', 1, 10, /`\]` is missing before this `\}`/],
    ['a bracket that is not closed', 'a: [b\n', 1, 6, /not closed; end it with `\]`/],
    ['a bracket that closes nothing', 'a: [b]]\n', 1, 7, /`\]` closes nothing; remove it/],
    ['a key further out', 'a:\n  b: 1\n c: 2\n', 3, 2, /keys of one mapping must begin in the same column/],
    [
      'a key further in',
      'a:\n  b: 1\n   c: 2\n',
      3,
      4,
      /indented further than the key above it.+align the two/,
    ],
    [
      'an item further in',
      'a:\n- b: 1\n  c: x\n - b: 2\n',
      4,
      2,
      /items of one list must begin in the same column/,
    ],
    ['an item further out', 'a:\n  - b\n - c\n', 3, 2, /indentation of this line fits nothing above it/],
    ['a first line further in', '  a: 1\nb: 2\n', 2, 1, /indentation of this line fits nothing above it/],
    ['a tab', 'a:\n \tb: c\n', 2, 2, /a tab indents this line; indent with spaces/],
    ['a colon without a space', 'a:b\nc: d\n', 1, 2, /a space is missing after this `:`/],
    ['a colon too many', 'a: b: c\n', 1, 5, /put quotes around the value/],
    ['a key without a value', 'a: b\nc\nd: e\n', 2, 1, /a `:` and a value are missing/],
    ['a list on its key’s line', 'a: - b\n', 1, 4, /begin it on the next line/],
    ['a quote inside quotes', "a: 'it's'\n", 1, 8, /inside of single quotes write ''/],
    ['a quote that only an escaped one follows', 'a: "b\\"', 1, 4, /quote that opens here is not closed/],
    ['a quote that only a double one follows', "a: 'b''", 1, 4, /quote that opens here is not closed/],
    ['a sign that quotes must hide', 'a: @b\n', 1, 4, /cannot begin with `@`; put quotes around it/],
    ['a value that goes on behind its quotes', 'a: "b" c\n', 1, 8, /put quotes around the whole value/],
    ['a comment without a space', 'a: "b"#c\n', 1, 7, /needs a space before its `#`/],
    ['an alias without a name', 'a: *\n', 1, 4, /has no name/],
  ])('says what would be right: %s', (_, text, line, column, hint) => {
    const errors = errorsOf(text);
    expect(placesOf(errors)).toEqual([[line, column, '']]);
    expect(errors[0]?.message).toMatch(hint);
  });

  it('has no directives that change what tags mean', () => {
    expect(errorsOf(`%TAG !a! tag:b\n---\n${CHART}`)).toMatchObject([
      { line: 1, column: 1, message: expect.stringMatching(/remove it/) },
    ]);
  });

  it('is reported at the right line of a text with Windows’ line ends', () => {
    expect(errorsOf(`${CHART}x: [`.replaceAll('\n', '\r\n'))[0]?.line).toBe(3);
  });

  it('is reported at the right column after a byte order mark', () => {
    expect(placesOf(errorsOf('\uFEFFcurrent_state: "\\q"\n'))).toEqual([[1, 17, '']]);
  });
});

describe('a text that is no chart', () => {
  it.each([
    ['empty', ''],
    ['blank', ' \n\n  \n'],
    ['a comment', '# a chart will follow\n'],
    ['an end of a document', '...\n'],
  ])('is reported as empty: %s', (_, text) => {
    expect(errorsOf(text)).toMatchObject([{ line: 1, column: 1, path: '', message: 'The chart is empty.' }]);
  });

  it.each([
    ['null', 'null\n'],
    ['a text', 'hello\n'],
    ['a number', '42\n'],
    ['a list', '- current_state: a\n- states: []\n'],
    ['a mapping of something else', 'services:\n  web: {image: nginx}\n'],
    ['an empty mapping', '{}\n'],
  ])('is refused with what a chart has: %s', (_, text) => {
    const errors = errorsOf(text);
    expect(placesOf(errors)).toEqual([[1, 1, '']]);
    expect(errors[0]?.message).toMatch(/`current_state` and `states`/);
  });

  it('is refused if it is more than one document', () => {
    for (const text of [`${CHART}---\n${CHART}`, `---\n${CHART}---\n`, `${CHART}...\n---\na: 1\n`])
      expect(errorsOf(text)[0]?.message).toMatch(/more than one document/);
  });
});

describe('a key', () => {
  it.each<[what: string, text: string, column: number]>([
    ['a list', '? [a, b]\n: 1\n', 3],
    ['a mapping', '? {a: b}\n: 1\n', 3],
    ['a list with more inside', '? [[a], {b: c}]\n: 1\n', 3],
  ])('cannot be %s', (_, text, column) => {
    const errors = errorsOf(CHART + text);
    expect(placesOf(errors)).toEqual([[3, column, '']]);
    expect(errors[0]?.message).toMatch(/key must be a scalar/);
  });

  it('can be an alias of a text, not of a list', () => {
    expect(placesOf(errorsOf(`l: &l [1]\n${CHART}*l : 2\n`))).toEqual([[4, 2, '']]);
    expect(readChart(`k: &k foo\n${CHART}*k : 2\n`).ok).toBe(true);
  });

  it('cannot be in a mapping twice, however it is written', () => {
    expect(placesOf(errorsOf(`${CHART}x: 1\nx: 2\n`))).toEqual([[4, 1, '']]);
    expect(errorsOf(`${CHART}x: 1\n"x": 2\n`)[0]?.message).toMatch(/"x" is in this mapping twice/);
    expect(errorsOf(`${CHART}__proto__: 1\n__proto__: 2\n`)[0]?.message).toMatch(/"__proto__"/);
    const inState = 'current_state: a\nstates:\n  - name: a\n    name: b\n';
    expect(placesOf(errorsOf(inState))).toEqual([[4, 5, '']]);
  });

  it('can be the name of a property of every JavaScript object, without effect', () => {
    const keys = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];
    for (const key of keys) {
      const chart = `${key}: {polluted: 1, prototype: {polluted: 1}}\n${CHART}`;
      expect(warningsOf(chart).map(({ path }) => path)).toEqual([key]);
      expect(
        errorsOf(`${key}: {polluted: 1}\ncurrent_state: b\nstates: [{${key}: {polluted: 1}, name: a}]\n`),
      ).toHaveLength(1);
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect({}).not.toHaveProperty('polluted');
  });

  it('is not merged', () => {
    const chart = 'base: &b {name: a}\ncurrent_state: a\nstates:\n  - {<<: *b}\n';
    expect(errorsOf(chart).map(({ path }) => path)).toContain('states[0].name');
  });

  it.each([
    ['states: {a: {<<: {slots: 1}, on: {update: b}}, b: {}}', 'states.a["<<"]'],
    ['states: {a: {on: {<<: {fail: b, stop: b}, update: b}}, b: {}}', 'states.a.on["<<"]'],
  ])('is told that it is not merged: %s', (states, path) => {
    expect(errorsOf(`initial: a\n${states}\n`)).toMatchObject([
      { path, message: expect.stringMatching(/^`<<` does not merge in YAML 1\.2\. Write the keys out/) },
    ]);
  });

  it('is told that it is not merged, in a sequence as well', () => {
    const warnings = warningsOf('current_state: a\nstates: [{name: a, <<: {func: increment}}]\n');
    expect(warnings).toMatchObject([
      { path: 'states[0]["<<"]', message: expect.stringContaining('does not merge') },
    ]);
  });
});

describe('an alias', () => {
  it('has the value of its anchor', () => {
    expect(readChart('n: &n a\ncurrent_state: *n\nstates: [{name: *n}]\n').ok).toBe(true);
  });

  it.each<[what: string, text: string, column: number, message: RegExp]>([
    ['nothing', 'x: *nope\n', 5, /"nope" names no anchor above it/],
    ['what stands below it', 'x: [*b, &b 1]\n', 6, /"b" names no anchor above it/],
    ['what it stands in', 'x: &a [1, *a]\n', 12, /"a" is inside the node that it names/],
    ['what it stands deep in', 'x: &a {b: {c: [*a]}}\n', 17, /"a" is inside the node that it names/],
  ])('is refused where it names %s', (_, text, column, message) => {
    const errors = errorsOf(CHART + text);
    expect(placesOf(errors)).toEqual([[3, column, '']]);
    expect(errors[0]?.message).toMatch(message);
  });
});

describe('a tag', () => {
  it.each([
    '!foo',
    '!!python/object/apply:os.system',
    '!!js/function',
    '!!binary',
    '!!timestamp',
    '!!set',
    '!!omap',
    '!!merge',
    '!<tag:yaml.org,2002:js/undefined>',
  ])('is refused if it makes more than data: %s', (tag) => {
    for (const value of ['text', '[a]', '{a: b}']) {
      const errors = errorsOf(`${CHART}x: ${tag} ${value}\n`);
      expect(placesOf(errors)).toEqual([[3, 4, '']]);
      expect(errors[0]?.message).toMatch(/tag .* is not supported/);
    }
  });

  it('can turn a number into text', () => {
    const chart = 'current_state: !!str 1\nstates: [{name: "1"}]\n';
    expect(readChart(chart).ok).toBe(true);
    expect(
      errorsOf(
        'current_state: a\nstates: [{name: a, func: increment, current: {key: k, value: !!str 0}, target: {name: a, when: {key: k, value: 1}}}]\n',
      ),
    ).toMatchObject([{ path: 'states[0].current.value' }]);
  });
});

describe('YAML 1.2', () => {
  it('is read, where 1.1 has another meaning', () => {
    const reading = readChart(`current_state: yes
states:
  - {name: yes, func: increment, current: {key: no, value: 0o10}, target: {name: 1:30, when: {key: off, value: 010}}}
  - {name: 1:30}
`);
    expect(reading).toMatchObject({ ok: true, warnings: [] });
    expect(reading.ok && reading.chart.definition).toMatchObject({
      states: [{ name: 'yes', current: { value: 8 }, target: { when: { value: 10 } } }, { name: '1:30' }],
    });
  });

  it('may have a byte order mark, Windows’ line ends, a start and an end', () => {
    for (const text of [`\uFEFF${CHART}`, CHART.replaceAll('\n', '\r\n'), `%YAML 1.2\n---\n${CHART}...\n`])
      expect(readChart(text)).toMatchObject({ ok: true, warnings: [] });
  });

  it('may be written in blocks, in flow and in quotes', () => {
    const blocks = 'current_state: |-\n  a b\nstates:\n  - name: >-\n      a\n      b\n';
    const quotes = '{"current_state": "a\\u0020b", \'states\': [{name: \'a b\'}]}';
    for (const text of [blocks, quotes]) expect(readChart(text)).toMatchObject({ ok: true, warnings: [] });
  });
});
