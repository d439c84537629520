/** The last release, built from its commit as it was built then. */
import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PACKAGE_ROOT } from '../../../src/cli/bundle.ts';
import { WORKER_FILE } from '../../../src/cli/workerd-config.ts';
import { compatibilityOf, type Version } from './away.ts';

/** The commit of the last release. */
export const LAST_RELEASE = 'b088381db2b3fe0fe667c99ad8cc8ed57c84b1d0';

const run = promisify(execFile);

/** @returns whether this repository has the commit: a shallow clone, or a package, may not have it. */
export async function hasRelease(): Promise<boolean> {
  try {
    await run('git', ['-C', PACKAGE_ROOT, 'cat-file', '-e', `${LAST_RELEASE}^{commit}`]);
    return true;
  } catch {
    return false;
  }
}

/**
 * Builds the release, with the dependencies of this working tree. A package that only the release needs (`@dagrejs/dagre`)
 * is a development dependency until the next release.
 *
 * @param folder a new one is made in it.
 */
export async function buildRelease(folder: string): Promise<Version> {
  const tree = join(folder, 'release');
  await mkdir(tree);
  const archive = join(folder, 'release.tar');
  await run('git', ['-C', PACKAGE_ROOT, 'archive', '--output', archive, LAST_RELEASE]);
  await run('tar', ['-xf', archive, '-C', tree]);
  await symlink(join(PACKAGE_ROOT, 'node_modules'), join(tree, 'node_modules'));
  const worker = join(folder, `release-${WORKER_FILE}`);
  const build = `
    const { bundleWorker } = await import(${JSON.stringify(join(tree, 'src/cli/bundle.ts'))});
    const built = await bundleWorker(${JSON.stringify(worker)});
    if (!built.ok) throw new Error(built.lines.join('\\n'));`;
  await run(process.execPath, ['--input-type=module', '--eval', build]);
  return { worker, compatibility: await compatibilityOf(tree) };
}
