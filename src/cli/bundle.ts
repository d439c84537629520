import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { build, type Plugin, stop } from 'esbuild';
import { DONE, type Outcome, refuse } from './outcome.ts';

/** The package's root: what is served must not depend on the folder that the command was called in. */
export const PACKAGE_ROOT = resolve(import.meta.dirname, '../..');

/** What browsers get is text to the Worker: the rule of wrangler.toml, in esbuild's words. */
const clientFiles: Plugin = {
  name: 'client files',
  setup({ onLoad }) {
    onLoad({ filter: /\.client\.(js|css)$/ }, async ({ path }) => ({
      contents: await readFile(path, 'utf8'),
      loader: 'text',
    }));
  },
};

const YAML_OMITTED = './src/chart/yaml-omitted.ts';

/** Modules of `yaml` that the bundle does not need, as they import each other. `wrangler.toml` has the same. */
export const OMITTED = {
  '../stringify/stringify.js': YAML_OMITTED,
  '../stringify/stringifyCollection.js': YAML_OMITTED,
  '../stringify/stringifyDocument.js': YAML_OMITTED,
  '../stringify/stringifyPair.js': YAML_OMITTED,
  '../stringify/stringifyString.js': YAML_OMITTED,
  './json/schema.js': YAML_OMITTED,
  './yaml-1.1/binary.js': YAML_OMITTED,
  './yaml-1.1/omap.js': YAML_OMITTED,
  './yaml-1.1/pairs.js': YAML_OMITTED,
  './yaml-1.1/schema.js': YAML_OMITTED,
  './yaml-1.1/set.js': YAML_OMITTED,
  './yaml-1.1/timestamp.js': YAML_OMITTED,
} as const;

/** wrangler's `[alias]`: esbuild's own option takes no relative paths. */
const aliases: Plugin = {
  name: 'aliases',
  setup({ onResolve }) {
    const files = new Map<string, string>(Object.entries(OMITTED));
    onResolve({ filter: /^\.\.?\// }, ({ path }) => {
      const file = files.get(path);
      return file === undefined ? undefined : { path: resolve(PACKAGE_ROOT, file) };
    });
  },
};

/**
 * Bundles the Worker as wrangler does (its platform, its aliases), so that it is the same code as a deploy's. It is
 * not minified: stack traces are read by people, and workerd reads no source map.
 *
 * @param file absolute path of the script to write
 * @param entry of the source, from the package's root
 * @returns refused: source that does not bundle (esbuild has said on stderr why and where).
 */
export async function bundleWorker(file: string, entry = 'src/index.ts'): Promise<Outcome<void>> {
  try {
    await build({
      absWorkingDir: PACKAGE_ROOT,
      entryPoints: [entry],
      outfile: file,
      bundle: true,
      format: 'esm',
      target: 'es2024',
      platform: 'browser',
      // wrangler's, and `module`: xstate's ES modules, for which wrangler.toml has an alias.
      conditions: ['workerd', 'worker', 'browser', 'module'],
      external: ['cloudflare:*', 'node:*'],
      define: { 'process.env.NODE_ENV': '"production"' },
      plugins: [clientFiles, aliases],
      logLevel: 'warning',
    });
    return DONE;
  } catch (error) {
    // esbuild prints the errors of the source itself, and throws them all as one.
    if (error instanceof Error && 'errors' in error) return refuse(`${entry} does not bundle`);
    throw error;
  } finally {
    // Its service process would stay as long as the server does.
    await stop();
  }
}
