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
  return delay({ ...snapshot, terms }, paused === undefined ? 0 : Math.max(0, at - paused.since));
}

/**
 * Continues a run that was put back to a moment: the relative timers go on with what was left of them then. In a pause of that
 * moment they stand still until it ends, which is now if its end has passed.
 *
 * @param moment ms since the epoch, as `now`.
 */
export function continueFrom(snapshot: Snapshot, moment: number, now: number): Step {
  return delay(snapshot, snapshot.terms.paused === undefined ? now - moment : 0);
}

/** Moves the relative timers by `late` ms. */
function delay(snapshot: Snapshot, late: number): Step {
  const moved =
    late === 0 ? [] : relativeTimers(snapshot).map((timer) => ({ ...timer, at: timer.at + late }));
  const timers = new Map(snapshot.timers);
  for (const timer of moved) timers.set(timer.id, timer);
  return {
    ok: true,
    snapshot: { ...snapshot, timers },
    timersSet: moved,
    timersCleared: moved.map(({ id }) => id),
    left: [],
    entered: [],
    failures: [],
  };
}

function relativeTimers({ timers }: Snapshot): Timer[] {
  return [...timers.values()].filter(({ event }) => !isMoment(event));
}
