/**
 * Bundles the Worker once for all servers of a test run, and lets Node compile the command line once; vitest calls it
 * before the first test.
 *
 * Servers find the bundle by `BUNDLED_WORKER` (`server.ts`). The variable is also how the projects of one run share it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorker } from '../../src/cli/bundle.ts';

/** @returns the teardown: it removes the bundle. */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.BUNDLED_WORKER !== undefined) return;
  const folder = await mkdtemp(join(tmpdir(), 'stateservice-bundle-'));
  const file = join(folder, 'worker.js');
  const bundled = await bundleWorker(file);
  if (!bundled.ok) throw new Error(bundled.lines.join('\n'));
  process.env.BUNDLED_WORKER = file;
  // https://nodejs.org/api/module.html#module-compile-cache: a start takes a quarter less of CPU.
  process.env.NODE_COMPILE_CACHE = join(folder, 'compiled');
  return async () => {
    delete process.env.BUNDLED_WORKER;
    delete process.env.NODE_COMPILE_CACHE;
    // A command line that ends writes what it has compiled: the folder can get a file while it is removed.
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
}
