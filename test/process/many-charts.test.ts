/** `check` of a large folder. */
import { readFile } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import { allowed, TIMED } from '../slowness.ts';
import { folderOf } from './charts.ts';
import { cleanUp, runCli } from './server.ts';

afterEach(cleanUp);

it('a thousand charts are read in less than five seconds', TIMED, async () => {
  const text = await readFile('charts/acme/canary.yaml', 'utf8');
  const folder = await folderOf(
    Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`acme/c${i}.yaml`, text])),
  );
  const began = performance.now();
  expect((await runCli(['check', folder])).code).toBe(0);
  const ms = performance.now() - began;
  expect(ms).toBeLessThan(allowed(ms, 5_000));
});
