/** Restarts workerd where it ends by itself, with exponential backoff. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DONE, type Refusal, type Result, refuse } from './result.ts';
import type { Workerd } from './workerd.ts';

/** The delay before a restart, in ms; it doubles each time. */
const DELAY_MIN = 100;
const DELAY_MAX = 10_000;
/** The uptime after which the delay starts again at its minimum, in ms. */
const STABLE_AFTER = 60_000;
/** Failed starts in a row after which the command ends, some 40 s, so that its supervisor notices. */
const ATTEMPTS = 10;

/**
 * Waits for the end of workerd, and restarts it until `stopping` aborts. Every acknowledged change is on disk, so a crash
 * loses only the requests in flight.
 *
 * @param first a running workerd
 * @param start starts another one on the same port
 * @returns a refusal where workerd cannot be started again.
 */
export async function superviseWorkerd(
  first: Workerd,
  start: () => Promise<Result<Workerd>>,
  stopping: AbortSignal,
): Promise<Result<void>> {
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
    if (performance.now() - startedAt > STABLE_AFTER) delay = DELAY_MIN;
    say(`workerd ended: ${end}; restarting in ${delay / 1_000} s`);
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
      for (const line of again.lines) console.error(`${line}; next attempt in ${delay / 1_000} s`);
    }
    refused = 0;
    startedAt = performance.now();
    say('workerd has restarted');
  }
}

const STOPPED = Symbol('stopped');

function abortOf(signal: AbortSignal): Promise<typeof STOPPED> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(STOPPED);
    signal.addEventListener('abort', () => resolve(STOPPED), { once: true });
  });
}

/** @returns false where the signal aborted the pause. */
function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal }).catch(() => false);
}

function givingUp({ lines, ...last }: Refusal): Refusal {
  return { ...last, lines: [...lines, ...refuse(`workerd did not start ${ATTEMPTS} times in a row`).lines] };
}

function say(what: string): void {
  console.error(`stateservice: ${what}`);
}
