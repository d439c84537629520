import { isDone, pause as pauseRun, resume as resumeRun } from '../chart/chart.ts';
import type { Accepted, Pause, Resume } from '../commands.ts';
import type { Refusal } from '../refusal.ts';
import type { Draft } from './draft.ts';
import { fireDue } from './due.ts';
import { isOver } from './refusals.ts';

/** Pauses the machine. A machine that is paused gets the new reason and end; its timers have stood still since the first. */
export function pause(draft: Draft, { by, sub, reason, until }: Pause, now: number): Accepted | Refusal {
  const { machine } = draft;
  if (isDone(machine.snapshot)) return isOver(machine);
  const asked = {
    since: now,
    ...(until === undefined ? {} : { until }),
    ...(by === undefined ? {} : { by }),
    ...(sub === undefined ? {} : { sub }),
    ...(reason === undefined ? {} : { reason }),
  };
  draft.changeTerms(pauseRun(machine.snapshot, asked));
  const notes = [reason ?? [], until === undefined ? [] : `until ${new Date(until).toISOString()}`].flat();
  draft.change(now, { cause: 'pause', event: null, state: null, by: by ?? null, sub: sub ?? null, notes });
  // A time that has passed already.
  fireDue(draft, now);
  return { ok: true, revision: draft.machine.revision };
}

/** Resumes the machine. A machine that is not paused is left as it is. */
export function resume(draft: Draft, { by, sub, reason }: Resume, now: number): Accepted {
  const { snapshot } = draft.machine;
  if (snapshot.terms.paused !== undefined) {
    const entry = {
      event: null,
      state: null,
      by: by ?? null,
      sub: sub ?? null,
      notes: reason === undefined ? [] : [reason],
    };
    const step = resumeRun(snapshot, now);
    draft.changeTerms(step.snapshot);
    draft.take(step, now, { cause: 'resume', ...entry });
    fireDue(draft, now);
  }
  return { ok: true, revision: draft.machine.revision };
}
