/** Why a machine says no: what is current, who is waited for, and what would be right. */
import { type Address, formatAddress } from '../address.ts';
import {
  type ChartIssue,
  countsOf,
  eventsOf,
  isActive,
  isDone,
  nameOf,
  nextTimer,
  reachable,
  type StateNumber,
} from '../chart/chart.ts';
import { CLAIMS, RETRY_AFTER_MAX, RETRY_AFTER_MIN } from '../limits.ts';
import { type MachineFacts, type Refusal, refuse } from '../refusal.ts';
import { activeNames, type MachineState, nextChange } from './machine-state.ts';
import { type Claim, claimsOn, nextToExpire, slotsOf } from './slot-claims.ts';

type Found = { readonly ok: true; readonly state: StateNumber } | Refusal;

/** Finds the state that a caller means. */
export function findState(machine: MachineState, name: string): Found {
  const found = machine.chart.names.find(name);
  if (found === undefined) {
    return refuse('not-current', `This chart has no state ${quote(name)}; ${currentOf(machine)}.`, {
      machine: factsOf(machine),
    });
  }
  if (found.ok) return found;
  const candidates = found.candidates.map(quote).join(', ');
  const detail = `Several states have the key ${quote(name)}; call the one you mean: ${candidates}.`;
  return refuse('ambiguous-state', detail, { machine: factsOf(machine), candidates: found.candidates });
}

/** Finds a state that is current, or says why the one named is not: not yet, or never any more. */
export function findCurrent(machine: MachineState, name: string, now: number): Found {
  const found = findState(machine, name);
  if (!found.ok || isActive(machine.snapshot, found.state)) return found;
  const facts = { machine: factsOf(machine) };
  if (!mayCome(machine, found.state)) {
    const detail = `${quote(name)} is not current and cannot come any more; ${currentOf(machine)}.`;
    return refuse('cannot-come', detail, facts);
  }
  const detail = `${quote(name)} is not current yet; ${currentOf(machine)}.${waitedFor(machine)}`;
  return refuse('not-current', detail, { ...facts, retryAfter: retryAfter(machine, now) });
}

/** Why `state`, which is current, does not take `event`. */
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
  const next = nextTimer(snapshot.timers.values());
  const when = next === undefined ? 'takes no event' : `is left by itself at ${time(next.at)}`;
  return refuse('not-taken', `${name} ${when}.`, { ...facts, events });
}

/** Refuses an event that a transition takes, and that has changed nothing all the same. */
export function notDone(
  machine: MachineState,
  event: string,
  code: 'expression-failed' | 'over-bound',
  detail: string,
): Refusal {
  const message = `${quote(event)} was refused, and nothing has changed: ${detail}.`;
  return refuse(code, message, { machine: factsOf(machine) });
}

/** Why a caller that holds no slot of `state` may not report to it. */
export function notHolder(machine: MachineState, state: StateNumber, by: string | undefined): Refusal {
  const name = quote(nameOf(machine.chart, state));
  const who = by === undefined ? 'A report that does not say who it is from (`by`)' : quote(by);
  const holders = claimsOn(machine.claims, state);
  const held =
    holders.length === 0
      ? 'nobody holds one'
      : `held by ${holders.map((claim) => quote(claim.by)).join(', ')}`;
  const detail = `${who} holds no slot of ${name} (${held}); claim one first: POST …/claims?state=…&by=….`;
  return refuse('not-holder', detail, { machine: factsOf(machine), holders: showHolders(holders) });
}

/** Why the FleetLock group `default` locks nothing. */
export function noLock(machine: MachineState): Refusal {
  const detail = `No current state has slots; ${currentOf(machine)}.`;
  return refuse('no-slots', detail, { machine: factsOf(machine) });
}

/** Why a FleetLock group is none. */
export function noGroup(machine: MachineState, group: string): Refusal {
  const detail = `The group ${quote(group)} is no state of this chart: a group is the name of a state with slots, or "default".`;
  return refuse('no-slots', detail, { machine: factsOf(machine) });
}

/** Why the FleetLock group `default` is none where more than one current state has slots. */
export function severalLocks(machine: MachineState, locks: readonly StateNumber[]): Refusal {
  const names = locks.map((state) => nameOf(machine.chart, state));
  const detail = `Several current states have slots; name one as the group: ${names.map(quote).join(', ')}.`;
  return refuse('ambiguous-state', detail, { machine: factsOf(machine), candidates: names });
}

/** Why there is nothing to claim. */
export function noSlots(machine: MachineState, state: StateNumber): Refusal {
  const detail = `${quote(nameOf(machine.chart, state))} has no slots: whoever is told that it is current may work.`;
  return refuse('no-slots', detail, { machine: factsOf(machine) });
}

/** Why a caller must wait for a slot of `state`. */
export function slotsTaken(machine: MachineState, state: StateNumber, now: number): Refusal {
  const holders = claimsOn(machine.claims, state);
  const count = slotsOf(machine.chart, state)?.count ?? 0;
  const [first] = holders;
  const list = holders.map(({ by, until }) => `${quote(by)} until ${time(until)}`).join(', ');
  const detail = `All ${count} slots of ${quote(nameOf(machine.chart, state))} are held: ${list}.`;
  const more = { machine: factsOf(machine), holders: showHolders(holders) };
  return refuse('slots-taken', detail, { ...more, retryAfter: seconds((first?.until ?? now) - now) });
}

