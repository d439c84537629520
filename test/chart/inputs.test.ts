/** `inputs` of a chart: what is refused when it is read, and what values a run may have. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Inputs, keepInputs, readChart, settleInputs } from '../../src/chart/chart.ts';
import { chartOf } from './run.ts';

const states = (keys: string) => `states: {a: {${keys}}, b: {type: final}}\n`;
const chart = (inputs: string, keys: string) => `initial: a\ninputs: ${inputs}\n${states(keys)}`;

function errorsOf(text: string): string[] {
  const reading = readChart(text);
  return reading.ok ? [] : reading.errors.map(({ line, message }) => `${line}: ${message}`);
}

describe('a chart', () => {
  it.each([
    ['in a guard', '{x: 1}', "on: {go: {target: b, guard: 'inputs.y > 1'}}", /3: .*has no input `y`.*"x"/],
    ['in an assignment', '{x: 1}', 'on: {go: {target: b, actions: {assign: {k: inputs.y}}}}', /no input `y`/],
    ['as slots', '{x: 1}', 'slots: inputs.y, on: {go: b}', /2: The chart uses `inputs.y`/],
    ['as a quorum', '{x: 1}', 'on: {go: {target: b, quorum: inputs.y}}', /uses `inputs.y`/],
    ['as a delay', '{x: 1}', 'after: {inputs.y: b}', /uses `inputs.y`/],
  ])('is refused where it uses an input that it does not have: %s', (_, inputs, keys, message) => {
    expect(errorsOf(chart(inputs, keys)).join('\n')).toMatch(message);
  });

  it.each([
    ['{x: 0}', 'slots: inputs.x, on: {go: b}', /`x` must be a whole number from 1 to 1000/],
    ['{x: 1001}', 'slots: inputs.x, on: {go: b}', /`x` must be a whole number from 1 to 1000/],
    ['{x: most}', 'on: {go: {target: b, quorum: inputs.x}}', /or a share such as 10%/],
    ['{x: 10ms}', 'after: {inputs.x: b}', /`x` must be a duration of at least 1s/],
    ['{1x: 1}', 'on: {go: b}', /`1x` is no name of an input/],
    ['{x: [1]}', 'on: {go: b}', /a number, text, a boolean, or null/],
  ])('is refused with a default that cannot be right: %s', (inputs, keys, message) => {
    expect(errorsOf(chart(inputs, keys)).join('\n')).toMatch(message);
  });

  it('starts with an input that must be given, as far as reading it goes', () => {
    expect(errorsOf(chart('{x: null}', 'slots: inputs.x, after: {inputs.y: b}')).join()).toContain(
      'inputs.y',
    );
    expect(errorsOf(chart('{x: null, y: null}', 'slots: inputs.x, after: {inputs.y: b}'))).toEqual([]);
  });

  it('as a sequence has inputs for its slots', () => {
    const text = (slots: string) =>
      `current_state: a\ninputs: {batch: 2}\nstates:\n  - {name: a, func: increment, slots: ${slots}, current: {key: n, value: 0}, target: {name: b, when: {key: n, value: 1}}}\n  - {name: b}\n`;
    expect(errorsOf(text('inputs.batch'))).toEqual([]);
    expect(errorsOf(text('inputs.bach')).join()).toContain('uses `inputs.bach`');
  });
});

describe('the values of a run', () => {
  const { model } = chartOf(chart('{n: 1, flag: false, text: "", any: null}', 'on: {go: b}'));

  it('have the types of the defaults, also from text', () => {
    expect(settleInputs(model, { n: '2', flag: 'true', text: '3', any: 'x' })).toEqual({
      ok: true,
      inputs: { n: 2, flag: true, text: '3', any: 'x' },
    });
    expect(settleInputs(model, { n: 'two', flag: 'yes', any: 1 })).toMatchObject({
      ok: false,
      problems: [{ input: 'n' }, { input: 'flag' }],
    });
  });

  it.each([
    ['7', 7],
    ['2.5', 2.5],
    ['-3', -3],
    ['0', 0],
    ['true', true],
    ['false', false],
    // Text that would lose something.
    ['2.10', '2.10'],
    ['1.0', '1.0'],
    ['0012', '0012'],
    ['-0', '-0'],
    ['20261124093000123', '20261124093000123'],
    ['1e3', '1e3'],
    ['0x10', '0x10'],
    ['Infinity', 'Infinity'],
    ['undefined', 'undefined'],
    ['True', 'True'],
    [' 7', ' 7'],
    ['', ''],
  ])('without a default are what their text says, and text if that is not all: %j', (text, any) => {
    expect(settleInputs(model, { any: text })).toMatchObject({ ok: true, inputs: { any } });
  });

  it('are never more than 4 KiB', () => {
    expect(settleInputs(model, { any: 1, text: 'x'.repeat(5_000) })).toMatchObject({ ok: false });
  });

  it('whatever is given: all are settled, or each wrong one is named', () => {
    const value = fc.oneof(fc.string(), fc.double({ noNaN: true }), fc.boolean(), fc.constant(null));
    const given = fc.dictionary(fc.constantFrom('n', 'flag', 'text', 'any', 'other', '__proto__'), value);
    fc.assert(
      fc.property(given, (inputs) => {
        const settled = settleInputs(model, inputs);
        if (settled.ok) {
          expect(Object.keys(settled.inputs)).toEqual(['n', 'flag', 'text', 'any']);
          expect(Object.values(settled.inputs)).not.toContain(null);
        } else expect(settled.problems.length).toBeGreaterThan(0);
        expect(settled.ok).toBe(
          settled.ok &&
            Object.keys(inputs).every((name) => name in settled.inputs) &&
            inputs.any !== undefined,
        );
      }),
    );
  });
});

describe('an amount', () => {
  const { model } = chartOf(
    chart(
      '{n: 2, share: 10%, any: null, pace: 3}',
      'slots: inputs.n, on: {go: {target: b, quorum: inputs.share}}',
    ),
  );
  const values = (given: Inputs) => {
    const settled = settleInputs(model, { any: 0, ...given });
    return settled.ok ? settled.inputs : settled.problems.map(({ message }) => message);
  };

  it('is a number or a share, whatever its default is', () => {
    expect(values({ n: '10%' })).toMatchObject({ n: '10%' });
    expect(values({ n: 'all' })).toMatchObject({ n: 'all' });
    expect(values({ n: '7' })).toMatchObject({ n: 7 });
    expect(values({ share: 'all' })).toMatchObject({ share: 'all' });
    // It keeps the type of its default: a start by a query is the same as one by the client.
    expect(values({ share: 7 })).toEqual(values({ share: '7' }));
  });

  it.each([
    [{ n: 'many' }, /^`n` must be a whole number from 1 to 1000, or a share such as 10%/],
    [{ n: '101%' }, /^`n` must be a whole number from 1 to 1000/],
    [{ n: '1001' }, /^`n` must be a whole number from 1 to 1000/],
    [{ n: 'inputs.any' }, /^`n` must be a whole number/],
    [{ n: true }, /^`n` must be a number, as its default is/],
    [{ share: 2.5 }, /^`share` must be a whole number of at least 1, or a share/],
    [{ share: true }, /^`share` must be a whole number/],
    // No amount.
    [{ pace: '10%' }, /^`pace` must be a number, as its default is/],
  ])('is nothing else: %j', (given, message) => {
    expect(values(given)).toEqual([expect.stringMatching(message)]);
  });

  it('is kept by a restart where the chart still uses it as one', () => {
    const before = { n: '10%', share: '20%', any: 1, pace: 3 };
    expect(keepInputs(model, before)).toEqual({ ok: true, inputs: before });
    const other = chartOf(chart('{n: 2}', "on: {go: {target: b, guard: 'inputs.n > 1'}}"));
    expect(keepInputs(other.model, before)).toEqual({ ok: true, inputs: { n: 2 } });
  });
});
