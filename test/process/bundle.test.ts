/** The bundle of a deploy, made by `npm run build`. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'smol-toml';
import { expect, it } from 'vitest';
import { OMITTED, PACKAGE_ROOT } from '../../src/cli/bundle.ts';

it('has less than 300 kB with gzip, which keeps starts short', async () => {
  const { stdout } = await promisify(execFile)('npm', ['run', 'build'], { cwd: PACKAGE_ROOT });
  const kibibytes = Number(/gzip: ([\d.]+) KiB/.exec(stdout)?.[1]);
  expect(kibibytes).toBeGreaterThan(0);
  expect(kibibytes * 1024).toBeLessThan(300_000);
});

it('leaves out of `npm start` what a deploy leaves out', async () => {
  const { alias } = parse(await readFile(join(PACKAGE_ROOT, 'wrangler.toml'), 'utf8'));
  expect(alias).toEqual({ xstate: './node_modules/xstate/dist/xstate.esm.js', ...OMITTED });
});
