/** Bundles the Worker for wrangler, as `[build]` in wrangler.toml says: `npm run bundle`. */
import { resolve } from 'node:path';
import { bundleWorker, PACKAGE_ROOT } from './bundle.ts';

const bundled = await bundleWorker(resolve(PACKAGE_ROOT, 'dist/bundle/index.js'), 'src/index.ts', 'inline');
if (!bundled.ok) process.exitCode = 1;
