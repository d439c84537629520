import {
  type Chart,
  dropTimer,
  fire,
  isRelated,
  isWithin,
  type NoStep,
  nextDue,
  type Snapshot,
  type StateNumber,
  send,
  start,
  type Timer,
  takes,
} from '../chart/chart.ts';
import { CLAIMS, RECEIPT_BYTES, TIMER_COST, TIMERS_PER_TURN, TURN_BUDGET } from '../limits.ts';
import { type Refusal, shorten } from '../refusal.ts';
import type { Cause } from '../store/history-table.ts';
import type { Changes, StoredChart } from '../store/machine-store.ts';
import { hashOfRequest, isReport, type Receipt, reportKey, requestKey } from '../store/receipt-table.ts';
import { Draft } from './draft.ts';
import { carryOver, type EndedVisit } from './kept-reports.ts';
import type { RunningMachine } from './machine-state.ts';
import {
  claimsFull,
  findCurrent,
  findState,
  keyReused,
  noSlots,
  notDone,
  notHolder,
  notTaken,
  slotsTaken,
  wrongRevision,
} from './refusals.ts';
import {
  type Claim,
  claimOf,
  countAll,
  countOn,
  NO_CLAIMS,
  needsSlot,
  nextToExpire,
  slotsOf,
} from './slot-claims.ts';

/** What may be said beside a report. */
export interface UpdateOptions {
  /** Whose token it is. */
  readonly sub?: string;
  /** Who reports: such a caller counts once per visit and event. */
  readonly by?: string;
  /** `Idempotency-Key`: a request that comes again is answered as it was the first time. */
  readonly key?: string;
  /** `If-Match`: revisions at which the report is meant to count. */
  readonly revisions?: readonly number[];
}

/** A report: `event` is sent to `state`. */
export interface Update extends UpdateOptions {
  readonly state: string;
  readonly event: string;
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
  /** The receipts of reports, the oldest first. */
  reports(): readonly Receipt[];
  /** Of each state that was left, its last visit. */
  endedVisits(): readonly EndedVisit[];
}

/**
 * One turn of a machine: commands run in order on a draft of it, for one commit. Pure but for what it looks up.
 */
export class Turn {
  readonly #draft: Draft;
  readonly #records: Records;

  /** @param machine where it stands before; it stays as it is. */
  constructor(machine: RunningMachine, records: Records) {
    this.#draft = new Draft(machine);
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
    sub?: string,
  ): Turn | undefined {
    const step = start(chart, now);
    if (!step.ok) return undefined;
    const empty = { active: new Map(), timers: new Map(), visits: 0, timersSet: 0 };
    const snapshot: Snapshot = { ...step.snapshot, ...empty };
    const numbers = { revision: 0, started: 0, startedAt: now, entries: 0, changedAt: now };
    const turn = new Turn({ ...numbers, chart, source, snapshot, claims: NO_CLAIMS }, NO_RECORDS);
    return turn.as(sub, () => turn.restart(chart, source, cause, by, now)) ? turn : undefined;
  }

  /** Runs a command on behalf of a token: what it does is written down under that name. */
  as<Answer>(sub: string | undefined, run: () => Answer): Answer {
    const { subject } = this.#draft;
    this.#draft.subject = sub ?? null;
    try {
      return run();
    } finally {
      this.#draft.subject = subject;
    }
  }

  /** Where the machine stands now. */
  get machine(): RunningMachine {
    return this.#draft.machine;
  }

  /** States that were entered in this turn, also those that were left in it again. */
  get passed(): ReadonlySet<StateNumber> {
    return this.#draft.passed;
  }

  /** What is to be committed, or nothing. */
  get changes(): Changes | undefined {
    return this.#draft.changes;
  }

  /** Fires what is due: timers, and leases that have ended; the earliest first, up to the bound of one turn. */
  fireDue(now: number): void {
    this.as(undefined, () => this.#fireDue(now));
  }

  #fireDue(now: number): void {
    let cost = 0;
    for (let fired = 0; fired < TIMERS_PER_TURN && cost < TURN_BUDGET; fired++) {
      const timer = nextDue(this.machine.snapshot, now);
      const claim = nextToExpire(this.machine.claims);
      const expired = claim !== undefined && claim.until <= now ? claim : undefined;
      if (expired !== undefined && (timer === undefined || expired.until < timer.at)) this.#expire(expired);
      else if (timer !== undefined) this.#fire(timer);
      else return;
      cost += TIMER_COST + this.machine.chart.evaluator.spent;
    }
  }

