import { override as moveTo } from '../chart/chart.ts';
import type { Accepted, Override } from '../commands.ts';
import type { Refusal } from '../refusal.ts';
import type { Draft } from './draft.ts';
import { fireDue } from './due.ts';
import { findState } from './lookup.ts';
import { checkRevision, notDone } from './refusals.ts';

/** Moves the machine by hand to a state, from any state, also while it is paused, and from its end. */
export function override(
  draft: Draft,
  { to, reason, by, sub, revisions }: Override,
  now: number,
): Accepted | Refusal {
  const { machine } = draft;
  const found = findState(machine, to);
  if (!found.ok) return found;
  const otherRevision = checkRevision(machine, revisions, draft.matchedRevision);
  if (otherRevision !== undefined) return otherRevision;
  const entry = { event: null, state: draft.nameOf(found.state), by: by ?? null, sub: sub ?? null };
  const step = moveTo(machine.chart, machine.snapshot, found.state, now);
  if (!step.ok) {
    const notes = [reason, step.detail, ...step.failures];
    draft.note(now, { cause: 'refused', ...entry, notes });
    // An override is taken by a transition of its own.
    if (step.reason === 'not-taken') throw new Error(`an override to ${to} was not taken`);
    return notDone(machine, 'override', step.reason, step.detail);
  }
  draft.take(step, now, { cause: 'override', ...entry, notes: [reason, ...step.failures] });
  // Timers of the states that it entered may be due already.
  fireDue(draft, now);
  return { ok: true, revision: draft.machine.revision };
}
