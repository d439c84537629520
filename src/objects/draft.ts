import {
  type LeftState,
  nameOf,
  ROOT,
  type Snapshot,
  type StateNumber,
  type Step,
  storeSnapshot,
  type Timer,
} from '../chart/chart.ts';
import type { HistoryEntry } from '../store/history-table.ts';
import type { Changes, StoredChart } from '../store/machine-store.ts';
import { isReport, type Receipt } from '../store/receipt-table.ts';
import { activeNames, type RunningMachine } from './machine-state.ts';
import {
  type Claim,
  claimOf,
  keyOf,
  NO_CLAIMS,
  withClaim,
  withoutClaim,
  withoutState,
} from './slot-claims.ts';

/** What an entry of the history says beside when, and from where to where. */
export type Entry = Pick<HistoryEntry, 'cause' | 'event' | 'state' | 'by' | 'notes'>;

/** The states that were active before a step, and those that it entered. */
type Moved = Pick<HistoryEntry, 'from' | 'entered'>;

/**
 * A machine that is being changed, and what has to be stored for it. The machine that it began with stays as it
 * was, so that a draft can be thrown away.
 */
export class Draft {
  #machine: RunningMachine;
  readonly #history: HistoryEntry[] = [];
  readonly #timersSet = new Map<number, Timer>();
  readonly #timersCleared = new Set<number>();
  readonly #left = new Map<StateNumber, LeftState & { readonly at: number }>();
  /** By their keys: claims that were set or cleared, perhaps more than once. */
  readonly #claimed = new Map<string, Claim>();
  /** States that were left while slots of them were held. */
  readonly #freed = new Set<StateNumber>();
  readonly #receipts = new Map<string, Receipt>();
  readonly #passed = new Set<StateNumber>();
  /** Whose token the command has that is being run; null where none was asked for, and where nobody does it. */
  subject: string | null = null;
  #restarted: Changes['restarted'];
  #uploaded: Changes['uploaded'];

  constructor(machine: RunningMachine) {
    this.#machine = machine;
  }

  /** Where the machine stands now. */
  get machine(): RunningMachine {
    return this.#machine;
  }

  /** States that were entered, also those that were left again. */
  get passed(): ReadonlySet<StateNumber> {
    return this.#passed;
  }

  /** Whether another run has begun: what the store knows of states is of the one before. */
  get isRestarted(): boolean {
    return this.#restarted !== undefined;
  }

  /** What is to be committed, or nothing. */
  get changes(): Changes | undefined {
    if (this.#history.length === 0 && this.#receipts.size === 0) return undefined;
    const { revision, entries, changedAt, snapshot, claims } = this.#machine;
    const claimed = [...this.#claimed.values()].map((claim) => ({
      claim,
      now: claimOf(claims, claim.state, claim.by),
    }));
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
      freed: [...this.#freed],
      claimsSet: claimed.flatMap(({ now }) => now ?? []),
      claimsCleared: claimed.flatMap(({ claim, now }) => (now === undefined ? [claim] : [])),
      receipts: [...this.#receipts.values()],
      history: this.#history,
    };
  }

  /** Takes over what a step of the chart has come to. */
  take(step: Step, at: number, entry: Entry, from = this.#names(this.#machine.snapshot)): void {
    for (const id of step.timersCleared) if (!this.#timersSet.delete(id)) this.#timersCleared.add(id);
    for (const timer of step.timersSet) this.#timersSet.set(timer.id, timer);
    for (const { state, visit } of step.left) {
      this.#left.set(state, { state, visit, at });
      // A claim is of a visit.
      this.#clearClaimsOn(state);
    }
    for (const state of step.entered) this.#passed.add(state);
    this.#machine = { ...this.#machine, snapshot: step.snapshot };
    // Each once: a chart can go round many times in one step.
    const entered = [...new Set(step.entered)].filter((state) => state !== ROOT);
    this.change(at, entry, { from, entered: entered.map((state) => this.nameOf(state)) });
  }

  /** Puts the machine at the start of another run, perhaps of another chart. */
  restart(step: Step, at: number, entry: Entry, chart: RunningMachine['chart'], source: StoredChart): void {
    const from = this.#names(this.#machine.snapshot);
    for (const key of this.#receipts.keys()) if (isReport(key)) this.#receipts.delete(key);
    this.#claimed.clear();
    this.#freed.clear();
    this.#timersSet.clear();
    this.#timersCleared.clear();
    this.#left.clear();
    const { hash, origin } = source;
    this.#machine = { ...this.#machine, chart, source: { hash, origin }, claims: NO_CLAIMS };
    this.take(step, at, entry, from);
    const began = { started: this.#machine.revision, startedAt: at };
    this.#machine = { ...this.#machine, ...began };
    this.#restarted = { ...began, chart: source };
  }

  /** Notes the chart that was uploaded to the address. */
  upload({ hash, text }: Pick<StoredChart, 'hash' | 'text'>): void {
    this.#uploaded = { hash, text };
  }

  /** Counts a change, and writes it down. */
  change(at: number, entry: Entry, moved?: Moved): void {
    this.#machine = { ...this.#machine, revision: this.#machine.revision + 1, changedAt: at };
    this.note(at, entry, moved);
  }

  /** Writes an entry; without `moved` the states are what they were. */
  note(at: number, entry: Entry, moved?: Moved): void {
    const id = this.#machine.entries + 1;
    this.#machine = { ...this.#machine, entries: id };
    const to = this.#names(this.#machine.snapshot);
    const { revision } = this.#machine;
    const { from = to, entered = [] } = moved ?? {};
    this.#history.push({ id, revision, at, ...entry, sub: this.subject, from, to, entered });
  }

  setClaim(claim: Claim): void {
    this.#claimed.set(keyOf(claim), claim);
    this.#machine = { ...this.#machine, claims: withClaim(this.#machine.claims, claim) };
  }

  clearClaim(claim: Claim): void {
    this.#claimed.set(keyOf(claim), claim);
    this.#machine = { ...this.#machine, claims: withoutClaim(this.#machine.claims, claim) };
  }

  /** Frees all slots of a state at once. */
  #clearClaimsOn(state: StateNumber): void {
    const { claims } = this.#machine;
    if (!claims.has(state)) return;
    this.#freed.add(state);
    this.#machine = { ...this.#machine, claims: withoutState(claims, state) };
  }

  /** @returns the receipts of reports that are to be stored. */
  reports(): Receipt[] {
    return [...this.#receipts.values()].filter(({ key }) => isReport(key));
  }

  /** @returns the visits that have ended in this draft, the last one of each state. */
  endedVisits(): (LeftState & { readonly at: number })[] {
    return [...this.#left.values()];
  }

  /** Notes that a state was left, by the chart before. */
  noteLeft(visit: LeftState & { readonly at: number }): void {
    this.#left.set(visit.state, visit);
  }

  keep(receipt: Receipt): void {
    this.#receipts.set(receipt.key, receipt);
  }

  /** @returns a receipt that is to be stored. */
  receipt(key: string): Receipt | undefined {
    return this.#receipts.get(key);
  }

  /** @returns the number of the visit of `state` that has ended last, where it has in this draft. */
  lastVisit(state: StateNumber): number | undefined {
    return this.#left.get(state)?.visit;
  }

  nameOf(state: StateNumber): string {
    return nameOf(this.#machine.chart, state);
  }

  #names(snapshot: Snapshot): string[] {
    return activeNames(this.#machine.chart, snapshot);
  }
}
