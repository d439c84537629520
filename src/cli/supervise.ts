/** Keeps workerd running: one that ends by itself is started again, ever more slowly. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DONE, type Outcome, type Refusal, refuse } from './outcome.ts';
import type { Workerd } from './workerd.ts';

/** Before a start, in ms: doubled from one to the next. */
const DELAY_MIN = 100;
const DELAY_MAX = 10_000;
/** How long workerd must have run for its end to count as the first of a new series, in ms. */
const STEADY = 60_000;
/** Starts in a row that may be refused before the command gives up, after some 40 s: a supervisor is to see that. */
const ATTEMPTS = 10;

/**
 * Waits for the end of a running workerd, and starts another in its place until it is told to stop. What was answered
 * is on the disk, so nothing is lost but the requests under way.
 *
 * @param first already answers
 * @param start starts another one, on the same port
 * @returns refused: workerd cannot be started again.
 */
export async function superviseWorkerd(
  first: Workerd,
  start: () => Promise<Outcome<Workerd>>,
  stopping: AbortSignal,
): Promise<Outcome<void>> {
  const stopped = abortOf(stopping);
  let workerd = first;
  let delay = DELAY_MIN;
  let startedAt = performance.now();
  let refused = 0;
  for (;;) {
    const end = await Promise.race([stopped, workerd.ended]);
    if (end === STOPPED) {
      await workerd.stop();
      return DONE;
    }
    if (performance.now() - startedAt > STEADY) delay = DELAY_MIN;
    say(`workerd ended by itself: ${end}; it is started again in ${delay / 1_000} s`);
    for (;;) {
      if (!(await pause(delay, stopping))) return DONE;
      delay = Math.min(2 * delay, DELAY_MAX);
      const again = await start();
      if (stopping.aborted) {
        if (again.ok) await again.value.stop();
        return DONE;
      }
      if (again.ok) {
        workerd = again.value;
        break;
      }
      refused += 1;
      if (refused === ATTEMPTS) return givingUp(again);
      for (const line of again.lines) console.error(`${line}; the next try is in ${delay / 1_000} s`);
    }
    refused = 0;
    startedAt = performance.now();
    say('workerd answers again');
  }
}

const STOPPED = Symbol('stopped');

function abortOf(signal: AbortSignal): Promise<typeof STOPPED> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(STOPPED);
    signal.addEventListener('abort', () => resolve(STOPPED), { once: true });
  });
}

/** @returns false where it was told to stop before its time was up. */
function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal }).catch(() => false);
}

function givingUp({ lines, ...last }: Refusal): Refusal {
  return { ...last, lines: [...lines, ...refuse(`workerd did not start ${ATTEMPTS} times in a row`).lines] };
}

function say(what: string): void {
  console.error(`stateservice: ${what}`);
}
