/** The refusals of a machine: each says what is current, what must happen first, and what would be right. */
import { type Address, formatAddress } from '../address.ts';
import {
  type ChartIssue,
  claimsOn,
  coolingOn,
  eventsOf,
  type InputProblem,
  isDone,
  isWithin,
  nameOf,
  nextTimer,
  nextToExpire,
  runningTimers,
  type StateNumber,
  slotCount,
  slotsOf,
  type Turn,
} from '../chart/chart.ts';
import { CLAIMS, CLOSED_RETRY_MAX } from '../limits.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { MachineState } from './machine-state.ts';
import { noMembers, noPart } from './member-refusals.ts';
import {
  currentOf,
  factsOf,
  nextSteps,
  quote,
  RETRY_AFTER_DEFAULT,
  retryAfter,
  sayFirst,
  seconds,
  showHolders,
  time,
} from './refusal-parts.ts';

/** Refuses a name that is no state's. */
export function noState(machine: MachineState, name: string): Refusal {
  const detail = `This chart has no state ${quote(name)}; ${currentOf(machine)}.`;
  return refuse('not-current', detail, { machine: factsOf(machine) });
}

/** Refuses a key that several states have. @param candidates their full names. */
export function severalStates(machine: MachineState, name: string, candidates: readonly string[]): Refusal {
  const detail = `Several states have the key ${quote(name)}; call the one you mean: ${candidates.map(quote).join(', ')}.`;
  return refuse('ambiguous-state', detail, { machine: factsOf(machine), candidates });
}

/** Refuses a state that is not current yet. */
export function notCurrent(machine: MachineState, name: string, now: number): Refusal {
  const detail = `${quote(name)} is not current yet; ${currentOf(machine)}.${nextSteps(machine)}`;
  return refuse('not-current', detail, { machine: factsOf(machine), retryAfter: retryAfter(machine, now) });
}

/** Refuses a state that is not current and cannot become current any more. */
export function cannotCome(machine: MachineState, name: string): Refusal {
  const detail = `${quote(name)} is not current and cannot come any more; ${currentOf(machine)}.`;
  return refuse('cannot-come', detail, { machine: factsOf(machine) });
}

/** Refuses an event that `state`, which is current, does not take. */
export function notTaken(machine: MachineState, state: StateNumber, event: string): Refusal {
  const { chart, snapshot } = machine;
  const name = quote(nameOf(chart, state));
  const facts = { machine: factsOf(machine) };
  if (isDone(snapshot)) return refuse('final-state', `${name} is the end; nothing more can happen.`, facts);
  const events = eventsOf(chart, snapshot, state);
  if (events.length > 0) {
    const list = events.map(quote).join(', ');
    const why = events.includes(event) ? ' now: no guard of it is true' : '';
    const detail = `${name} does not take ${quote(event)}${why}; it takes: ${list}.`;
    return refuse('not-taken', detail, { ...facts, events });
  }
  const next = nextTimer(runningTimers(snapshot));
  const when = next === undefined ? 'takes no event' : `is left by itself at ${time(next.at)}`;
  return refuse('not-taken', `${name} ${when}.`, { ...facts, events });
}

/** Refuses an event that a transition takes, but that failed and changed nothing. */
export function notDone(
  machine: MachineState,
  event: string,
  code: 'expression-failed' | 'over-bound',
  detail: string,
): Refusal {
  const message = `${quote(event)} was refused, and nothing has changed: ${detail}.`;
  return refuse(code, message, { machine: factsOf(machine) });
}

/** Refuses a report to `state` from a caller that holds no slot of it. */
export function notHolder(machine: MachineState, state: StateNumber, by: string | undefined): Refusal {
  const name = quote(nameOf(machine.chart, state));
  const caller = by === undefined ? 'A report without `by`' : quote(by);
  const holders = claimsOn(machine.claims, state);
  const held =
    holders.length === 0
      ? 'no slot is held'
      : `held by ${sayFirst(
          holders.map(
            ({ by }) =>
              () =>
                quote(by),
          ),
        )}`;
  const detail = `${caller} holds no slot of ${name} (${held}); claim one first: POST …/claims?state=…&by=….`;
  return refuse('not-holder', detail, { machine: factsOf(machine), holders: showHolders(holders) });
}

/** Refuses the FleetLock group `default` where no current state has slots. */
export function noLock(machine: MachineState): Refusal {
  const detail = `No current state has slots; ${currentOf(machine)}.`;
  return refuse('no-slots', detail, { machine: factsOf(machine) });
}

/** Refuses a FleetLock group that is no state of the chart. */
export function noGroup(machine: MachineState, group: string): Refusal {
  const detail = `The group ${quote(group)} is no state of this chart: a group is the name of a state with slots, or "default".`;
  return refuse('no-slots', detail, { machine: factsOf(machine) });
}

