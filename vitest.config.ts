import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import type { Plugin } from 'vite';
import { defineConfig, type TestUserConfig } from 'vitest/config';
import { CLIENT_FILE, clientText } from './src/cli/bundle.ts';
import { callerWorker } from './test/edge/binding/caller.ts';
import { HOOKS, withHooks } from './test/hooks.ts';
import { outside } from './test/outside.ts';
import { writableCharts } from './test/writable-charts.ts';

/** Imports files for clients as text, as the bundle has them. */
const clientFiles: Plugin = {
  name: 'client files',
  enforce: 'pre',
  async resolveId(source, importer) {
    if (!CLIENT_FILE.test(source) || importer === undefined) return null;
    // Under another name than one that Vite knows what to do with.
    return `\0text:${join(dirname(importer), source)}.text`;
  },
  async load(id) {
    if (!id.startsWith('\0text:')) return null;
    const text = await clientText(id.slice('\0text:'.length, -'.text'.length));
    return `export default ${JSON.stringify(text)};`;
  },
};

/** What fuzz tests read as `FUZZ` (test/fuzz.ts): workerd has no environment variables of the process. */
const fuzz = {
  runs: Number(process.env.FUZZ_RUNS ?? 1_000),
  seed: Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31)),
};

/** How long the simulation runs in s, and the seed of its first world, another one in each run. */
const simulation = {
  seconds: Number(process.env.SIMULATION_SECONDS ?? 20),
  seed: Number(process.env.SIMULATION_SEED ?? Math.floor(Math.random() * 2 ** 31)),
};

/** Files that run side by side, in the first group: most wait for timers and processes half of the time, so four share two cores. */
const sideBySide = { maxWorkers: Math.max(4, availableParallelism() - 1), sequence: { groupOrder: 0 } };
/** Files that run after these, one at a time. */
const alone = { maxWorkers: 1, sequence: { groupOrder: 1 } };

/** Files that take the whole machine, hold the times of servers and commands, or compare what they measure with what they have measured before. */
const LOAD = [
  'test/process/coordination/waiters.test.ts',
  'test/process/far/distance.test.ts',
  'test/process/hostile.test.ts',
  'test/process/long-work.test.ts',
  'test/process/many-charts.test.ts',
  'test/process/soak.test.ts',
];

/** Files whose tests hold times of CPU against bounds: another file would take half of a core from them. */
const MEASURED = [
  'test/chart/bounds.test.ts',
  'test/chart/growth.test.ts',
  'test/chart/opening.test.ts',
  'test/chart/statechart/bounds.test.ts',
  'test/objects/growth.test.ts',
  'test/view/layout-slices.test.ts',
  'test/view/line-diff.test.ts',
];

/** Files that start processes, or run in plain Node. `npm run test:peers` runs its own. */
const OUTSIDE = ['browser', 'fault', 'peers', 'process', 'simulation'].map((folder) => `test/${folder}/**`);

/** A project whose tests run inside workerd, with real storage. */
function inWorkerd(name: string, test: TestUserConfig) {
  return {
    plugins: [
      clientFiles,
      cloudflareTest({
        main: './src/index.ts',
        wrangler: { configPath: './wrangler.toml' },
        miniflare: {
          // Tests put their own charts behind the Worker's binding; the real folder is beside it.
          assets: { directory: 'charts', binding: 'BUNDLE' },
          bindings: { AUTH: 'open', ...HOOKS },
          ratelimits: { FEW_REQUESTS: { namespace_id: '1', simple: { limit: 5, period: 60 } } },
          serviceBindings: { CHARTS: writableCharts('charts'), CALLER: 'caller' },
          outboundService: withHooks(outside()),
          // Another Worker, whose wrangler.toml would have the same in `[[services]]`.
          workers: [callerWorker(name)],
        },
      }),
    ],
    // One isolate a worker for all its files, which is twice as fast: each test has addresses of its own.
    // With more inputs than usual, a test may take longer.
    test: {
      name,
      isolate: false,
      testTimeout: 90_000 * Math.max(1, fuzz.runs / 1_000),
      hookTimeout: 60_000,
      provide: { fuzz },
      ...test,
    },
  };
}

/** What projects share whose tests start server processes. Their files share the modules of a worker: each saves half a second. */
const servers = {
  globalSetup: 'test/process/bundled.ts',
  isolate: false,
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

export default defineConfig({
  test: {
    projects: [
      // Everything that can run inside workerd does.
      inWorkerd('workerd', {
        include: ['test/**/*.test.ts'],
        exclude: [...OUTSIDE, ...MEASURED],
        ...sideBySide,
      }),
      // What is held to a time there.
      // A shared host can slow down for seconds: what is too slow is measured anew.
      inWorkerd('measured', { include: MEASURED, ...alone, retry: 2 }),
      {
        // What starts a server process, kills it and looks at its files.
        test: {
          name: 'process',
          include: ['test/process/**/*.test.ts'],
          exclude: LOAD,
          ...servers,
          ...sideBySide,
        },
      },
      {
        // The service's own code on a simulated platform, in threads of plain Node.
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          provide: { fuzz, simulation },
          ...sideBySide,
        },
      },
      {
        // What judges servers that are killed at random: the judge is tested, too.
        test: {
          name: 'faults',
          include: ['test/fault/**/*.test.ts'],
          provide: { fuzz },
          ...servers,
          ...sideBySide,
        },
      },
      {
        // What opens pages in Chromium: Debian's, or the one at CHROMIUM.
        test: { name: 'browser', include: ['test/browser/**/*.test.ts'], ...servers, ...sideBySide },
      },
      {
        // Many waiters, hostile clients, distance, and load without an end.
        test: { name: 'load', include: LOAD, ...servers, ...alone },
      },
    ],
  },
});
