import { expect, it } from 'vitest';
import { chartSchema } from '../../src/chart/schema.ts';

it('publishes the JSON Schema that the shapes give (npx vitest run -u writes it anew)', async () => {
  await expect(`${JSON.stringify(chartSchema(), null, 2)}\n`).toMatchFileSnapshot('../../charts/schema.json');
});
