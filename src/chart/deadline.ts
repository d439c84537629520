/** Deadlines: timers after which a chart can end only in failure. */
import { FAILED_TAG, type Model, ROOT, type StateNumber } from './model.ts';
import { type IsOpen, reachableFrom } from './reach.ts';

/** A time, and when the state that waits for it was entered; ms since the epoch. */
export interface Deadline {
  readonly at: number;
  readonly since: number;
}

/** The part of a deadline's time after which it is late: what is left is shown in another colour. */
const LATE = 3 / 4;

/** Whether most of the time until a deadline is over. */
export function isLate({ at, since }: Deadline, now: number): boolean {
  return now >= since + (at - since) * LATE;
}

/** Whether a chart whose transition enters these states can end only in failure: at a final state that is tagged `failed`. */
export function leadsToFailure(model: Model, targets: readonly StateNumber[]): boolean {
  return targets.length > 0 && targets.every((target) => endsInFailure(model, target));
}

function endsInFailure(model: Model, state: StateNumber): boolean {
  let known = failures.get(model);
  if (known === undefined) {
    known = new Map();
    failures.set(model, known);
  }
  let failing = known.get(state);
  if (failing === undefined) {
    const ends = [...reachableFrom(model, [state], ALL_OPEN)].flatMap((reached) => {
      const end = model.states[reached];
      return end?.type === 'final' && end.parent === ROOT ? [end] : [];
    });
    failing = ends.length > 0 && ends.every(({ tags = [] }) => tags.includes(FAILED_TAG));
    known.set(state, failing);
  }
  return failing;
}

const ALL_OPEN: IsOpen = () => true;

/** Kept: each view of a machine asks, and the search takes time in proportion to the chart. */
const failures = new WeakMap<Model, Map<StateNumber, boolean>>();