/** Refuses the FleetLock group `default` where several current states have slots. */
export function severalLocks(machine: MachineState, locks: readonly StateNumber[]): Refusal {
  const names = locks.map((state) => nameOf(machine.chart, state));
  const detail = `Several current states have slots; name one as the group: ${names.map(quote).join(', ')}.`;
  return refuse('ambiguous-state', detail, { machine: factsOf(machine), candidates: names });
}

/** Refuses a claim on a state without slots. */
export function noSlots(machine: MachineState, state: StateNumber): Refusal {
  const { chart, snapshot } = machine;
  const { model } = chart;
  // A report there needs a slot of each of these (`guardedBy` in `update.ts`).
  const guarding = model.states.flatMap(({ name, slots }, at) => {
    const touches = isWithin(model, state, at) || (isWithin(model, at, state) && snapshot.active.has(at));
    return slots !== undefined && touches ? [() => `one of ${quote(name)}`] : [];
  });
  const why =
    guarding.length === 0
      ? 'has no slots: every caller may work while it is current'
      : `has no slots of its own; claim ${sayFirst(guarding)}`;
  const detail = `${quote(nameOf(chart, state))} ${why}.`;
  return refuse('no-slots', detail, { machine: factsOf(machine) });
}

/** Refuses an ask or a claim: the caller may not go now, or never in this visit. */
export function refuseTurn(
  machine: MachineState,
  turn: Exclude<Turn, { readonly answer: 'go' }>,
  { name, by = '' }: { readonly name: string; readonly by?: string | undefined },
  now: number,
): Refusal {
  switch (turn.why) {
    case 'not-current':
      return notCurrent(machine, name, now);
    case 'cannot-come':
      return cannotCome(machine, name);
    case 'closed':
      return closed(machine, turn.state, turn.again, now);
    case 'slots-taken':
      return slotsTaken(machine, turn.state, turn.again ?? now, now);
    case 'paused':
      return paused(machine, now);
    case 'no-members':
      return noMembers(machine, turn.state, now);
    case 'already-reported':
      return alreadyReported(machine, turn.state, by);
    default:
      return noPart(machine, turn.state, turn.why, by);
  }
}

/** Refuses a caller that has reported in this visit of a state. */
export function alreadyReported(machine: MachineState, state: StateNumber, by: string): Refusal {
  const detail = `${quote(by)} has reported in this visit of ${quote(nameOf(machine.chart, state))}: its part is done.`;
  return refuse('already-reported', detail, { machine: factsOf(machine) });
}

/** Refuses a caller while the windows of a state are closed. @param opens ms since the epoch; undefined if it is not known. */
function closed(machine: MachineState, state: StateNumber, opens: number | undefined, now: number): Refusal {
  const name = quote(nameOf(machine.chart, state));
  const facts = { machine: factsOf(machine) };
  if (opens === undefined) {
    const detail = `${name} is closed, and its windows do not open in the next thousand years.`;
    return refuse('closed', detail, { ...facts, retryAfter: CLOSED_RETRY_MAX });
  }
  const more = { ...facts, opens: time(opens), retryAfter: seconds(opens - now, CLOSED_RETRY_MAX) };
  return refuse('closed', `${name} is closed: work may be begun from ${time(opens)}.`, more);
}

/** Refuses an ask or a claim while the machine is paused. */
function paused(machine: MachineState, now: number): Refusal {
  const { by, sub, reason, until } = machine.snapshot.terms.paused ?? {};
  const who = by ?? sub;
  const words = [
    `The machine is paused${who === undefined ? '' : ` by ${quote(who)}`}`,
    reason === undefined ? '' : `: ${reason}`,
    until === undefined ? '' : `, until ${time(until)}`,
  ];
  const retryAfter = seconds((until ?? Number.POSITIVE_INFINITY) - now);
  return refuse('paused', `${words.join('')}.`, { machine: factsOf(machine), retryAfter });
}

/** Refuses to pause a machine at which nothing more can happen. */
export function isOver(machine: MachineState): Refusal {
  return refuse('is-over', 'The machine is at its end: nothing more can happen.', {
    machine: factsOf(machine),
  });
}

/** Refuses a caller without a slot while all slots of `state` are taken. @param free when the next one is free. */
function slotsTaken(machine: MachineState, state: StateNumber, free: number, now: number): Refusal {
  const { chart, snapshot, claims, cooling } = machine;
  const holders = claimsOn(claims, state);
  const cools = coolingOn(cooling, state, now);
  const slots = slotsOf(chart, state);
  const count = slots === undefined ? 0 : (slotCount(chart, snapshot.terms, state, slots) ?? 0);
  const list = [
    ...holders.map(
      ({ by, until }) =>
        () =>
          `held by ${quote(by)} until ${time(until)}`,
    ),
    ...cools.map((until) => () => `in its cooldown until ${time(until)}`),
  ];
  const detail = `All ${count} slots of ${quote(nameOf(chart, state))} are taken: ${sayFirst(list)}.`;
  return refuse('slots-taken', detail, {
    machine: factsOf(machine),
    holders: showHolders(holders),
    retryAfter: seconds(free - now),
  });
}

