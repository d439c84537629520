import {
  type Claim,
  dropTimer,
  eventOfTimer,
  fire,
  nextDue,
  nextToExpire,
  resume,
  type Timer,
} from '../chart/chart.ts';
import { TIMER_COST } from '../limits.ts';
import type { Draft } from './draft.ts';

/** Fires the timers and ends the leases that are due, the earliest first, as many as the turn may. */
export function fireDue(draft: Draft, now: number): void {
  const { timers } = draft;
  while (timers.isOpen) {
    const { snapshot, claims, chart } = draft.machine;
    const timer = nextDue(snapshot, now);
    const claim = nextToExpire(claims);
    const expired = claim !== undefined && claim.until <= now ? claim : undefined;
    const end = snapshot.terms.paused?.until ?? Number.POSITIVE_INFINITY;
    if (end <= Math.min(now, timer?.at ?? now, expired?.until ?? now)) resumeByItself(draft, end);
    else if (expired !== undefined && (timer === undefined || expired.until < timer.at))
      expire(draft, expired);
    else if (timer !== undefined) fireTimer(draft, timer);
    else return;
    timers.spend(TIMER_COST + chart.evaluator.spent);
  }
}

function resumeByItself(draft: Draft, end: number): void {
  const { snapshot, changedAt } = draft.machine;
  // A pause whose end has passed when it arrives may follow another one: the machine was paused until now.
  const at = Math.max(end, changedAt);
  const entry = { event: null, state: null, by: null, sub: null, notes: ['the time of the pause is over'] };
  const step = resume(snapshot, at);
  draft.changeTerms(step.snapshot);
  draft.take(step, at, { cause: 'resume', ...entry });
}

function fireTimer(draft: Draft, timer: Timer): void {
  const { chart, snapshot, changedAt } = draft.machine;
  // At the timer's own moment, but never before the last change.
  const at = Math.max(timer.at, changedAt);
  const step = fire(chart, snapshot, timer, at);
  const entry = { event: eventOfTimer(timer), state: null, by: null, sub: null };
  if (step.ok) draft.take(step, at, { cause: 'timer', ...entry, notes: step.failures });
  else {
    const notes = [step.detail, ...step.failures];
    draft.take(dropTimer(snapshot, timer), at, { cause: 'refused', ...entry, notes });
  }
}

function expire(draft: Draft, claim: Claim): void {
  draft.clearClaim(claim);
  const at = Math.max(claim.until, draft.machine.changedAt);
  const { by } = claim;
  const state = draft.nameOf(claim.state);
  draft.change(at, { cause: 'lease-expired', event: null, state, by, sub: null, notes: [] });
}