/** Why a caller must wait though a slot of its state is free. */
export function claimsFull(machine: MachineState, now: number): Refusal {
  const detail = `The machine holds ${CLAIMS} claims, as many as it may: wait until one is given back or its lease ends.`;
  const next = nextToExpire(machine.claims)?.until ?? now;
  return refuse('slots-taken', detail, { machine: factsOf(machine), retryAfter: seconds(next - now) });
}

/** Why a request for one revision is not for the present one. */
export function wrongRevision(machine: MachineState): Refusal {
  return refuse('wrong-revision', `The machine is at revision ${machine.revision}.`, {
    machine: factsOf(machine),
  });
}

/** Why a key is not taken: it stands for a request that was answered. */
export function keyReused(machine: MachineState, key: string): Refusal {
  const detail = `The Idempotency-Key ${quote(key)} came with another request before; a new request has a new key.`;
  return refuse('key-reused', detail, { machine: factsOf(machine) });
}

/** Why a machine does not take another chart now. */
export function midSequence(machine: MachineState): Refusal {
  const detail = 'The machine is in mid-sequence: let it end, start another run, or add ?reset=true.';
  return refuse('mid-sequence', detail, { machine: factsOf(machine) });
}

export function tooManyWaiting(machine: MachineState): Refusal {
  const detail = 'Too many are waiting here; ask without waiting.';
  return refuse('too-many-waiting', detail, { machine: factsOf(machine), retryAfter: RETRY_AFTER_DEFAULT });
}

export function noChart(address: Address): Refusal {
  return refuse('no-chart', `No chart has been put at ${formatAddress(address)}.`);
}

/** Why there is nothing to delete. */
export function notStarted(address: Address): Refusal {
  return refuse('no-chart', `No machine has been started at ${formatAddress(address)}.`);
}

/** Why nothing came of a request that was under way. */
export function deleted(): Refusal {
  return refuse('no-chart', 'The machine was deleted before this came about.');
}

/** Why a request for one revision is not for a machine that is yet to begin. */
export function noRevision(address: Address): Refusal {
  return refuse('wrong-revision', `There is no machine at ${formatAddress(address)} yet.`);
}

export function uploadToRun({ run: _, ...chart }: Address): Refusal {
  const detail = `A run has the chart of its chart; upload it to /${formatAddress(chart)}/chart.`;
  return refuse('wrong-address', detail);
}

export function invalidChart(address: Address, errors: readonly ChartIssue[]): Refusal {
  const count = errors.length === 1 ? 'an error' : `${errors.length} errors`;
  const detail = `The chart of ${formatAddress(address)} has ${count}; nothing was started.`;
  return refuse('invalid-chart', detail, { errors });
}

/** Whether `state` may still become current, as far as the chart's shape and its counts say. */
export function mayCome(machine: MachineState, state: StateNumber): boolean {
  let known = reaches.get(machine.snapshot);
  if (known === undefined) {
    known = reachable(machine.chart, machine.snapshot);
    reaches.set(machine.snapshot, known);
  }
  return known.has(state);
}

/** What is reachable is asked by every poll, and is the same until something changes. */
const reaches = new WeakMap<object, ReadonlySet<StateNumber>>();

/** What every refusal of a machine carries. */
function factsOf(machine: MachineState): MachineFacts {
  const { chart, snapshot, revision } = machine;
  return { revision, states: activeNames(chart, snapshot), waiting: countsOf(chart, snapshot) };
}

function currentOf({ chart, snapshot }: MachineState): string {
  return `current: ${activeNames(chart, snapshot).map(quote).join(', ')}`;
}

/** What must happen first, where that is a count or a moment. */
function waitedFor({ chart, snapshot }: MachineState): string {
  const counts = countsOf(chart, snapshot)
    .filter(({ have, need }) => need > have)
    .map(({ state, event, have, need }) => ` ${quote(state)} waits for ${need - have} more ${quote(event)}.`);
  const next = nextTimer(snapshot.timers.values());
  return counts.join('') + (next === undefined ? '' : ` The next timer is due at ${time(next.at)}.`);
}

function showHolders(claims: readonly Claim[]) {
  return claims.map(({ by, until }) => ({ by, until: time(until) }));
}

/** When it is worth asking again, in seconds: when something will happen by itself, else in a moment. */
function retryAfter(machine: MachineState, now: number): number {
  const next = nextChange(machine);
  return next === undefined ? RETRY_AFTER_DEFAULT : Math.min(RETRY_AFTER_DEFAULT, seconds(next - now));
}

const RETRY_AFTER_DEFAULT = 5;

function seconds(ms: number): number {
  return Math.min(RETRY_AFTER_MAX, Math.max(RETRY_AFTER_MIN, Math.ceil(ms / 1_000)));
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

function quote(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 197)}...` : name);
}
