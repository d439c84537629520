/** A state may have any name that YAML can write, and requests use that name. */
import { describe, expect, it } from 'vitest';
import { counting, final, newChart, sequence } from '../../charts.ts';
import { ask, bodyOf, chartOf, historyOf, report, send, statusOf } from '../../service.ts';

const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'v1.2',
  '1.10',
  '#1',
  '100%',
  '%41',
  '%zz',
  'a b',
  'a+b',
  ' a ',
  'a&b=c',
  'q?x=1&y',
  'a/b',
  '../../..',
  '../..',
  '/',
  '?',
  'état',
  'e\u0301tat',
  '準備',
  '🚀',
  '👩‍👩‍👧',
  '\u0000',
  'a\u0000b',
  'line\nbreak',
  '\r\n',
  '\t',
  '\u2028',
  '\ufeff',
  '\u007f',
  '"quoted"',
  "it's",
  'null',
  'true',
  '~',
  '0',
  '-0',
  '1e3',
  's1',
  'update',
  'x'.repeat(1_024),
  '🚀'.repeat(512),
];

describe('a chart with hostile names', () => {
  it('runs from the first name to the last', async () => {
    const states = NAMES.map((name, i) => counting(name, NAMES[i + 1] ?? 'end'));
    const address = await newChart(sequence(...states, final('end')));
    for (const [i, name] of NAMES.entries()) {
      const yes = await ask(address, name);
      expect([yes.status, await bodyOf(yes)]).toEqual([200, name]);
      expect((await ask(address, NAMES[i + 1] ?? 'end')).status, name).toBe(406);
      const counted = await report(address, name);
      expect([counted.status, await bodyOf(counted)]).toEqual([200, name]);
    }
    expect((await statusOf(address)).states).toEqual(['end']);
    const { history } = await historyOf(address);
    expect(history.map(({ to }) => to).reverse()).toEqual([...NAMES, 'end'].map((name) => [name]));
  });

  it('is written as a chart that continues at the current state', async () => {
    const states = NAMES.map((name, i) => counting(name, NAMES[i + 1] ?? 'end'));
    const first = await newChart(sequence(...states, final('end')));
    for (const name of NAMES.slice(0, 20)) await report(first, name);
    const second = await newChart(await chartOf(first));
    for (const name of NAMES.slice(20)) expect((await report(second, name)).status, name).toBe(200);
    expect((await ask(second, 'end')).status).toBe(200);
  });
});

describe('a name in a query', () => {
  it('has its spaces as + or %20, and its plus as %2B', async () => {
    const address = await newChart(sequence(final('a b+c')));
    expect(await statusesOf(address, ['a+b%2Bc', 'a%20b%2Bc', 'a%20b+c', 'a+b+c'])).toEqual([
      200, 200, 406, 406,
    ]);
  });

  it('may have an unescaped percent sign before other characters', async () => {
    const address = await newChart(sequence(final('100%')));
    expect(await statusesOf(address, ['100%', '100%25', '100%2525'])).toEqual([200, 200, 406]);
  });

  it('is unescaped once', async () => {
    const address = await newChart(sequence(final('%41')));
    expect(await statusesOf(address, ['%2541', '%41', 'A'])).toEqual([200, 406, 406]);
  });

  it('ends at the fragment', async () => {
    const address = await newChart(sequence(final('a#1')));
    expect(await statusesOf(address, ['a%231', 'a#1'])).toEqual([200, 406]);
  });

  it('is compared by code points, without case folding or normalization', async () => {
    const address = await newChart(sequence(final('é')));
    expect(await statusesOf(address, ['%C3%A9', 'e%CC%81', '%C3%89'])).toEqual([200, 406, 406]);
  });

  it.each(['%', '%zz', '%ff', '%C3', '%F0%9F%9A', '%ED%A0%80', 'a%b', '%00', '&&&', '%u0041', '=', '%zz%20'])(
    'names no state if it is malformed: %s',
    async (escaped) => {
      const address = await newChart(sequence(counting('a', 'b'), final('b')));
      expect(await statusesOf(address, [escaped])).toEqual([406]);
      expect((await send('PUT', `/${address}/state?state=${escaped}`)).status).toBe(406);
    },
  );

  it('is shortened in a refusal if it is long', async () => {
    const address = await newChart(sequence(final('a')));
    const response = await ask(address, '\u0000'.repeat(5_000));
    expect(response.status).toBe(406);
    expect((await response.text()).length).toBeLessThan(2_500);
  });
});

async function statusesOf(address: string, escapedNames: readonly string[]): Promise<number[]> {
  const responses = escapedNames.map((name) => send('GET', `/${address}/state?state=${name}`));
  return (await Promise.all(responses)).map(({ status }) => status);
}
