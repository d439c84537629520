/** The limits: what is told of them is what holds. */
import { expect, it } from 'vitest';
import { LIMITS } from '../src/limits.ts';
import { send } from './service.ts';

const [page = ''] = Object.values(
  import.meta.glob('../docs/limits.md', { query: '?raw', import: 'default', eager: true }),
);

it('are told by /healthz', async () => {
  expect(await (await send('GET', '/healthz')).json()).toEqual({ status: 'ok', limits: LIMITS });
});

it('are told by the page on them, all of them, in their order', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` +\| ([\d,]+) +\|/gm)];
  const told = rows.map(([, name, value = '']) => [name, Number(value.replaceAll(',', ''))]);
  expect(told).toEqual(Object.entries(LIMITS));
});
