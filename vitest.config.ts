import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { callerWorker } from './test/binding/caller.ts';
import { writableCharts } from './test/writable-charts.ts';

export default defineConfig({
  test: {
    projects: [
      {
        // Everything that can run inside workerd does, with real storage.
        plugins: [
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
          include: ['test/**/*.test.ts'],
          exclude: ['test/process/**'],
        },
      },
      {
        // What starts a server process, kills it and looks at its files.
        test: {
          name: 'process',
          include: ['test/process/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
