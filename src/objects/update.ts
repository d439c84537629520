import {
  type Claim,
  claimOf,
  countedBy,
  countersOf,
  isRelated,
  isWithin,
  type Json,
  mentionsMembers,
  type NoStep,
  needsSlot,
  partIn,
  ROOT,
  type StateNumber,
  send,
  slotsOf,
  stateOfCount,
  takes,
  visitOf,
} from '../chart/chart.ts';
import { DATA_BYTES } from '../chart-limits.ts';
import type { Accepted, Update } from '../commands.ts';
import { RECEIPT_BYTES } from '../limits.ts';
import { type Refusal, shorten } from '../refusal.ts';
import {
  hashOfRequest,
  type Receipt,
  readAnswer,
  readCounts,
  reportAnswer,
  reportKey,
  requestKey,
  writeCounts,
} from '../store/receipt-table.ts';
import { freeSlot } from './claiming.ts';
import type { Draft, Entry } from './draft.ts';
import { fireDue } from './due.ts';
import { checkCurrent, findState } from './lookup.ts';
import type { MachineState } from './machine-state.ts';
import { noPart } from './member-refusals.ts';
import { checkRevision, keyReused, notDone, notHolder, notTaken } from './refusals.ts';

/** A report without the key of its request. */
export type Report = Omit<Update, 'type' | 'key'>;

/** Applies a report. A refusal changes nothing. A repeat under the same key gets the first answer, and changes nothing. */
export function update(draft: Draft, { key: given, ...said }: Update, now: number): Accepted | Refusal {
  if (given === undefined) return report(draft, said, now);
  const key = requestKey(given);
  const request = hashOfRequest(textOf(said, said.sub));
  const before = draft.receipt(key);
  if (before === undefined) {
    const outcome = report(draft, said, now);
    const kept = outcome.ok ? outcome : shorten(outcome, RECEIPT_BYTES);
    draft.keep({ key, visit: 0, began: 0, request, answer: JSON.stringify(kept) });
    return kept;
  }
  // Earlier versions have hashed no subject.
  const isRepeat = before.request === request || before.request === hashOfRequest(textOf(said));
  return isRepeat ? readAnswer(before) : keyReused(draft.machine, given);
}

/**
 * A report as text: equal for a repeat of it. A report without a name is its sender's: two senders that make up the same key, as
 * from the number of a build, must not take each other's answer.
 */
function textOf({ state, event, by, revisions, data }: Report, sub?: string): string {
  const named = [state, event, by ?? null, revisions ?? null, ...(data === undefined ? [] : [data])];
  return JSON.stringify(by === undefined && sub !== undefined ? [...named, { sub }] : named);
}

/** Applies a report without regard to its key. @param remarks for its entry of the history. */
export function report(
  draft: Draft,
  { state: name, event, by, sub, revisions, data, isBodyLeftOut }: Report,
  now: number,
  remarks: readonly string[] = [],
): Accepted | Refusal {
  const found = findState(draft.machine, name);
  if (!found.ok) return found;
  const { state } = found;
  const earlier = by === undefined ? undefined : draft.receipt(reportKey(state, event, by));
  // The caller has reported in the present visit of the state, or in its last one if it was left.
  if (by !== undefined && earlier?.visit === draft.visitOf(state)) {
    // A repeat may have claimed a slot again first; free it.
    for (const guarded of guardedBy(draft, state, event)) freeSlot(draft, guarded, caller(by, sub), now);
    return accepted(draft);
  }
  const otherRevision = checkRevision(draft.machine, revisions, draft.matchedRevision);
  if (otherRevision !== undefined) return otherRevision;
  const refusal = checkCurrent(draft.machine, state, name, now);
  if (refusal !== undefined) return refusal;
  const stranger = checkPart(draft.machine, state, event, by);
  if (stranger !== undefined) return stranger;
  const { chart, snapshot, claims } = draft.machine;
  const held: Claim[] = [];
  const isSlotNeeded = needsSlot(chart, snapshot, state, event);
  for (const guarded of guardedBy(draft, state, event)) {
    const claim = by === undefined ? undefined : claimOf(claims, guarded, by);
    if (claim !== undefined) held.push(claim);
    else if (isSlotNeeded) return notHolder(draft.machine, guarded, by);
  }
  const sent = { type: event, address: state, ...parsed(data) };
  const named =
    by === undefined ? sent : { ...sent, by, isCountedBy: countedFor(draft, state, event, by, earlier) };
  const step = send(chart, snapshot, named, now);
  const entry = {
    event,
    state: draft.nameOf(state),
    by: by ?? null,
    sub: sub ?? null,
    ...(data === undefined ? {} : { data }),
  };
  if (!step.ok) return refuseStep(draft, state, entry, step, now);
  for (const claim of held) giveBack(draft, claim, now);
  if (by !== undefined) {
    const counts = new Set([...stillCounted(draft, earlier), ...countedBy(chart, snapshot, step.snapshot)]);
    const request = writeCounts([...counts]);
    remember(draft, state, { event, by, request, answer: reportAnswer(now, data) });
  }
  const notes = [...remarks, ...(isBodyLeftOut === true ? [BODY_LEFT_OUT] : []), ...step.failures];
  draft.take(step, now, { cause: 'update', ...entry, notes });
  // Timers of the states that it entered may be due already.
  fireDue(draft, now);
  return accepted(draft);
}

