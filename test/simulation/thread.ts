/** A thread that runs simulated worlds. It has the platform's globals and modules to itself. */
import { registerHooks } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { Order, Report } from './simulate.ts';

const {
  seed,
  seconds,
  worlds: least = 1,
  bug,
  shrinkFor = 20,
  isTraced = false,
  isTight = false,
}: Order = workerData;

/** Bounds that a world of `isTight` reaches. */
const TIGHT: Readonly<Record<string, number>> = {
  HISTORY_ROWS: 400,
  RECEIPTS: 20,
  RECEIPTS_SLACK: 3,
  NOTIFICATIONS: 60,
};

/** Gives the bounds of limits.ts other values. */
function tightened(source: string): string {
  return Object.entries(TIGHT).reduce((text, [name, value]) => {
    const line = new RegExp(`^export const ${name} = .*;$`, 'm');
    if (!line.test(text)) throw new Error(`limits.ts has no ${name}`);
    return text.replace(line, `export const ${name} = ${value};`);
  }, source);
}

const WORKERS_MODULE = new URL('./workers-module.ts', import.meta.url).href;

registerHooks({
  load: (url, context, next) => {
    const loaded = next(url, context);
    if (!isTight || !url.endsWith('/src/limits.ts')) return loaded;
    return { ...loaded, source: tightened(String(loaded.source)) };
  },
  resolve: (specifier, context, next) => {
    if (specifier === 'cloudflare:workers') return { url: WORKERS_MODULE, shortCircuit: true };
    const resolved = next(specifier, context);
    // Another isolate has modules of the edge of its own, with all that they keep.
    const isolate = context.parentURL?.match(/\?isolate=.*$/)?.[0];
    const isEdge = resolved.url.includes('/src/edge/');
    return isolate !== undefined && isEdge ? { ...resolved, url: resolved.url + isolate } : resolved;
  },
});
// Before they are the simulated ones.
const clock = performance.now.bind(performance);
const { run } = await import('./world.ts');
const { planOf } = await import('./plan.ts');
const { shrink } = await import('./shrink.ts');
const { PLANTS } = await import('./planted-bugs.ts');

const bugs = bug === undefined ? {} : PLANTS[bug]();
const begun = clock();
const started = process.cpuUsage();
const cpuBefore = (started.user + started.system) / 1_000;
const steps = new Map<string, number>();
const outcomes = new Map<string, number>();
const hashes: number[] = [];
let [worlds, lasted] = [0, 0];
let failure: Report['failure'];
do {
  const plan = planOf(seed + worlds);
  const result = await run(plan, { bugs, isTight });
  worlds += 1;
  lasted += result.lasted;
  hashes.push(result.hash);
  for (const [kind, count] of result.stepsOf) steps.set(kind, (steps.get(kind) ?? 0) + count);
  for (const [kind, count] of result.outcomes) outcomes.set(kind, (outcomes.get(kind) ?? 0) + count);
  if (result.violations.length > 0) {
    const found = clock() - begun;
    const end = clock() + shrinkFor * 1_000;
    const smallest = await shrink(plan, { bugs, isTight }, () => clock() >= end);
    const trace: string[] = [];
    const { violations } = await run(smallest, {
      bugs,
      isTight,
      ...(isTraced ? { trace: (line: string) => trace.push(line) } : {}),
    });
    failure = { seed: plan.seed, violations, plan: smallest, foundAfter: found, trace };
  }
} while (failure === undefined && (worlds < least || clock() - begun < seconds * 1_000));
const { user, system } = process.cpuUsage();
const took = clock() - begun;
const report: Report = {
  worlds,
  steps,
  outcomes,
  hashes,
  lasted,
  took,
  cpu: (user + system) / 1_000 - cpuBefore,
  failure,
};
parentPort?.postMessage(report);
