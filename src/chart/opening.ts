/**
 * Windows, evaluated: whether work may be begun in a state, until when, and when it may be begun again.
 *
 * A window opens at each moment of its `cron`, in the time of its zone, and is open for its length of elapsed time:
 * `for: 4h` is four hours also in the night in which the clock is put forward. A time of day that the clock skips opens
 * at the moment at which the clock is put forward; one that comes twice opens the first time. Where the minute or the
 * hour has a `*`, the window opens at each such time that there is: skipped ones are left out, and repeated ones open
 * twice.
 *
 * Windows that overlap or follow each other without a gap are one. A cutoff counts from the end of all: under a window,
 * work may be begun while it is open and the state does not close within its cutoff.
 */
import { Cron } from 'croner';
import { WINDOW_SEARCHES, WINDOWS_JOINED } from '../chart-limits.ts';
import type { Model, StateModel, StateNumber, Window } from './model.ts';
import type { Snapshot } from './snapshot.ts';

/** Whether work may be begun. All times are ms since the epoch. */
export type Opening =
  /** Until `until`, at least. */
  | { readonly open: true; readonly until: number }
  /** Not before `again`; undefined if it is not open in the next thousand years. */
  | { readonly open: false; readonly again: number | undefined };

/**
 * Evaluates the windows of a state and of all states around it: it is open while, for each of these, one of its windows is.
 * The answer is kept until it changes.
 *
 * @param now ms since the epoch.
 * @returns undefined if the state has no windows.
 */
export function openingOf(
  { model }: { readonly model: Model },
  state: StateNumber,
  now: number,
): Opening | undefined {
  const nearest = windowedFrom(model, state);
  if (nearest === undefined) return undefined;
  const kept = openings.get(nearest);
  if (kept !== undefined && kept.from <= now && now < kept.to) return kept.opening;
  const opening = openingOfAll(windowsAround(model, nearest), now);
  const to = opening.open ? opening.until : (opening.again ?? Number.POSITIVE_INFINITY);
  openings.set(nearest, { from: now, to, opening });
  return opening;
}

/** A Thursday at the beginning of a year. Days of cron recur, so that the year does not matter. */
const SOME_DAY = Date.UTC(2026, 0, 1);

/** Whether a state and all states around it are open at once at some time, of those that are looked at. */
export function isEverOpen({ model }: { readonly model: Model }, state: StateNumber): boolean {
  const nearest = windowedFrom(model, state);
  if (nearest === undefined) return true;
  const all = windowsAround(model, nearest);
  const opening = openingOfAll(all, SOME_DAY);
  return opening.open || (opening.again !== undefined && openingOfAll(all, opening.again).open);
}

/** Whether work may be begun in a state. */
export interface StateOpening {
  readonly state: StateNumber;
  readonly opening: Opening;
}

/** @returns the active states for which windows hold: windows of their own, or of the states around them. */
export function openingsOf(
  program: { readonly model: Model },
  { active }: Pick<Snapshot, 'active'>,
  now: number,
): StateOpening[] {
  return [...active.keys()].flatMap((state) => {
    const opening = openingOf(program, state, now);
    return opening === undefined ? [] : [{ state, opening }];
  });
}

/** @returns when the first of them may open or close, ms since the epoch; infinity if none does. */
export function nextOpening(openings: readonly StateOpening[]): number {
  return Math.min(
    ...openings.map(({ opening }) =>
      opening.open ? opening.until : (opening.again ?? Number.POSITIVE_INFINITY),
    ),
  );
}

/** The last opening of a state that has windows, and the times for which it holds. */
const openings = new WeakMap<
  StateModel,
  { readonly from: number; readonly to: number; readonly opening: Opening }
>();

/** @returns the state itself, or the nearest state around it, that has windows. */
function windowedFrom({ states }: Model, state: StateNumber | undefined): StateModel | undefined {
  for (let at = state; at !== undefined; at = states[at]?.parent) {
    const model = states[at];
    if (model?.windows !== undefined) return model;
  }
  return undefined;
}

function windowsAround(model: Model, state: StateModel): (readonly Window[])[] {
  const all: (readonly Window[])[] = [];
  for (
    let at: StateModel | undefined = state;
    at !== undefined;
    at = at.parent === undefined ? undefined : windowedFrom(model, at.parent)
  ) {
    if (at.windows !== undefined) all.push(at.windows);
  }
  return all;
}

