import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { callerWorker } from './test/binding/caller.ts';
import { writableCharts } from './test/writable-charts.ts';

/** What browsers get is text to the Worker: the rule of wrangler.toml, in Vite's words. */
const clientFiles: Plugin = {
  name: 'client files',
  enforce: 'pre',
  async resolveId(source, importer) {
    if (!/\.client\.(js|css)$/.test(source) || importer === undefined) return null;
    // Under another name than one that Vite knows what to do with.
    return `\0text:${join(dirname(importer), source)}.text`;
  },
  async load(id) {
    if (!id.startsWith('\0text:')) return null;
    const text = await readFile(id.slice('\0text:'.length, -'.text'.length), 'utf8');
    return `export default ${JSON.stringify(text)};`;
  },
};

/** What fuzz tests read as `FUZZ` (test/fuzz.ts): workerd has no environment variables of the process. */
const fuzz = {
  runs: Number(process.env.FUZZ_RUNS ?? 1_000),
  seed: Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31)),
};

export default defineConfig({
  test: {
    projects: [
      {
        // Everything that can run inside workerd does, with real storage.
        plugins: [
          clientFiles,
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              // Tests put their own charts behind the Worker's binding; the real folder is beside it.
              assets: { directory: 'charts', binding: 'BUNDLE' },
              bindings: { AUTH: 'open' },
              ratelimits: { FEW_REQUESTS: { namespace_id: '1', simple: { limit: 5, period: 60 } } },
              serviceBindings: { CHARTS: writableCharts('charts'), CALLER: 'caller' },
              // Another Worker, whose wrangler.toml would have the same in `[[services]]`.
              workers: [callerWorker('workerd')],
            },
          }),
        ],
        test: {
          name: 'workerd',
          // One isolate for all files, which is twice as fast: each test has addresses of its own.
          isolate: false,
          testTimeout: 30_000,
          provide: { fuzz },
          include: ['test/**/*.test.ts'],
          exclude: ['test/process/**', 'test/browser/**', 'test/fault/**'],
        },
      },
      {
        // What starts a server process, kills it and looks at its files.
        test: {
          name: 'process',
          include: ['test/process/**/*.test.ts'],
          globalSetup: 'test/process/bundled.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // What kills servers at random, and what judges them: the judge is tested, too.
        test: {
          name: 'faults',
          include: ['test/fault/**/*.test.ts'],
          globalSetup: 'test/process/bundled.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // What opens pages in Chromium, at /usr/bin/chromium or where CHROMIUM says.
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          globalSetup: 'test/process/bundled.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
