/**
 * The specification as the model of the search: a call takes effect at some moment between its call and its return.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Chart, nameOf, type Terms } from '../../src/chart/chart.ts';
import { stateOf } from './answers.ts';
import { run } from './commands.ts';
import { openingsBetween } from './fleet.ts';
import { latest, type Operation } from './history.ts';
import type { Bound, Model } from './linearizability.ts';
import { begun, keyOf, type Machine, type Paused } from './machine.ts';
import { both, exactly, type Moment } from './moment.ts';
import { settled } from './passing-time.ts';
import { type Answer, type Moments, type Request, takesLease } from './requests.ts';

/** What is known of the machine of a run. Times are ms since the epoch, by the clients' clock. */
export interface Setting {
  readonly chart: Chart;
  /** When the machine began: between the call that started it and its answer. */
  readonly started: Moment;
  /** With which it began. */
  readonly terms: Terms;
  /** How far the service's clock may be ahead of the clients', at least and at most, in ms. */
  readonly ahead: Moment;
}

export function modelOf(setting: Setting): Model<Machine, Request, Answer> {
  const { chart, started, terms, ahead } = setting;
  return {
    initial: begun(chart, shifted(started, ahead), terms),
    key: keyOf,
    rank: ({ revision }) => revision,
    most: ({ request, outcome }) =>
      outcome.known && isNew(request) ? outcome.answer.revision : Number.POSITIVE_INFINITY,
    *step(state, operation, bound) {
      const { outcome } = operation;
      // An effect on the machine raises its revision, which another call must still see.
      if (!outcome.known && !isKeyed(operation.request) && state.revision >= bound.most) return;
      for (const { ready, machine, answer } of reactions(setting, state, operation, bound)) {
        if (outcome.known) {
          const { moments = {}, link: _, ...said } = outcome.answer;
          if (isDeepStrictEqual(answer, said)) yield* told(chart, machine, moments);
        } else if (outcome.heard !== undefined) {
          // A repeat gets the first answer, also if it is a refusal.
          if (machine.answered !== ready.answered && isDeepStrictEqual(answer, outcome.heard)) yield machine;
        } else if (machine.revision > ready.revision) yield machine;
        // The call was refused or changed nothing, but its key is taken.
        else if (outcome.hasTakenKey && machine.answered !== ready.answered) yield machine;
      }
    },
  };
}

/** @returns the answers, without moments, that the call can have if it is next. */
export function answersTo(setting: Setting, state: Machine, operation: Operation<Request, Answer>): Answer[] {
  const { outcome, ...call } = operation;
  const unheard = { ...call, outcome: { known: false, until: latest(operation) } } as const;
  return [...reactions(setting, state, unheard, NO_BOUND)].map(({ answer }) => answer);
}

const NO_BOUND: Bound = { before: Number.POSITIVE_INFINITY, most: Number.POSITIVE_INFINITY };

interface Reaction {
  /** The machine at the moment of the call, and after it. */
  readonly ready: Machine;
  readonly machine: Machine;
  readonly answer: Answer;
}

/** Generates every effect that a call can have, except those that its answer plainly excludes. */
function* reactions(
  setting: Setting,
  state: Machine,
  operation: Operation<Request, Answer>,
  bound: Bound,
): Generator<Reaction, undefined> {
  const { request } = operation;
  const { chart, ahead } = setting;
  const when = momentOf(setting, state, operation, bound.before);
  if (when === undefined) return;
  const { most } = bound;
  const sent = operation.called + ahead.from;
  for (const part of partsOf(chart, when)) {
    for (const ready of settled(chart, state, part, most)) {
      const { machine, answer } = run(chart, ready.machine, request, ready.when, sent);
      const now = Math.max(state.now, ready.when.from);
      yield { ready: ready.machine, machine: { ...machine, now }, answer };
      if (request.type !== 'pause') continue;
      // A pause whose end has passed by then is over at once.
      for (const over of settled(chart, machine, ready.when, most)) {
        const { revision } = over.machine;
        if (revision > machine.revision)
          yield { ready: ready.machine, machine: { ...over.machine, now }, answer: { ...answer, revision } };
      }
    }
  }
}