/** How many more moments of cron are looked for. */
interface Budget {
  searches: number;
}

/** @returns an opening of all; once the budget is spent, `again` is the last time that was tried. */
function openingOfAll(all: readonly (readonly Window[])[], now: number): Opening {
  const budget: Budget = { searches: WINDOW_SEARCHES };
  let time = now;
  while (budget.searches > 0) {
    let until = Number.POSITIVE_INFINITY;
    let later = time;
    for (const windows of all) {
      const opening = windowAt(windows, time, budget);
      if (opening.open) until = Math.min(until, opening.until);
      else if (opening.again === undefined) return opening;
      else later = Math.max(later, opening.again);
    }
    if (later === time) return time === now ? { open: true, until } : { open: false, again: time };
    time = later;
  }
  return { open: false, again: time };
}

/**
 * Evaluates a list of windows: work may be begun while it may be under one of them.
 *
 * @param now ms since the epoch.
 */
export function windowAt(
  windows: readonly Window[],
  now: number,
  budget: Budget = { searches: WINDOW_SEARCHES },
): Opening {
  const schedules = windows.map((window) => new Schedule(window, budget));
  const end = endOf(schedules, now, budget);
  const until = end > now ? admittedUntil(schedules, now, end) : now;
  if (until > now) return { open: true, until };
  // Each opening admits work: a cutoff is shorter than its window.
  const starts = schedules.map((schedule) => schedule.startAfter(now)).filter((start) => start !== undefined);
  return { open: false, again: starts.length === 0 ? undefined : Math.min(...starts) };
}

/**
 * @returns when the windows that are open at `now` close, with all that follow without a gap; `now` if none is open. A
 *   long chain is followed for as long as it decides whether a cutoff has begun.
 */
function endOf(schedules: readonly Schedule[], now: number, budget: Budget): number {
  const decided = now + Math.max(...schedules.map(({ cutoff }) => cutoff));
  let end = now;
  for (let joined = 0; joined <= WINDOWS_JOINED || end <= decided; joined++) {
    const later = Math.max(...schedules.map((schedule) => schedule.endAt(end)));
    if (later <= end || budget.searches <= 0) return Math.max(end, later);
    end = later;
  }
  return end;
}

/** @returns until when work may be begun, if all windows that follow each other close at `end`; `now` if it may not. */
function admittedUntil(schedules: readonly Schedule[], now: number, end: number): number {
  const [first, ...others] = schedules;
  // With one cutoff for all, each window leads to the next.
  if (first !== undefined && others.every(({ cutoff }) => cutoff === first.cutoff)) return end - first.cutoff;
  let until = now;
  for (let joined = 0; joined <= WINDOWS_JOINED; joined++) {
    const later = Math.max(
      ...schedules.map((schedule) => Math.min(schedule.endAt(until), end - schedule.cutoff)),
    );
    if (later <= until) return until;
    until = later;
  }
  return until;
}

/** When a window opens. Made for each evaluation: croner keeps 80 kB for a pattern. */
class Schedule {
  readonly cutoff: number;
  readonly #length: number;
  readonly #cron: Cron;
  readonly #budget: Budget;

  constructor({ cron, zone, length, cutoff }: Window, budget: Budget) {
    this.cutoff = cutoff;
    this.#length = length;
    this.#budget = budget;
    // Without a function, croner sets no timer.
    this.#cron = new Cron(cron, { timezone: zone, mode: '5-part', fixedTimeRule: 'no-wildcard' });
  }

  /** @returns when the last window that has opened until `time` closes, or has closed. */
  endAt(time: number): number {
    this.#budget.searches -= 1;
    const [start] = this.#cron.previousRuns(1, new Date(time + 1));
    return start === undefined ? Number.NEGATIVE_INFINITY : start.getTime() + this.#length;
  }

  /** @returns when it opens next; undefined if that is not in the next thousand years. */
  startAfter(time: number): number | undefined {
    this.#budget.searches -= 1;
    return this.#cron.nextRun(new Date(time))?.getTime();
  }
}
