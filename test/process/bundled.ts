/**
 * Bundles the Worker and the command line once for all servers of a test run; vitest calls it before the first test.
 *
 * Servers find both by `BUNDLED_WORKER` and `BUNDLED_CLI` (`server.ts`). The variables are also how the projects of one run
 * share them.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { bundleWorker, PACKAGE_ROOT } from '../../src/cli/bundle.ts';

/** @returns the teardown: it removes the bundles. */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.BUNDLED_WORKER !== undefined) return;
  const folder = await mkdtemp(join(tmpdir(), 'stateservice-bundle-'));
  const file = join(folder, 'worker.js');
  const bundled = await bundleWorker(file);
  if (!bundled.ok) throw new Error(bundled.lines.join('\n'));
  await bundleCli(join(folder, 'cli'));
  process.env.BUNDLED_WORKER = file;
  process.env.BUNDLED_CLI = join(folder, 'cli/cli.js');
  // https://nodejs.org/api/module.html#module-compile-cache: a start takes a quarter less of CPU.
  process.env.NODE_COMPILE_CACHE = join(folder, 'compiled');
  return async () => {
    for (const name of ['BUNDLED_WORKER', 'BUNDLED_CLI', 'NODE_COMPILE_CACHE']) delete process.env[name];
    // A command line that ends writes what it has compiled: the folder can get a file while it is removed.
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
}

/**
 * Bundles the command line: a server that starts from it takes half of the CPU. It takes the bundled Worker instead of
 * calling esbuild.
 */
async function bundleCli(outdir: string): Promise<void> {
  await build({
    entryPoints: [join(PACKAGE_ROOT, 'src/cli.ts')],
    outdir,
    bundle: true,
    // Commands are loaded on demand.
    splitting: true,
    format: 'esm',
    platform: 'node',
    // For the CommonJS of packages (https://github.com/evanw/esbuild/issues/1921).
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    alias: { esbuild: resolve(import.meta.dirname, 'kept-bundle.ts') },
    plugins: [placed],
    logLevel: 'warning',
  });
}

/** Lets a module find the files of the package where it is itself in the source. */
const placed: Plugin = {
  name: 'placed',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]src[/\\]cli\b.*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const contents = text
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href));
      return { contents, loader: 'ts' };
    });
  },
};
