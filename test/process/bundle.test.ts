/** What is deployed. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/cli/bundle.ts';
import { cleanUp, temporaryFolder } from './server.ts';

afterEach(cleanUp);

it('is small, which keeps starts short: under 200 kB, as it is sent', async () => {
  const wrangler = join(PACKAGE_ROOT, 'node_modules/.bin/wrangler');
  const folder = await temporaryFolder();
  const { stdout } = await promisify(execFile)(wrangler, ['deploy', '--dry-run', '--outdir', folder], {
    cwd: PACKAGE_ROOT,
  });
  const kibibytes = Number(/gzip: ([\d.]+) KiB/.exec(stdout)?.[1]);
  expect(kibibytes).toBeGreaterThan(0);
  expect(kibibytes * 1024).toBeLessThan(200_000);
});