/** Refuses a claim while the machine holds as many claims as it may, though a slot of the state is free. */
export function claimsFull(machine: MachineState, now: number): Refusal {
  const detail = `The machine holds ${CLAIMS} claims, as many as it may: wait until one is given back or its lease ends.`;
  const next = nextToExpire(machine.claims)?.until ?? now;
  return refuse('slots-taken', detail, { machine: factsOf(machine), retryAfter: seconds(next - now) });
}

/**
 * Refuses a request for other revisions than the present one.
 *
 * @param revisions those at which the request is meant to count; undefined if at any.
 * @param present what they are compared with.
 */
export function checkRevision(
  machine: MachineState,
  revisions: readonly number[] | undefined,
  present = machine.revision,
): Refusal | undefined {
  if (revisions === undefined || revisions.includes(present)) return undefined;
  return refuse('wrong-revision', `The machine is at revision ${machine.revision}.`, {
    machine: factsOf(machine),
  });
}

/** Refuses an `Idempotency-Key` that came with another request. */
export function keyReused(machine: MachineState, key: string): Refusal {
  const detail = `The Idempotency-Key ${quote(key)} came with another request before; a new request has a new key.`;
  return refuse('key-reused', detail, { machine: factsOf(machine) });
}

/** Refuses another chart while the machine is in mid-sequence. */
export function midSequence(machine: MachineState): Refusal {
  const detail = 'The machine is in mid-sequence: let it end, start another run, or add ?reset=true.';
  return refuse('mid-sequence', detail, { machine: factsOf(machine) });
}

/** Refuses a wait or a watch beyond the bound of the machine. */
export function tooManyWaiting(machine: MachineState): Refusal {
  const detail = 'Too many are waiting here; ask without waiting.';
  return refuse('too-many-waiting', detail, { machine: factsOf(machine), retryAfter: RETRY_AFTER_DEFAULT });
}

/** Refuses a request to an address without a chart. */
export function noChart(address: Address): Refusal {
  return refuse('no-chart', `No chart has been put at ${formatAddress(address)}.`);
}

/** Refuses a request that needs a machine which has begun. */
export function notStarted(address: Address): Refusal {
  return refuse('no-chart', `No machine has been started at ${formatAddress(address)}.`);
}

/** Refuses a request during which the machine was deleted. */
export function deleted(): Refusal {
  return refuse('no-chart', 'The machine was deleted before this came about.');
}

/** Refuses a link where there is no machine. */
export function machineGone(): Refusal {
  return refuse('visit-over', 'The machine was deleted after the link was made.');
}

/** Refuses a request for a revision of a machine that has not begun. */
export function noRevision(address: Address): Refusal {
  return refuse('wrong-revision', `There is no machine at ${formatAddress(address)} yet.`);
}

/** Refuses to begin a run whose chart has inputs that must be given. */
export function needsInputs(address: Address, problems: readonly InputProblem[]): Refusal {
  const names = problems.map(({ input }) => input);
  const base = formatAddress(address) === 'default' ? '' : `/${formatAddress(address)}`;
  const query = names.map((name) => `${name}=…`).join('&');
  const detail = `The chart of ${formatAddress(address)} has inputs that must be given: ${names.join(', ')}. Start it with POST ${base}/start?${query}`;
  return refuse('needs-inputs', detail, { inputs: problems, retryAfter: RETRY_AFTER_DEFAULT });
}

/** Refuses inputs that are unknown, missing or wrong. */
export function wrongInputs(problems: readonly InputProblem[]): Refusal {
  const detail = `Nothing has changed: ${problems.map(({ message }) => message).join(' ')}`;
  return refuse('wrong-inputs', detail, { inputs: problems });
}

/** Refuses inputs with which the chart cannot enter its initial state. @param why the expression that failed, or the bound. */
export function cannotStart(why: string): Refusal {
  return refuse('wrong-inputs', `Nothing has changed: the chart cannot start with these inputs: ${why}.`);
}

/** Refuses to start a run that has begun with other inputs. @param names the inputs that differ. */
export function otherInputs(machine: MachineState, names: readonly string[]): Refusal {
  const { inputs } = machine.snapshot.terms;
  const values = names.map((name) => `${name}=${JSON.stringify(inputs[name] ?? null)}`).join(', ');
  const detail = `The run has begun with other inputs: ${values}. Change them with PATCH …/inputs, or start another run.`;
  return refuse('other-inputs', detail, { machine: factsOf(machine) });
}

/** Refuses a chart for a run. */
export function uploadToRun({ run: _, ...chart }: Address): Refusal {
  const detail = `A run has the chart of its chart; upload it to /${formatAddress(chart)}/chart.`;
  return refuse('wrong-address', detail);
}

/** Refuses a chart with errors. */
export function invalidChart(address: Address, errors: readonly ChartIssue[]): Refusal {
  const count = errors.length === 1 ? 'an error' : `${errors.length} errors`;
  const detail = `The chart of ${formatAddress(address)} has ${count}; nothing was started.`;
  return refuse('invalid-chart', detail, { errors });
}
