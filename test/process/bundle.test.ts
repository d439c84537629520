/** What is deployed: `npm run build` makes it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/cli/bundle.ts';

it('is small, which keeps starts short: under 220 kB, as it is sent', async () => {
  const { stdout } = await promisify(execFile)('npm', ['run', 'build'], { cwd: PACKAGE_ROOT });
  const kibibytes = Number(/gzip: ([\d.]+) KiB/.exec(stdout)?.[1]);
  expect(kibibytes).toBeGreaterThan(0);
  expect(kibibytes * 1024).toBeLessThan(220_000);
});
