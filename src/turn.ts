import {
  type Chart,
  dropTimer,
  fire,
  isRelated,
  isWithin,
  type LeftState,
  type NoStep,
  nameOf,
  nextDue,
  type Snapshot,
  type StateNumber,
  type Step,
  send,
  start,
  storeSnapshot,
  type Timer,
  takes,
} from './chart/index.ts';
import {
  type Claim,
  claimOf,
  claimsOn,
  NO_CLAIMS,
  nextToExpire,
  slotsOf,
  withClaim,
  withoutClaim,
} from './claims.ts';
import { TIMERS_PER_TURN } from './limits.ts';
import {
  factsOf,
  findCurrent,
  findState,
  noSlots,
  notHolder,
  notTaken,
  overBounds,
  slotsTaken,
} from './reasons.ts';
import { type Receipt, reportKey, requestKey } from './receipts.ts';
import { type Refusal, refuse } from './refusal.ts';
import { activeNames, type RunningMachine } from './running.ts';
import type { Cause, Changes, HistoryEntry, StoredChart } from './store.ts';

/** A report: `event` is sent to `state`. */
export interface Update {
  readonly state: string;
  readonly event: string;
  /** Who reports: such a caller counts once per visit and event. */
  readonly by?: string | undefined;
  /** `Idempotency-Key`: a request that comes again is answered as it was the first time. */
  readonly key?: string | undefined;
  /** `If-Match`: revisions at which the report is meant to count. */
  readonly revisions?: readonly number[] | undefined;
}

/** What a machine answers where it says yes: the state that was asked for, and its revision. */
export interface Yes {
  readonly ok: true;
  readonly state: string;
  readonly revision: number;
}

/** A slot is held. */
export interface Claimed extends Yes {
  readonly by: string;
  /** When the lease ends, ms since the epoch. */
  readonly until: number;
}

/** What a turn looks up in the store: what is too much to be kept in memory. */
export interface Records {
  receipt(key: string): Receipt | undefined;
  lastVisit(state: StateNumber): number | undefined;
}

/**
 * One turn of a machine: commands applied in order to a copy of it, and what they changed gathered for one
 * commit. Pure but for what it looks up: the machine that it began with stays as it was, so that a turn can be
 * thrown away.
 */
export class Turn {
  #machine: RunningMachine;
  readonly #records: Records;
  readonly #history: HistoryEntry[] = [];
  readonly #timersSet = new Map<number, Timer>();
  readonly #timersCleared = new Set<number>();
  readonly #left = new Map<StateNumber, LeftState & { readonly at: number }>();
  readonly #claimsSet = new Set<Claim>();
  readonly #claimsCleared = new Set<Claim>();
  readonly #receipts = new Map<string, Receipt>();
  readonly #passed = new Set<StateNumber>();
  #restarted: Changes['restarted'];
  #uploaded: Changes['uploaded'];

  /** @param machine where it stands before. */
  constructor(machine: RunningMachine, records: Records) {
    this.#machine = machine;
    this.#records = records;
  }

  /**
   * The first turn of a machine that was not there before.
   *
   * @returns undefined where the chart cannot start, which it could when it was checked.
   */
  static begin(
    chart: Chart,
    source: StoredChart,
    cause: Cause,
    by: string | null,
    now: number,
  ): Turn | undefined {
    const step = start(chart, now);
    if (!step.ok) return undefined;
    const snapshot: Snapshot = {
      ...step.snapshot,
      active: new Map(),
      timers: new Map(),
      visits: 0,
      timersSet: 0,
    };
    const blank = {
      revision: 0,
      started: 0,
      entries: 0,
      changedAt: now,
      chart,
      source,
      snapshot,
      claims: NO_CLAIMS,
    };
    const turn = new Turn(blank, NO_RECORDS);
    return turn.restart(chart, source, cause, by, now) ? turn : undefined;
  }

