/** The published limits: `/healthz` and the page in `docs/` give the values that hold. */
import { expect, it } from 'vitest';
import { LIMITS } from '../../src/edge/published-limits.ts';
import { send } from '../service.ts';

const [page = ''] = Object.values(
  import.meta.glob('../../docs/limits.md', { query: '?raw', import: 'default', eager: true }),
);

it('are in the answer of /healthz', async () => {
  expect(await (await send('GET', '/healthz')).json()).toEqual({ status: 'ok', limits: LIMITS });
});

it('are all in docs/limits.md, in the same order', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` +\| ([\d,]+) +\|/gm)];
  const told = rows.map(([, name, value = '']) => [name, Number(value.replaceAll(',', ''))]);
  expect(told).toEqual(Object.entries(LIMITS));
});
