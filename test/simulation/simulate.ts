/** Runs simulated worlds in a thread of their own. */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Plan } from './plan.ts';
import type { PlantedBug } from './planted-names.ts';

export interface Order {
  /** Of the first world; each next one has the next seed. */
  readonly seed: number;
  /** For how long worlds are begun, s. */
  readonly seconds: number;
  /** How many worlds at least; 1 by default. */
  readonly worlds?: number;
  /** A bug to plant. */
  readonly bug?: PlantedBug;
  /** Whether the bounds of limits.ts are small, so that worlds reach them. */
  readonly isTight?: boolean;
  /** For how long a failure is made smaller, in s. */
  readonly shrinkFor?: number;
  /** Whether the trace of the smallest failure is kept. */
  readonly isTraced?: boolean;
}

export interface Report {
  readonly worlds: number;
  /** Steps by kind. */
  readonly steps: ReadonlyMap<string, number>;
  /** Calls by what they asked, and what came of them. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** A hash of all steps of each world. */
  readonly hashes: readonly number[];
  /** Simulated ms, of all worlds. */
  readonly lasted: number;
  /** ms by the clock, and of a core. */
  readonly took: number;
  readonly cpu: number;
  readonly failure: Failure | undefined;
}

export interface Failure {
  /** Of the world that failed. */
  readonly seed: number;
  readonly violations: readonly string[];
  /** The smallest plan that fails in the same way. */
  readonly plan: Plan;
  /** ms since the beginning. */
  readonly foundAfter: number;
  readonly trace: readonly string[];
}

export function simulate(order: Order): Promise<Report> {
  const { promise, resolve, reject } = Promise.withResolvers<Report>();
  const thread = new Worker(fileURLToPath(import.meta.resolve('./thread.ts')), {
    workerData: order,
    execArgv: ['--no-warnings'],
  });
  thread.once('message', resolve);
  thread.once('error', reject);
  thread.once('exit', (code) => reject(new Error(`the thread has ended with ${code}`)));
  return promise;
}

/** @returns what a report has to say, without its failure. */
export function summaryOf({ worlds, steps, lasted, took, cpu }: Report): string {
  const total = totalOf(steps);
  const perMinute = (ms: number) => Math.round((total / ms) * 60_000).toLocaleString('en');
  const hours = (lasted / 3_600_000).toFixed(1);
  return `${worlds} worlds, ${total.toLocaleString('en')} steps, ${hours} h simulated in ${(took / 1_000).toFixed(1)} s: ${perMinute(took)} steps a minute, ${perMinute(cpu)} a minute of a core`;
}

export function totalOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** @returns a failure as text: what is wrong, and what leads to it. */
export function describeFailure({ seed, violations, plan, trace }: Failure): string {
  const parts = [...plan.actions, ...plan.faults].sort((one, other) => one.at - other.at);
  return [
    `The world of seed ${seed} fails. Repeat it: npm run test:simulation -- --seed ${seed}`,
    ...violations.slice(0, 5).map((violation) => `  ${violation}`),
    `with ${plan.actions.length} requests and ${plan.faults.length} faults, until ${plan.length.toFixed(0)} ms:`,
    ...parts.map((part) => `  ${JSON.stringify(part)}`),
    ...trace,
  ].join('\n');
}
