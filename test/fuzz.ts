/** How much the tests with random input try: vitest.config.ts reads it from the environment. */
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    readonly fuzz: { readonly runs: number; readonly seed: number };
  }
}

/**
 * `runs`: how many inputs a fuzz test tries (`FUZZ_RUNS`). `seed`: the first random number of all of them, another one in
 * each run. A failure prints it, and `FUZZ_SEED` repeats it.
 */
export const FUZZ = inject('fuzz');

/** `FUZZ_RUNS` of `npm test` (vitest.config.ts). */
const USUAL = 1_000;

/** Whether this is a run of the long tests: more than the usual number of inputs. */
export const IS_LONG = FUZZ.runs > USUAL;

/** How many inputs a test tries that usually tries `usual`, because each takes longer than most. */
export function inputsOf(usual: number): number {
  return Math.ceil((usual * FUZZ.runs) / USUAL);
}

/** How long a test may take with `inputsOf`, or `FUZZ.runs`, inputs, if it usually may take `usual`; ms. */
export function timeOf(usual: number): number {
  return usual * Math.max(1, FUZZ.runs / USUAL);
}
