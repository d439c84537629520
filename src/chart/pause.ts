/** A pause: nobody goes, and what is relative stands still. */
import type { Step } from './engine.ts';
import type { Snapshot, Timer } from './snapshot.ts';
import type { Pause } from './terms.ts';
import { isMoment } from './xstate-names.ts';

/** Pauses a run, or changes its pause: the relative timers stand still since the beginning of the first. */
export function pause(snapshot: Snapshot, asked: Pause): Snapshot {
  const since = snapshot.terms.paused?.since ?? asked.since;
  return { ...snapshot, terms: { ...snapshot.terms, paused: { ...asked, since } } };
}

/**
 * Ends a pause: the relative timers go on with what was left of them.
 *
 * @param at ms since the epoch.
 */
export function resume(snapshot: Snapshot, at: number): Step {
  const { paused, ...terms } = snapshot.terms;
  const idle = { ok: true, left: [], entered: [], failures: [] } as const;
  if (paused === undefined) return { ...idle, snapshot, timersSet: [], timersCleared: [] };
  const late = Math.max(0, at - paused.since);
  const moved = relativeTimers(snapshot).map((timer) => ({ ...timer, at: timer.at + late }));
  const timers = new Map(snapshot.timers);
  for (const timer of moved) timers.set(timer.id, timer);
  return {
    ...idle,
    snapshot: { ...snapshot, timers, terms },
    timersSet: moved,
    timersCleared: moved.map(({ id }) => id),
  };
}

function relativeTimers({ timers }: Snapshot): Timer[] {
  return [...timers.values()].filter(({ event }) => !isMoment(event));
}
