/** Deadlines: timers after which a chart can end only in failure. */

import type { Program } from './compile.ts';
import { leadsToFailure } from './failing.ts';
import { meaningOf } from './queries.ts';
import { runningTimers, type Snapshot, type Timer } from './snapshot.ts';

/** A time, and when the state that waits for it was entered; ms since the epoch. */
export interface Deadline {
  readonly at: number;
  readonly since: number;
}

/** The part of a deadline's time after which it is late: what is left is shown in another colour. */
const LATE = 3 / 4;

/** Whether most of the time until a deadline is over. */
export function isLate(deadline: Deadline, now: number): boolean {
  return now >= lateAt(deadline);
}

/** @returns from when on it is late, ms since the epoch. */
export function lateAt({ at, since }: Deadline): number {
  return Math.ceil(since + (at - since) * LATE);
}

/** @returns when the state of a timer was entered, if the timer is a deadline; else undefined. */
export function sinceOf(program: Program, { active }: Snapshot, timer: Timer): number | undefined {
  const meaning = meaningOf(program, timer);
  if (meaning === undefined || !leadsToFailure(program.model, meaning.targets)) return undefined;
  return active.get(meaning.state)?.since;
}

/** @returns the first deadline that no pause holds. */
export function nextDeadline(program: Program, snapshot: Snapshot): Deadline | undefined {
  const deadlines = [...runningTimers(snapshot)].flatMap((timer) => {
    const since = sinceOf(program, snapshot, timer);
    return since === undefined ? [] : [{ at: timer.at, since }];
  });
  return deadlines.sort((a, b) => a.at - b.at)[0];
}