  /** Fires what is due: timers, and leases that have ended; the earliest first, up to the bound of one turn. */
  fireDue(now: number): void {
    for (let fired = 0; fired < TIMERS_PER_TURN; fired++) {
      const timer = nextDue(this.#machine.snapshot, now);
      const claim = nextToExpire(this.#machine.claims);
      const expired = claim !== undefined && claim.until <= now ? claim : undefined;
      if (expired !== undefined && (timer === undefined || expired.until < timer.at)) this.#expire(expired);
      else if (timer !== undefined) this.#fire(timer);
      else return;
    }
  }

  /** Applies one report. A refusal changes nothing. */
  update(update: Update, now: number): Yes | Refusal {
    const { key } = update;
    if (key === undefined) return this.#report(update, now);
    const request = JSON.stringify([update.state, update.event, update.by ?? null, update.revisions ?? null]);
    const receipt = this.#receipt(requestKey(key));
    if (receipt !== undefined) {
      if (receipt.request === request) return JSON.parse(receipt.answer);
      return refuse(
        'key-reused',
        `The Idempotency-Key ${JSON.stringify(key)} came with another request before.`,
      );
    }
    const answer = this.#report(update, now);
    const kept = { key: requestKey(key), visit: 0, began: 0, request, answer: JSON.stringify(answer) };
    this.#receipts.set(kept.key, kept);
    return answer;
  }

  /** Takes a slot of a state, or renews the one that the caller has. */
  claim(name: string, by: string, now: number): Claimed | Refusal {
    const found = findCurrent(this.#machine, name, now);
    if (!found.ok) return found;
    const { state } = found;
    const slots = slotsOf(this.#machine.chart, state);
    if (slots === undefined) return noSlots(this.#machine, state);
    const held = claimOf(this.#machine.claims, state, by);
    if (held === undefined && claimsOn(this.#machine.claims, state).length >= slots.count) {
      return slotsTaken(this.#machine, state, now);
    }
    const until = now + slots.lease;
    const claim: Claim = { state, by, since: held?.since ?? now, until };
    this.#setClaim(claim);
    this.#change(now, {
      cause: 'claim',
      event: null,
      state: this.#name(state),
      by,
      notes: held ? ['renewed'] : [],
    });
    return { ok: true, state: this.#name(state), revision: this.#machine.revision, by, until };
  }

  /** Gives a slot back without a report; one that is not held is as good as given back. */
  release(name: string, by: string, now: number): Yes | Refusal {
    const found = findState(this.#machine, name);
    if (!found.ok) return found;
    const held = claimOf(this.#machine.claims, found.state, by);
    const state = this.#name(found.state);
    if (held !== undefined) {
      this.#clearClaim(held);
      this.#change(now, { cause: 'release', event: null, state, by, notes: [] });
    }
    return { ok: true, state, revision: this.#machine.revision };
  }

  /**
   * Enters a chart's initial state: of a machine that was not there before, or over again.
   *
   * @returns whether it could: a chart that was checked can.
   */
  restart(chart: Chart, source: StoredChart, cause: Cause, by: string | null, now: number): boolean {
    const before = this.#machine;
    const step = start(chart, now, before.snapshot);
    if (!step.ok) return false;
    for (const claim of before.claims.values()) this.#claimsCleared.add(claim);
    this.#claimsSet.clear();
    for (const key of this.#receipts.keys()) if (key.startsWith('by/')) this.#receipts.delete(key);
    this.#timersSet.clear();
    this.#left.clear();
    const { hash, origin } = source;
    const names = this.#names(before.snapshot);
    this.#machine = { ...before, chart, source: { hash, origin }, claims: NO_CLAIMS };
    this.#take(step, now, { cause, event: null, state: null, by, notes: step.failures }, names);
    this.#machine = { ...this.#machine, started: this.#machine.revision };
    this.#restarted = { started: this.#machine.revision, chart: source };
    this.fireDue(now);
    return true;
  }

  /** Notes the chart that was uploaded to the address. */
  upload(chart: Pick<StoredChart, 'hash' | 'text'>): void {
    this.#uploaded = chart;
  }

  /** Where the machine stands now. */
  get machine(): RunningMachine {
    return this.#machine;
  }

  /** States that were active at some time in this turn, also those that were left in it again. */
  get passed(): ReadonlySet<StateNumber> {
    return this.#passed;
  }

  /** What is to be committed, or nothing. */
  get changes(): Changes | undefined {
    if (this.#history.length === 0 && this.#receipts.size === 0) return undefined;
    const { revision, entries, changedAt, snapshot } = this.#machine;
    return {
      revision,
      entries,
      at: changedAt,
      snapshot: storeSnapshot(snapshot),
      ...(this.#restarted === undefined ? {} : { restarted: this.#restarted }),
      ...(this.#uploaded === undefined ? {} : { uploaded: this.#uploaded }),
      timersSet: [...this.#timersSet.values()],
      timersCleared: [...this.#timersCleared],
      left: [...this.#left.values()],
      claimsSet: [...this.#claimsSet],
      claimsCleared: [...this.#claimsCleared],
      receipts: [...this.#receipts.values()],
      history: this.#history,
    };
  }

  #report({ state: name, event, by, revisions }: Update, now: number): Yes | Refusal {
    const found = findState(this.#machine, name);
    if (!found.ok) return found;
    const { state } = found;
    const { chart, snapshot, revision } = this.#machine;
    const yes = () => ({ ok: true, state: nameOf(chart, state), revision: this.#machine.revision }) as const;
    if (by !== undefined && this.#hasReported(state, event, by)) return yes();
    if (revisions !== undefined && !revisions.includes(revision)) {
      return refuse('wrong-revision', `The machine is at revision ${revision}.`, {
        machine: factsOf(this.#machine),
      });
    }
    const current = findCurrent(this.#machine, name, now);
    if (!current.ok) return current;
    const guarded = this.#guardedBy(state, event);
    const holds = guarded.map((other) =>
      by === undefined ? undefined : claimOf(this.#machine.claims, other, by),
    );
    const missing = guarded.find((_, i) => holds[i] === undefined);
    if (missing !== undefined) return notHolder(this.#machine, missing, by);
    const step = send(chart, snapshot, { type: event, address: state }, now);
    if (!step.ok) return this.#refuse(state, event, by, step, now);
    for (const claim of holds) if (claim !== undefined) this.#clearClaim(claim);
    if (by !== undefined) this.#remember(state, event, by);
    this.#take(step, now, {
      cause: 'update',
      event,
      state: this.#name(state),
      by: by ?? null,
      notes: step.failures,
    });
    // What it entered may be over already.
    this.fireDue(now);
    return yes();
  }

  /** Whether the caller has reported in this visit of the state, or in its last one where it was left. */
  #hasReported(state: StateNumber, event: string, by: string): boolean {
    const receipt = this.#receipt(reportKey(state, event, by));
    if (receipt === undefined) return false;
    const visit =
      this.#machine.snapshot.active.get(state)?.number ??
      this.#left.get(state)?.visit ??
      this.#records.lastVisit(state) ??
      0;
    return receipt.visit === visit;
  }

  #remember(state: StateNumber, event: string, by: string): void {
    const { active, visits: began } = this.#machine.snapshot;
    const key = reportKey(state, event, by);
    this.#receipts.set(key, { key, visit: active.get(state)?.number ?? 0, began, request: '', answer: '' });
  }

  #receipt(key: string): Receipt | undefined {
    return (
      this.#receipts.get(key) ??
      (this.#restarted && key.startsWith('by/') ? undefined : this.#records.receipt(key))
    );
  }

  /** The active states with slots that a report touches: it is sent into them, or they take the event. */
  #guardedBy(address: StateNumber, event: string): StateNumber[] {
    const { chart, snapshot } = this.#machine;
    return [...snapshot.active.keys()].filter((state) => {
      if (slotsOf(chart, state) === undefined || !isRelated(chart.model, address, state)) return false;
      return isWithin(chart.model, address, state) || takes(chart, state, event);
    });
  }

  #fire(timer: Timer): void {
    const { chart, snapshot, changedAt } = this.#machine;
    // At the timer's own moment, but never before what has happened already.
    const at = Math.max(timer.at, changedAt);
    const step = fire(chart, snapshot, timer, at);
    const entry = { event: eventName(timer), state: null, by: null };
    if (step.ok) this.#take(step, at, { cause: 'timer', ...entry, notes: step.failures });
    else {
      const notes = [step.detail, ...step.failures];
      this.#take(dropTimer(snapshot, timer), at, { cause: 'refused', ...entry, notes });
    }
  }

  #expire(claim: Claim): void {
    this.#clearClaim(claim);
    const at = Math.max(claim.until, this.#machine.changedAt);
    const { by, state } = claim;
    this.#change(at, { cause: 'lease-expired', event: null, state: this.#name(state), by, notes: [] });
  }

  /** A report that was turned down; what went wrong in the chart itself is written down. */
  #refuse(state: StateNumber, event: string, by: string | undefined, failed: NoStep, now: number): Refusal {
    const machine = this.#machine;
    const overBound = failed.reason === 'over-bound';
    if (overBound || failed.failures.length > 0) {
      const notes = overBound ? [failed.detail, ...failed.failures] : failed.failures;
      this.#record({ cause: 'refused', event, state: this.#name(state), by: by ?? null, notes }, now);
    }
    return overBound ? overBounds(machine, event, failed.detail) : notTaken(machine, state, event);
  }

  /** Takes over what a step of the chart has come to. */
  #take(step: Step, at: number, entry: Entry, from?: readonly string[]): void {
    const before = this.#machine;
    for (const id of step.timersCleared) if (!this.#timersSet.delete(id)) this.#timersCleared.add(id);
    for (const timer of step.timersSet) this.#timersSet.set(timer.id, timer);
    for (const { state, visit } of step.left) {
      this.#left.set(state, { state, visit, at });
      for (const claim of claimsOn(this.#machine.claims, state)) this.#clearClaim(claim);
    }
    for (const state of step.entered) this.#passed.add(state);
    this.#machine = { ...this.#machine, snapshot: step.snapshot };
    this.#change(at, entry, from ?? this.#names(before.snapshot));
  }

  /** Counts a change, and writes it down. */
  #change(at: number, entry: Entry, from?: readonly string[]): void {
    const { revision } = this.#machine;
    this.#machine = { ...this.#machine, revision: revision + 1, changedAt: at };
    this.#record(entry, at, from);
  }

  #record(entry: Entry, at: number, from?: readonly string[]): void {
    const id = this.#machine.entries + 1;
    this.#machine = { ...this.#machine, entries: id };
    const to = this.#names(this.#machine.snapshot);
    this.#history.push({ id, revision: this.#machine.revision, at, ...entry, from: from ?? to, to });
  }

  #setClaim(claim: Claim): void {
    this.#claimsSet.add(claim);
    this.#machine = { ...this.#machine, claims: withClaim(this.#machine.claims, claim) };
  }

  #clearClaim(claim: Claim): void {
    this.#claimsSet.delete(claim);
    this.#claimsCleared.add(claim);
    this.#machine = { ...this.#machine, claims: withoutClaim(this.#machine.claims, claim) };
  }

  #name(state: StateNumber): string {
    return nameOf(this.#machine.chart, state);
  }

  #names(snapshot: Snapshot): string[] {
    return activeNames(this.#machine.chart, snapshot);
  }
}

const NO_RECORDS: Records = { receipt: () => undefined, lastVisit: () => undefined };

type Entry = Pick<HistoryEntry, 'cause' | 'event' | 'state' | 'by' | 'notes'>;

/** What the history calls a timer's event: those of `after` and `at` are xstate's and nobody's business. */
function eventName({ event }: Timer): string | null {
  return event.startsWith('xstate.') ? null : event;
}
