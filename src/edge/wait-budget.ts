/** Bounds the requests that wait or watch in one process, for all machines together. */
import { WAIT_MAX, WAITS, WAITS_RETRY } from '../limits.ts';
import { watchCount } from '../objects/watch-count.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { roomFor } from '../slices.ts';
import type { Env } from './env.ts';

/**
 * Places for waiting requests. A place is taken until the request is answered or its time is up: Cloudflare stops the
 * code of a request whose client has left, so it may never give its place back.
 */
export class WaitingPlaces {
  /** The number of places by the second in which their time is up, s since the epoch. */
  readonly #byEnd = new Map<number, number>();

  /** Counts the taken places; they have at most 60 different seconds. @param now ms since the epoch */
  taken(now: number): number {
    let taken = 0;
    for (const [second, places] of this.#byEnd) {
      if (second * SECOND < now) this.#byEnd.delete(second);
      else taken += places;
    }
    return taken;
  }

  /** Takes a place. @param until ms since the epoch. @returns a function that gives it back; call it once. */
  take(until: number): () => void {
    // A response may be some ms late, and keeps its place until then.
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

/** How many requests wait at each machine, by its name, in a process with a bound. */
const waitedAt = new Map<string, number>();

/**
 * The files of an object that is awake, in places: workerd has three open (observed with 1.20261102.1), and a place is for the two
 * descriptors of a connection. And how much places and files may take together, in shares of the bound: it is half of all
 * descriptors, so three quarters of them.
 */
const FILES = 1.5;
const SHARE = 1.5;

/**
 * Makes a call that may wait, if a place is free. A waiting request keeps its connection and some 45 kB, also after its
 * client has left: workerd frees both when the request is answered.
 *
 * @param machine its name.
 * @param ms how long it may wait; 0 needs no place.
 */
export async function waitWithin<T>(
  { WAITS: bound }: Pick<Env, 'WAITS'>,
  machine: string,
  ms: number,
  call: () => Promise<T>,
): Promise<T | Refusal> {
  if (ms === 0) return call();
  const now = Date.now();
  // Cloudflare sets no bound: it moves objects with their WebSockets to other isolates, and has no shared descriptors.
  const taken = places.taken(now) + (bound === undefined ? 0 : watchCount.total);
  if (taken >= Number(bound ?? WAITS)) return full();
  const isNew = bound !== undefined && !waitedAt.has(machine);
  if (isNew && taken + FILES * (waitedAt.size + watchCount.objects) >= SHARE * Number(bound)) return full();
  const giveBack = places.take(now + ms);
  if (bound !== undefined) countAt(machine, 1);
  try {
    return await call();
  } finally {
    giveBack();
    if (bound !== undefined) countAt(machine, -1);
  }
}

function countAt(machine: string, change: 1 | -1): void {
  const waits = (waitedAt.get(machine) ?? 0) + change;
  if (waits > 0) waitedAt.set(machine, waits);
  else waitedAt.delete(machine);
}

/**
 * Opens a watch, if a place is free. The call takes a place itself, which it gives back when the object has counted the
 * watch: many watches that open at once cannot exceed the bound.
 */
export function openWithin<T>(
  env: Pick<Env, 'WAITS'>,
  machine: string,
  open: () => Promise<T>,
): Promise<T | Refusal> {
  return waitWithin(env, machine, WAIT_MAX, async () => {
    await roomFor(OPENING);
    return open();
  });
}

/** The units of opening a watch (`slices.ts`), some 0.5 ms: hundreds that open at once leave room for other requests. */
const OPENING = 25;

function full(): Refusal {
  const detail = 'Too many requests wait or watch at this service; ask without waiting, or later.';
  return refuse('too-many-waiting', detail, { retryAfter: WAITS_RETRY });
}