  /**
   * Applies one report. A refusal changes nothing; a repetition is answered and changes nothing.
   *
   * @param begunAt the revision at which this request has begun its run: to its `If-Match` that is still revision 0.
   */
  update(update: Update, now: number, begunAt?: number): Yes | Refusal {
    if (update.key === undefined) return this.#report(update, now, begunAt);
    const key = requestKey(update.key);
    const said = [update.state, update.event, update.by ?? null, update.revisions ?? null];
    const request = hashOfRequest(JSON.stringify(said));
    const before = this.#receipt(key);
    if (before === undefined) {
      const answer = this.#report(update, now, begunAt);
      const kept = answer.ok ? { ok: answer.ok, revision: answer.revision } : shorten(answer, RECEIPT_BYTES);
      this.#draft.keep({ key, visit: 0, began: 0, request, answer: JSON.stringify(kept) });
      return kept.ok ? answer : kept;
    }
    if (before.request !== request) return keyReused(this.machine, update.key);
    const kept: Omit<Yes, 'state'> | Refusal = JSON.parse(before.answer);
    return kept.ok ? { ...kept, state: update.state } : kept;
  }

  /** Takes a slot of a state, or renews the one that the caller has. */
  claim(name: string, by: string, now: number): Claimed | Refusal {
    const found = findCurrent(this.machine, name, now);
    if (!found.ok) return found;
    const { state } = found;
    const slots = slotsOf(this.machine.chart, state);
    if (slots === undefined) return noSlots(this.machine, state);
    const held = claimOf(this.machine.claims, state, by);
    if (held === undefined) {
      const { claims } = this.machine;
      if (countOn(claims, state) >= slots.count) return slotsTaken(this.machine, state, now);
      if (countAll(claims) >= CLAIMS) return claimsFull(this.machine, now);
    }
    const until = now + slots.lease;
    this.#draft.setClaim({ state, by, since: held?.since ?? now, until });
    const notes = held === undefined ? [] : ['renewed'];
    this.#draft.change(now, { cause: 'claim', event: null, state: this.#draft.nameOf(state), by, notes });
    return { ...this.#yes(state), by, until };
  }

  /** Gives a slot back without a report; one that is not held is as good as given back. */
  release(name: string, by: string, now: number): Yes | Refusal {
    const found = findState(this.machine, name);
    if (!found.ok) return found;
    this.#giveBack(found.state, by, now);
    return this.#yes(found.state);
  }

  /**
   * Enters a chart's initial state over again.
   *
   * @returns whether it could: a chart that was checked can.
   */
  restart(chart: Chart, source: StoredChart, cause: Cause, by: string | null, now: number): boolean {
    const step = start(chart, now, this.machine.snapshot);
    if (!step.ok) return false;
    const entry = { cause, event: null, state: null, by, notes: step.failures };
    this.#draft.restart(step, now, entry, chart, source);
    this.fireDue(now);
    return true;
  }

  /** Notes the chart that was uploaded to the address. */
  upload(chart: Pick<StoredChart, 'hash' | 'text'>): void {
    this.#draft.upload(chart);
  }

  /** Goes on by a corrected sequence: like `restart`, but what was reported in the visits that it goes on with is kept. */
  correct(chart: Chart, source: StoredChart, by: string | null, now: number): void {
    const before = { machine: this.machine, reports: this.#reports(), left: this.#endedVisits() };
    this.restart(chart, source, 'upload', by, now);
    const { reports, left } = carryOver(before, this.machine);
    for (const report of reports) this.#draft.keep(report);
    for (const visit of left) this.#draft.noteLeft(visit);
  }

  /** The receipts of all reports of the run, stored or to be stored. */
  #reports(): Receipt[] {
    const stored = this.#draft.isRestarted ? [] : this.#records.reports();
    const staged = this.#draft.reports();
    return [...new Map([...stored, ...staged].map((receipt) => [receipt.key, receipt])).values()];
  }

  #endedVisits(): EndedVisit[] {
    const stored = this.#draft.isRestarted ? [] : this.#records.endedVisits();
    const staged = this.#draft.endedVisits();
    return [...new Map([...stored, ...staged].map((visit) => [visit.state, visit])).values()];
  }

