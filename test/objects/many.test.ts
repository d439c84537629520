/** Many callers at once, and hostile names of callers. */
import { expect, it } from 'vitest';
import { counting, final, newChart, sequence } from '../charts.ts';
import { inStorage, send } from '../service.ts';
import { claim, documentOf, holdersOf, put, storyOf } from './callers.ts';

const CLAIMERS = 200;

it('of 200 callers that claim one slot at once, one gets it', async () => {
  const address = await newChart(sequence({ ...counting('work', 'done', 9), slots: 1 }, final('done')));
  const names = Array.from({ length: CLAIMERS }, (_, i) => `web-${i}`);
  const answers = await Promise.all(names.map((name) => claim(address, 'work', name)));
  const winners = names.filter((_, i) => answers[i]?.status === 200);
  expect(winners).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 406)).toHaveLength(CLAIMERS - 1);
  expect(await holdersOf(address)).toEqual(winners);
});

const NAMES = [
  "' OR 1=1 --",
  "'); DROP TABLE receipt; --",
  '"; DELETE FROM machine; --',
  "x' UNION SELECT snapshot FROM machine --",
  '%27%20OR%201=1',
  '*',
  'by/1/["update","a"]',
  '["update","a"]',
  '<script>alert(1)</script>',
  `{{constructor.constructor('return 1')()}}`,
  '__proto__',
  '\u0000\r\nSet-Cookie: a=b',
  '../../default',
];

it('hostile names are only names: each counts once, as it was sent', async () => {
  const address = await newChart(sequence(counting('work', 'done', 99), final('done')));
  for (const by of [...NAMES, ...NAMES]) {
    expect((await put(address, 'work', { by, key: encodeURI(by) })).status, by).toBe(200);
  }
  expect((await documentOf(address)).quorums).toMatchObject([{ have: NAMES.length, by: NAMES }]);
  expect((await storyOf(address)).flatMap(({ by }) => by ?? [])).toEqual(NAMES);
  const tables = await inStorage(address, ({ sql }) =>
    sql.exec<{ rows: number }>('SELECT count(*) AS rows FROM receipt').one(),
  );
  expect(tables.rows).toBe(2 * NAMES.length);
  expect((await send('GET', `/${address}`, { headers: { Accept: 'text/html' } })).status).toBe(200);
});
