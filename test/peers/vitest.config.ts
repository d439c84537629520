/** `npm run test:peers`: apart from the other projects, so that neither `npm test` nor the gate runs it. */
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { PEERS } from './peers.ts';

export default defineConfig({
  test: {
    name: 'peers',
    root: resolve(import.meta.dirname, '../..'),
    include: Object.values(PEERS).flatMap(({ files }) => files),
    globalSetup: ['test/process/bundled.ts', 'test/peers/fetched.ts'],
    reporters: ['default', './test/peers/report.ts'],
    // One file at a time: most peers are processes of their own beside the service.
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