  #report({ state: name, event, by, revisions }: Update, now: number, begunAt?: number): Yes | Refusal {
    const found = findState(this.machine, name);
    if (!found.ok) return found;
    const { state } = found;
    if (by !== undefined && this.#hasReported(state, event, by)) {
      // Whoever has forgotten that may have claimed a slot once more, and is done with it.
      for (const guarded of this.#guardedBy(state, event)) this.#giveBack(guarded, by, now);
      return this.#yes(state);
    }
    const revision = this.machine.revision === begunAt ? 0 : this.machine.revision;
    if (revisions !== undefined && !revisions.includes(revision)) return wrongRevision(this.machine);
    const current = findCurrent(this.machine, name, now);
    if (!current.ok) return current;
    const held: Claim[] = [];
    const isSlotNeeded = needsSlot(this.machine.chart, this.machine.snapshot, state, event);
    for (const guarded of this.#guardedBy(state, event)) {
      const claim = by === undefined ? undefined : claimOf(this.machine.claims, guarded, by);
      if (claim !== undefined) held.push(claim);
      else if (isSlotNeeded) return notHolder(this.machine, guarded, by);
    }
    const step = send(this.machine.chart, this.machine.snapshot, { type: event, address: state }, now);
    if (!step.ok) return this.#refuse(state, event, by, step, now);
    for (const claim of held) this.#draft.clearClaim(claim);
    if (by !== undefined) this.#remember(state, event, by);
    const entry = { cause: 'update', event, state: this.#draft.nameOf(state), by: by ?? null } as const;
    this.#draft.take(step, now, { ...entry, notes: step.failures });
    // What it entered may be over already.
    this.fireDue(now);
    return this.#yes(state);
  }

  /** Whether the caller has reported in this visit of the state, or in its last one where it was left. */
  #hasReported(state: StateNumber, event: string, by: string): boolean {
    const receipt = this.#receipt(reportKey(state, event, by));
    if (receipt === undefined) return false;
    const present = this.machine.snapshot.active.get(state)?.number;
    return receipt.visit === (present ?? this.#draft.lastVisit(state) ?? this.#records.lastVisit(state) ?? 0);
  }

  #remember(state: StateNumber, event: string, by: string): void {
    const { active, visits: began } = this.machine.snapshot;
    const key = reportKey(state, event, by);
    this.#draft.keep({ key, visit: active.get(state)?.number ?? 0, began, request: '', answer: '' });
  }

  #receipt(key: string): Receipt | undefined {
    const staged = this.#draft.receipt(key);
    if (staged !== undefined || (this.#draft.isRestarted && isReport(key))) return staged;
    return this.#records.receipt(key);
  }

  /** The active states with slots that a report touches: it is sent into them, or something in them takes it. */
  #guardedBy(address: StateNumber, event: string): StateNumber[] {
    const { chart, snapshot } = this.machine;
    const active = [...snapshot.active.keys()];
    return active.filter((state) => {
      if (slotsOf(chart, state) === undefined || !isRelated(chart.model, address, state)) return false;
      return (
        isWithin(chart.model, address, state) ||
        active.some((inside) => isWithin(chart.model, inside, state) && takes(chart, inside, event))
      );
    });
  }

  /** Frees a slot that `by` may hold. */
  #giveBack(state: StateNumber, by: string, now: number): void {
    const held = claimOf(this.machine.claims, state, by);
    if (held === undefined) return;
    this.#draft.clearClaim(held);
    const name = this.#draft.nameOf(state);
    this.#draft.change(now, { cause: 'release', event: null, state: name, by, notes: [] });
  }

  #fire(timer: Timer): void {
    const { chart, snapshot, changedAt } = this.machine;
    // At the timer's own moment, but never before what has happened already.
    const at = Math.max(timer.at, changedAt);
    const step = fire(chart, snapshot, timer, at);
    const entry = { event: eventName(timer), state: null, by: null };
    if (step.ok) this.#draft.take(step, at, { cause: 'timer', ...entry, notes: step.failures });
    else {
      const notes = [step.detail, ...step.failures];
      this.#draft.take(dropTimer(snapshot, timer), at, { cause: 'refused', ...entry, notes });
    }
  }

  #expire(claim: Claim): void {
    this.#draft.clearClaim(claim);
    const at = Math.max(claim.until, this.machine.changedAt);
    const state = this.#draft.nameOf(claim.state);
    this.#draft.change(at, { cause: 'lease-expired', event: null, state, by: claim.by, notes: [] });
  }

  /** A report that was turned down; what went wrong in the chart itself is written down. */
  #refuse(
    state: StateNumber,
    event: string,
    by: string | undefined,
    { reason, detail, failures }: NoStep,
    now: number,
  ): Refusal {
    const { machine } = this;
    const notes = reason === 'not-taken' ? failures : [detail, ...failures];
    if (notes.length > 0) {
      const name = this.#draft.nameOf(state);
      this.#draft.note(now, { cause: 'refused', event, state: name, by: by ?? null, notes });
    }
    return reason === 'not-taken' ? notTaken(machine, state, event) : notDone(machine, event, reason, detail);
  }

  #yes(state: StateNumber): Yes {
    return { ok: true, state: this.#draft.nameOf(state), revision: this.machine.revision };
  }
}

export const NO_RECORDS: Records = {
  receipt: () => undefined,
  lastVisit: () => undefined,
  reports: () => [],
  endedVisits: () => [],
};

/** What the history calls a timer's event: those of `after` and `at` are xstate's and nobody's business. */
function eventName({ event }: Timer): string | null {
  return event.startsWith('xstate.') ? null : event;
}
