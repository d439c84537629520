/** The bundle of a deploy, made by `npm run build`. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { clientText, PACKAGE_ROOT } from '../../src/cli/bundle.ts';

const VIEW = join(PACKAGE_ROOT, 'src/view');

let stdout: string;
beforeAll(async () => {
  ({ stdout } = await promisify(execFile)('npm', ['run', 'build'], { cwd: PACKAGE_ROOT }));
}, 120_000);

it('has less than 292 kB with gzip, which keeps starts short', () => {
  const kibibytes = Number(/gzip: ([\d.]+) KiB/.exec(stdout)?.[1]);
  expect(kibibytes).toBeGreaterThan(0);
  expect(kibibytes * 1024).toBeLessThan(292_000);
});

it('has maps from its code to the lines of the source', async () => {
  const { sources } = JSON.parse(await readFile(join(PACKAGE_ROOT, 'dist/index.js.map'), 'utf8'));
  expect(sources).toContainEqual(expect.stringMatching(/\/src\/objects\/machine\.ts$/));
});

it('has the scripts of the pages without comments, and with the names by which they use each other', async () => {
  const files = (await readdir(VIEW)).filter((name) => name.endsWith('.client.js'));
  expect(files.length).toBeGreaterThan(3);
  for (const file of files) {
    const source = await readFile(join(VIEW, file), 'utf8');
    const text = await clientText(join(VIEW, file));
    const names = [...source.matchAll(/^(?:export )?(?:async )?(?:function|const|let) (\w+)/gm)].map(
      ([, name]) => name,
    );
    expect(names.length, file).toBeGreaterThan(1);
    for (const name of names) expect(text, file).toMatch(new RegExp(`\\b${name}\\b`));
    expect(text, file).not.toMatch(/\/\*\*|^\s*\/\//m);
  }
});
