import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { build, type Plugin, stop } from 'esbuild';
import { DONE, type Result, refuse } from './result.ts';

/** The package's root. Paths of the package do not depend on the current folder. */
export const PACKAGE_ROOT = resolve(import.meta.dirname, '../..');

/** Imports files for clients as text: the rule of wrangler.toml, for esbuild. */
const clientFiles: Plugin = {
  name: 'client files',
  setup({ onLoad }) {
    onLoad({ filter: /\.client\.(js|css)$|\/turn\.sh$/ }, async ({ path }) => ({
      contents: await readFile(path, 'utf8'),
      loader: 'text',
    }));
  },
};

const YAML_OMITTED = './src/chart/yaml-omitted.ts';

/** Modules of `yaml` that the bundle does not need, by the paths of their imports. `wrangler.toml` has the same. */
export const OMITTED = {
  '../../stringify/stringifyNumber.js': YAML_OMITTED,
  '../../stringify/stringifyString.js': YAML_OMITTED,
  '../doc/anchors.js': YAML_OMITTED,
  '../doc/applyReviver.js': YAML_OMITTED,
  '../doc/createNode.js': YAML_OMITTED,
  '../nodes/toJS.js': YAML_OMITTED,
  '../stringify/stringify.js': YAML_OMITTED,
  '../stringify/stringifyCollection.js': YAML_OMITTED,
  '../stringify/stringifyDocument.js': YAML_OMITTED,
  '../stringify/stringifyPair.js': YAML_OMITTED,
  '../stringify/stringifyString.js': YAML_OMITTED,
  '../visit.js': YAML_OMITTED,
  './addPairToJSMap.js': YAML_OMITTED,
  './anchors.js': YAML_OMITTED,
  './applyReviver.js': YAML_OMITTED,
  './createNode.js': YAML_OMITTED,
  './cst-visit.js': YAML_OMITTED,
  './json/schema.js': YAML_OMITTED,
  './toJS.js': YAML_OMITTED,
  './visit.js': YAML_OMITTED,
  './yaml-1.1/binary.js': YAML_OMITTED,
  './yaml-1.1/merge.js': YAML_OMITTED,
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
 * Bundles the Worker with wrangler's platform, conditions and aliases, so that the code is that of a deploy. The bundle
 * is not minified, because workerd reads no source map for its stack traces.
 *
 * @param file absolute path of the script to write
 * @param entry path of the source, relative to the package's root
 * @returns a refusal where the source does not bundle; esbuild has printed the errors to stderr.
 */
export async function bundleWorker(file: string, entry = 'src/index.ts'): Promise<Result<void>> {
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
    // esbuild has printed the errors of the source, and throws one error for all.
    if (error instanceof Error && 'errors' in error) return refuse(`${entry} does not bundle`);
    throw error;
  } finally {
    // esbuild's service process would otherwise live as long as the server.
    await stop();
  }
}