/** Whether the answer has the revision that the request finds or makes: a repeat has that of the first answer. */
function isNew(request: Request): boolean {
  return !isKeyed(request);
}

function isKeyed(request: Request): boolean {
  return request.type === 'update' && request.key !== undefined;
}

/** Divides a moment where a window of the chart may open or close: the service's clock shows whole ms. */
function* partsOf(chart: Chart, { from, to }: Moment): Generator<Moment, undefined> {
  let begin = from;
  for (const at of openingsBetween(chart, from, to)) {
    if (begin <= at - 1) yield { from: begin, to: at - 1 };
    begin = at;
  }
  yield { from: begin, to };
}

function momentOf(
  { chart, ahead }: Setting,
  { now }: Machine,
  operation: Operation<Request, Answer>,
  before: number,
): Moment | undefined {
  const { from, to } = shifted({ from: operation.called, to: Math.min(before, latest(operation)) }, ahead);
  const seen = both({ from, to }, { from: now, to: Number.POSITIVE_INFINITY });
  const { request, outcome } = operation;
  const [lease] = outcome.known && takesLease(request) ? (outcome.answer.moments?.leases ?? []) : [];
  if (lease === undefined || seen === undefined) return seen;
  // The answer to a claim says when the lease ends, and so when the claim took effect.
  const { slots } = chart.model.states[stateOf(chart, lease.state)] ?? {};
  return slots && both(seen, exactly(lease.until - slots.lease));
}

/** Returns a moment of the clients' clock by the clock of the service. */
function shifted({ from, to }: Moment, ahead: Moment): Moment {
  return { from: from + ahead.from, to: to + ahead.to };
}

/**
 * Takes over the moments that an answer has. There is more than one result if it does not say which timer is due
 * when.
 */
function* told(chart: Chart, machine: Machine, moments: Moments): Generator<Machine, undefined> {
  const changed =
    moments.changed === undefined ? machine.changed : both(machine.changed, exactly(moments.changed));
  if (changed === undefined) return;
  const claims = machine.claims.flatMap((claim) => {
    const name = nameOf(chart, claim.state);
    const lease = moments.leases?.find(({ state, by }) => state === name && by === claim.by);
    if (lease === undefined) return [claim];
    const until = both(claim.until, exactly(lease.until));
    return until === undefined ? [] : [{ ...claim, until }];
  });
  if (claims.length < machine.claims.length) return;
  const known = { ...machine, changed, claims };
  const { timers, paused } = moments;
  if (timers === undefined) yield known;
  else if (machine.paused === undefined)
    for (const due of matched([...machine.timers], timers)) yield { ...known, timers: new Map(due) };
  else if (paused !== undefined) yield* toldOfPause(known, machine.paused, paused, timers);
}

/** While the machine is paused, its timers are shown as if it resumed at the beginning of the pause. */
function* toldOfPause(
  machine: Machine,
  pause: Paused,
  shown: NonNullable<Moments['paused']>,
  timers: readonly number[],
): Generator<Machine, undefined> {
  const since = both(pause.since, exactly(shown.since));
  const isEndless = pause.until === undefined;
  const until = isEndless || shown.until === undefined ? undefined : both(pause.until, exactly(shown.until));
  if (since === undefined || isEndless !== (shown.until === undefined) || (!isEndless && until === undefined))
    return;
  const end = until === undefined ? {} : { until };
  const lefts = timers.map((at) => at - shown.since);
  for (const left of matched([...pause.left], lefts))
    yield { ...machine, paused: { ...pause, since, ...end, left: new Map(left) } };
}

/** Generates every assignment of these moments to the timers. */
function* matched(
  [first, ...others]: readonly (readonly [number, Moment])[],
  moments: readonly number[],
): Generator<(readonly [number, Moment])[], undefined> {
  if (first === undefined) {
    if (moments.length === 0) yield [];
    return;
  }
  for (const [i, at] of moments.entries()) {
    if (both(first[1], exactly(at)) === undefined) continue;
    for (const rest of matched(others, moments.toSpliced(i, 1))) yield [[first[0], exactly(at)], ...rest];
  }
}
