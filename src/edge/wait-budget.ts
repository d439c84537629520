/** Bounds the requests that wait in one process, at all machines together. */
import { WAITS, WAITS_RETRY } from '../limits.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { Env } from './env.ts';

/**
 * The places that waiting requests take, each until it is answered, or until its time is up: Cloudflare drops the code
 * of a request whose client has left, so that nothing there gives a place back.
 */
export class WaitingPlaces {
  /** How many there are by the second in which their time is up, in order of their first. */
  readonly #byEnd = new Map<number, number>();

  /** Counts the places that are taken. At most a minute of seconds is looked at. @param now ms since the epoch */
  taken(now: number): number {
    let taken = 0;
    for (const [second, places] of this.#byEnd) {
      if (second * SECOND < now) this.#byEnd.delete(second);
      else taken += places;
    }
    return taken;
  }

  /** @param until ms since the epoch. @returns gives the place back; to be called once. */
  take(until: number): () => void {
    // Answers are late by some ms, and then still held.
    const second = Math.ceil(until / SECOND) + 1;
    this.#byEnd.set(second, (this.#byEnd.get(second) ?? 0) + 1);
    return () => {
      const places = this.#byEnd.get(second);
      if (places !== undefined) this.#byEnd.set(second, places - 1);
    };
  }
}

const SECOND = 1_000;
const places = new WaitingPlaces();

/**
 * Makes a call that may wait, if there is a place for it. A waiting request holds its connection and some 65 kB, also
 * when its client has left: workerd keeps both until the request is answered.
 *
 * @param ms how long it may wait; 0 needs no place
 */
export async function waitWithin<T>(
  { WAITS: bound }: Pick<Env, 'WAITS'>,
  ms: number,
  call: () => Promise<T>,
): Promise<T | Refusal> {
  if (ms === 0) return call();
  const now = Date.now();
  if (places.taken(now) >= (bound === undefined ? WAITS : Number(bound))) return full();
  const giveBack = places.take(now + ms);
  try {
    return await call();
  } finally {
    giveBack();
  }
}

function full(): Refusal {
  const detail = 'Too many are waiting at this service; ask without waiting, or later.';
  return refuse('too-many-waiting', detail, { retryAfter: WAITS_RETRY });
}