const BODY_LEFT_OUT = `the body was left out: data are JSON of at most ${DATA_BYTES} bytes`;

/** Frees a slot after its holder's report. It stays taken for the state's `cooldown`. */
function giveBack(draft: Draft, claim: Claim, now: number): void {
  draft.clearClaim(claim);
  const { cooldown } = slotsOf(draft.machine.chart, claim.state) ?? {};
  if (cooldown !== undefined) draft.coolDown(claim.state, now + cooldown, now);
}

/**
 * Refuses a report from a caller that has no part in the state, and a report that a share of the members would count where
 * there is no list of them.
 */
function checkPart(
  machine: MachineState,
  state: StateNumber,
  event: string,
  by: string | undefined,
): Refusal | undefined {
  const { chart, snapshot } = machine;
  const why = partIn(chart, snapshot.terms, state, by);
  if (why !== undefined) return noPart(machine, state, why, by);
  if (snapshot.terms.members !== undefined || !mentionsMembers(chart)) return undefined;
  const share = countersOf(chart, snapshot, state, event).find(({ until }) => until === null);
  return share && noPart(machine, share.state, 'no-members', by);
}

/**
 * Tells of each state whether it has counted the caller's event in its present visit, whatever state the report was sent to.
 * Asked for by shares only.
 *
 * @param earlier the receipt of a report to `address` in an earlier visit of it.
 */
function countedFor(
  draft: Draft,
  address: StateNumber,
  event: string,
  by: string,
  earlier: Receipt | undefined,
) {
  const { chart, snapshot } = draft.machine;
  return (source: StateNumber) => {
    const isBySource = (receipt: Receipt | undefined) =>
      stillCounted(draft, receipt).some((key) => stateOfCount(key) === source);
    if (isBySource(earlier)) return true;
    // The state that the caller has reported to may have been left, while the one that counts it stays.
    const left = draft.endedVisits(visitOf(snapshot, source)).map(({ state }) => state);
    const others = [ROOT, ...snapshot.active.keys(), ...left].filter(
      (state) => state !== address && isRelated(chart.model, state, source),
    );
    return draft.receipts(others.map((state) => reportKey(state, event, by))).some(isBySource);
  };
}

/** Returns the counts that a report has raised in visits of their states that are not over yet. */
function stillCounted(draft: Draft, receipt: Receipt | undefined): readonly string[] {
  if (receipt === undefined || receipt.request === '') return [];
  const { snapshot } = draft.machine;
  return readCounts(receipt).filter((key) => {
    const state = stateOfCount(key);
    const isActive = state === ROOT || snapshot.active.has(state);
    return isActive && visitOf(snapshot, state) <= receipt.began;
  });
}

function remember(
  draft: Draft,
  state: StateNumber,
  {
    event,
    by,
    ...kept
  }: { readonly event: string; readonly by: string } & Pick<Receipt, 'request' | 'answer'>,
): void {
  const { snapshot } = draft.machine;
  const key = reportKey(state, event, by);
  draft.keep({ key, visit: visitOf(snapshot, state), began: snapshot.visits, ...kept });
}

/** The data of an event: the edge has checked that they are JSON. */
function parsed(data: string | undefined): { readonly data?: Json } {
  return data === undefined ? {} : { data: JSON.parse(data) };
}

/** Returns the active states with slots that a report touches: it is sent to a state in them, or a state in them takes it. */
function guardedBy(draft: Draft, address: StateNumber, event: string): StateNumber[] {
  const { chart, snapshot } = draft.machine;
  const active = [...snapshot.active.keys()];
  return active.filter((state) => {
    if (slotsOf(chart, state) === undefined || !isRelated(chart.model, address, state)) return false;
    return (
      isWithin(chart.model, address, state) ||
      active.some((inside) => isWithin(chart.model, inside, state) && takes(chart, inside, event))
    );
  });
}

/** Refuses a report that the chart does not take. Faults of the chart itself are noted in the history. */
function refuseStep(
  draft: Draft,
  state: StateNumber,
  entry: Omit<Entry, 'cause' | 'notes'> & { readonly event: string },
  { reason, detail, failures }: NoStep,
  now: number,
): Refusal {
  const { machine } = draft;
  const notes = reason === 'not-taken' ? failures : [detail, ...failures];
  if (notes.length > 0) draft.note(now, { cause: 'refused', ...entry, notes });
  const { event } = entry;
  return reason === 'not-taken' ? notTaken(machine, state, event) : notDone(machine, event, reason, detail);
}

function accepted(draft: Draft): Accepted {
  return { ok: true, revision: draft.machine.revision };
}

function caller(by: string, sub: string | undefined) {
  return { by, ...(sub === undefined ? {} : { sub }) };
}
