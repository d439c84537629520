import { readFile, rename } from 'node:fs/promises';
import { resolve } from 'node:path';
import { build, type Plugin, stop, transform } from 'esbuild';
import { DONE, type Result, refuse } from './result.ts';

/** The package's root. Paths of the package do not depend on the current folder. */
export const PACKAGE_ROOT = resolve(import.meta.dirname, '../..');

/** The files that the Worker has as text: the script and the style of the pages, and `turn.sh`. */
export const CLIENT_FILE = /\.client\.(js|css)$|\/turn\.sh$/;

/**
 * Reads a file for clients. Scripts and styles come without comments and layout, which would be 4 kB of the bundle, gzip. Names
 * stay: the scripts are sent as one module, and use each other's.
 *
 * @param path absolute.
 */
export async function clientText(path: string): Promise<string> {
  const text = await readFile(path, 'utf8');
  const [, loader] = /\.client\.(js|css)$/.exec(path) ?? [];
  if (loader !== 'js' && loader !== 'css') return text;
  const { code } = await transform(text, {
    loader,
    minifyWhitespace: true,
    minifySyntax: true,
    charset: 'utf8',
    target: 'esnext',
  });
  return code;
}

/** Imports files for clients as text. */
const clientFiles: Plugin = {
  name: 'client files',
  setup({ onLoad }) {
    onLoad({ filter: CLIENT_FILE }, async ({ path }) => ({
      contents: await clientText(path),
      loader: 'text',
    }));
  },
};

/** Modules of `yaml` that the bundle does not need, by the paths of their imports: 10 kB less, gzip. */
const OMITTED: ReadonlySet<string> = new Set([
  '../../stringify/stringifyNumber.js',
  '../../stringify/stringifyString.js',
  '../doc/anchors.js',
  '../doc/applyReviver.js',
  '../doc/createNode.js',
  '../nodes/toJS.js',
  '../stringify/stringify.js',
  '../stringify/stringifyCollection.js',
  '../stringify/stringifyDocument.js',
  '../stringify/stringifyPair.js',
  '../stringify/stringifyString.js',
  '../visit.js',
  './addPairToJSMap.js',
  './anchors.js',
  './applyReviver.js',
  './createNode.js',
  './cst-visit.js',
  './json/schema.js',
  './toJS.js',
  './visit.js',
  './yaml-1.1/binary.js',
  './yaml-1.1/merge.js',
  './yaml-1.1/omap.js',
  './yaml-1.1/pairs.js',
  './yaml-1.1/schema.js',
  './yaml-1.1/set.js',
  './yaml-1.1/timestamp.js',
]);

const omitted: Plugin = {
  name: 'omitted',
  setup({ onResolve }) {
    const path = resolve(PACKAGE_ROOT, 'src/chart/yaml-omitted.ts');
    onResolve({ filter: /^\.\.?\// }, (asked) =>
      OMITTED.has(asked.path) && /[/\\]yaml[/\\]/.test(asked.importer) ? { path } : undefined,
    );
  },
};

/**
 * Bundles the Worker, for `npm start` and for a deploy alike: `[build]` in wrangler.toml calls this. The bundle is not
 * minified, because workerd reads no source map for its stack traces; wrangler minifies it.
 *
 * @param file absolute path of the script to write; its folder is made.
 * @param entry path of the source, relative to the package's root
 * @param sourcemap `inline` for wrangler, which makes its own map from it.
 * @returns a refusal where the source does not bundle; esbuild has printed the errors to stderr.
 */
export async function bundleWorker(
  file: string,
  entry = 'src/index.ts',
  sourcemap: 'inline' | false = false,
): Promise<Result<void>> {
  // Two deploys may bundle at once, and neither reads half of a file.
  const part = `${file}.${process.pid}.js`;
  try {
    await build({
      absWorkingDir: PACKAGE_ROOT,
      entryPoints: [entry],
      outfile: part,
      bundle: true,
      format: 'esm',
      target: 'es2024',
      platform: 'browser',
      // wrangler's, and `module`: the ES modules of xstate, of which the bundle takes what is used.
      conditions: ['workerd', 'worker', 'browser', 'module'],
      external: ['cloudflare:*', 'node:*'],
      define: { 'process.env.NODE_ENV': '"production"' },
      sourcemap,
      plugins: [clientFiles, omitted],
      logLevel: 'warning',
    });
    await rename(part, file);
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
