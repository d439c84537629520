/** The Worker with bindings to this one: `[[services]]` of its wrangler.toml as options of miniflare. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Its bindings: the machine and the rights of each. */
const BINDINGS = {
  RELEASE: { chart: 'bound/release' },
  READER: { chart: 'bound/release', can: ['read'] },
  REPORTER: { chart: 'bound/release', can: ['update'], sub: 'reporter' },
  ADMIN: { chart: 'bound/release', can: ['read', 'update', 'operate', 'admin'] },
  RUN: { chart: 'bound/release@42' },
  NOWHERE: { chart: 'bound/nowhere' },
  WRONG_CHART: { chart: '../release' },
  NO_TENANT: { chart: 'release' },
  NO_CHART: {},
  WRONG_RIGHT: { chart: 'bound/release', can: ['everything'] },
} as const;

/** @param project the vitest project whose Worker it is bound to; the plugin names that Worker after the project. */
export function callerWorker(project: string) {
  return {
    name: 'caller',
    modules: [
      {
        type: 'ESModule' as const,
        path: 'worker.js',
        contents: readFileSync(join(import.meta.dirname, 'worker.js'), 'utf8'),
      },
    ],
    compatibilityDate: '2026-11-01',
    serviceBindings: Object.fromEntries(
      Object.entries(BINDINGS).map(([name, props]) => [
        name,
        { name: `vitest-plugin-runner-${project}`, entrypoint: 'ChartBinding', props },
      ]),
    ),
  };
}
