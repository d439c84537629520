/** The package as it is installed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { PACKAGE } from './docs/pages.ts';

/** Without an address, npm takes a package from its configured registry. */
const Locked = z.object({
  integrity: z.string().startsWith('sha512-'),
  resolved: z.string().startsWith('https://registry.npmjs.org/').optional(),
});

it('is locked: each package has its hash, also those for other platforms', async () => {
  const { packages }: { packages: Record<string, unknown> } = JSON.parse(
    await readFile(join(PACKAGE, 'package-lock.json'), 'utf8'),
  );
  const { '': own, ...others } = packages;
  expect(own).toBeDefined();
  const wrong = Object.entries(others).filter(([, entry]) => !Locked.safeParse(entry).success);
  expect(wrong).toEqual([]);
});
