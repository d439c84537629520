import {
  type Claim,
  type CoolingSlot,
  claimKeyOf,
  claimOf,
  NO_CLAIMS,
  NOTHING_COOLS,
  nameOf,
  nextSlot,
  ROOT,
  type Snapshot,
  type StateNumber,
  type Step,
  storeSnapshot,
  type Timer,
  withClaim,
  withCooling,
  withoutClaim,
  withoutCooling,
  withoutState,
} from '../chart/chart.ts';
import type { HistoryEntry } from '../store/history-table.ts';
import type { Changes, StoredChart } from '../store/machine-store.ts';
import type { Notification } from '../store/outbox-table.ts';
import { type CountedReport, isReport, type Receipt } from '../store/receipt-table.ts';
import type { Restoration } from '../store/restoration.ts';
import type { EndedVisit, StoredMembers } from '../store/stored-machine.ts';
import { activeNames, type MachineState } from './machine-state.ts';
import { Messages } from './messages.ts';
import type { Records } from './records.ts';
import { TimerAllowance } from './timer-allowance.ts';

/** An entry of the history without its number, its moment and the states that were left and entered. */
export type Entry = Pick<HistoryEntry, 'cause' | 'event' | 'state' | 'by' | 'sub' | 'notes' | 'data'>;

/**
 * A turn: the machine after the commands that were applied so far, and the changes to commit. The machine before the turn
 * is not touched, so a draft can be dropped.
 */
export class Draft {
  #machine: MachineState;
  readonly #records: Records;
  /** The timers that the turn may still fire. */
  readonly timers: TimerAllowance;
  /** The messages to hooks. */
  readonly messages = new Messages();
  readonly #history: HistoryEntry[] = [];
  readonly #timersSet = new Map<number, Timer>();
  readonly #timersCleared = new Set<number>();
  readonly #left = new Map<StateNumber, EndedVisit>();
  /** Claims that were set or cleared, by key. */
  readonly #claimed = new Map<string, Claim>();
  readonly #cooling: CoolingSlot[] = [];
  readonly #cooled = new Set<StateNumber>();
  /** States that were left while slots of them were held. */
  readonly #freed = new Set<StateNumber>();
  readonly #receipts = new Map<string, Receipt>();
  readonly #passed = new Set<StateNumber>();
  #restarted: Changes['restarted'];
  #inputs: Changes['inputs'];
  #paused: Changes['paused'];
  #renumbered: Changes['renumbered'];
  #uploaded: Changes['uploaded'];
  #areMembersChanged = false;
  /** Set if the machine begins in this turn: the revision that counts as 0, and the size of the draft by then. */
  #begun: { readonly revision: number; readonly size: number } | undefined;

  constructor(machine: MachineState, records: Records, timers = new TimerAllowance()) {
    this.#machine = machine;
    this.#records = records;
    this.timers = timers;
  }

  /** The machine at this point of the turn. */
  get machine(): MachineState {
    return this.#machine;
  }

  /** States that were entered in the turn, even if they were left again. */
  get passed(): ReadonlySet<StateNumber> {
    return this.#passed;
  }

  /** Whether another run has begun: rows about states are of the run before. */
  get isRestarted(): boolean {
    return this.#restarted !== undefined;
  }

  /** Marks the draft so far as the beginning of the machine. A run is at revision 0 until it has begun. */
  markBegun(isRun: boolean): void {
    this.#begun = { revision: isRun ? this.#machine.revision : 0, size: this.#size };
  }

  /** Whether the machine begins in this turn, and nothing else has changed yet. */
  get isNew(): boolean {
    return this.#begun?.size === this.#size;
  }

  /** The revision that `If-Match` is compared with: a run that begins in this turn is at revision 0 until it changes. */
  get matchedRevision(): number {
    const { revision } = this.#machine;
    return revision === this.#begun?.revision ? 0 : revision;
  }

  get #size(): number {
    return this.#history.length + this.#receipts.size;
  }

  /** The changes to commit; undefined if there are none. */
  get changes(): Changes | undefined {
    if (this.#size === 0) return undefined;
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
      ...(this.#inputs === undefined ? {} : { inputs: this.#inputs }),
      ...(this.#paused === undefined ? {} : { paused: this.#paused }),
      ...(this.#renumbered === undefined ? {} : { renumbered: this.#renumbered }),
      ...(this.#uploaded === undefined ? {} : { uploaded: this.#uploaded }),
      ...(this.#areMembersChanged ? { members: this.#members } : {}),
      timersSet: [...this.#timersSet.values()],
      timersCleared: [...this.#timersCleared],
      left: [...this.#left.values()],
      freed: [...this.#freed],
      cooling: { set: this.#cooling, dropped: [...this.#cooled] },
      claimsSet: claimed.flatMap(({ now }) => now ?? []),
      claimsCleared: claimed.flatMap(({ claim, now }) => (now === undefined ? [claim] : [])),
      receipts: [...this.#receipts.values()],
      history: this.#history,
    };
  }

  /** Takes over the result of a step of the chart. */
  take(step: Step, at: number, entry: Entry, from = this.#names(this.#machine.snapshot)): void {
    for (const id of step.timersCleared) if (!this.#timersSet.delete(id)) this.#timersCleared.add(id);
    for (const timer of step.timersSet) this.#timersSet.set(timer.id, timer);
    for (const { state, visit } of step.left) {
      this.#left.set(state, { state, visit, at });
      // A claim ends with the visit.
      this.#clearClaimsOn(state);
    }
    for (const state of step.entered) this.#passed.add(state);
    this.#machine = { ...this.#machine, snapshot: step.snapshot };
    // Each once: a chart can pass a state many times in one step.
    const entered = [...new Set(step.entered)].filter((state) => state !== ROOT);
    this.change(at, entry, { from, entered });
  }

  /** Begins another run, perhaps of another chart. */
  restart(step: Step, at: number, entry: Entry, chart: MachineState['chart'], source: StoredChart): void {
    const from = this.#names(this.#machine.snapshot);
    for (const key of this.#receipts.keys()) if (isReport(key)) this.#receipts.delete(key);
    this.#claimed.clear();
    this.#freed.clear();
    this.#cooling.length = 0;
    this.#cooled.clear();
    this.#timersSet.clear();
    this.#timersCleared.clear();
    this.#left.clear();
    const { hash, origin } = source;
    this.#machine = {
      ...this.#machine,
      chart,
      source: { hash, origin },
      claims: NO_CLAIMS,
      cooling: NOTHING_COOLS,
    };
    const { inputs } = step.snapshot.terms;
    const hadInputs = Object.keys(this.#machine.snapshot.terms.inputs).length > 0;
    if (hadInputs || Object.keys(inputs).length > 0) this.#inputs = inputs;
    this.take(step, at, entry, from);
    const began = { started: this.#machine.revision, startedAt: at };
    this.#machine = { ...this.#machine, ...began };
    this.#restarted = { ...began, chart: source };
  }

  /** Goes on above the revision and the entries of history of what a restore has undone. */
  numberFrom({ revision, entries }: Pick<Restoration, 'revision' | 'entries'>): void {
    this.#renumbered = { entries: this.#machine.entries };
    this.#machine = { ...this.#machine, revision, entries };
  }

  /** Notes the chart that was uploaded to the address. */
  upload({ hash, text }: Pick<StoredChart, 'hash' | 'text'>): void {
    this.#uploaded = { hash, text };
  }

  /** Takes over a snapshot whose terms have changed: an entry of the history must follow. */
  changeTerms(snapshot: Snapshot): void {
    const before = this.#machine.snapshot.terms;
    const { inputs, members, paused } = snapshot.terms;
    if (inputs !== before.inputs) this.#inputs = inputs;
    if (paused !== before.paused) this.#paused = paused ?? null;
    this.#areMembersChanged ||= members !== before.members;
    this.#machine = { ...this.#machine, snapshot };
  }

  /** Notes that the machine begins with the members that it has. */
  noteMembers(): void {
    this.#areMembersChanged = true;
  }

  get #members(): StoredMembers | null {
    const { revision, snapshot } = this.#machine;
    const { members } = snapshot.terms;
    return members === undefined ? null : { revision, members };
  }

  /** Counts a change, and adds its entry to the history. */
  change(at: number, entry: Entry, moved?: Moved): void {
    this.#machine = { ...this.#machine, revision: this.#machine.revision + 1, changedAt: at };
    this.note(at, entry, moved);
  }

  /** Adds an entry to the history. Without `moved`, the states are unchanged. */
  note(at: number, entry: Entry, moved?: Moved): void {
    const id = this.#machine.entries + 1;
    this.#machine = { ...this.#machine, entries: id };
    const to = this.#names(this.#machine.snapshot);
    const { revision } = this.#machine;
    const { from = to, entered = [] } = moved ?? {};
    const names = entered.map((state) => this.nameOf(state));
    const written = { id, revision, at, ...entry, from, to, entered: names };
    this.#history.push(written);
    this.messages.note(this.#machine, written, entered);
  }

  /** Returns the messages about an entry of the history. */
  notifications(entry: number): readonly Notification[] {
    return this.#records.notifications(entry);
  }

  setClaim(claim: Claim): void {
    this.#claimed.set(claimKeyOf(claim), claim);
    this.#machine = { ...this.#machine, claims: withClaim(this.#machine.claims, claim) };
  }

  clearClaim(claim: Claim): void {
    this.#claimed.set(claimKeyOf(claim), claim);
    this.#machine = { ...this.#machine, claims: withoutClaim(this.#machine.claims, claim) };
  }

  /** Keeps a slot of `state` taken until its cooldown is over. */
  coolDown(state: StateNumber, until: number, now: number): void {
    const { cooling } = this.#machine;
    const slot = { state, slot: nextSlot(cooling, state, now), until };
    this.#cooling.push(slot);
    this.#machine = { ...this.#machine, cooling: withCooling(cooling, slot) };
  }

  /** Frees all slots of a state at once. */
  #clearClaimsOn(state: StateNumber): void {
    const { claims, cooling } = this.#machine;
    if (claims.has(state)) {
      this.#freed.add(state);
      this.#machine = { ...this.#machine, claims: withoutState(claims, state) };
    }
    if (!cooling.has(state)) return;
    this.#cooled.add(state);
    this.#cooling.splice(0, this.#cooling.length, ...this.#cooling.filter((slot) => slot.state !== state));
    this.#machine = { ...this.#machine, cooling: withoutCooling(cooling, state) };
  }

  /** Returns the receipts of all reports of this run. */
  reports(): Receipt[] {
    const stored = this.isRestarted ? [] : this.#records.reports();
    const staged = [...this.#receipts.values()].filter(({ key }) => isReport(key));
    return [...new Map([...stored, ...staged].map((receipt) => [receipt.key, receipt])).values()];
  }

  /** Returns the reports of this run that shares of the members have counted. */
  countedReports(): CountedReport[] {
    const stored = this.isRestarted ? [] : this.#records.countedReports();
    const staged = [...this.#receipts.values()].filter(({ key }) => isReport(key));
    return [...new Map([...stored, ...staged].map((receipt) => [receipt.key, receipt])).values()];
  }

  /** Returns the last visit of each state that was left in this run. @param since only visits of this number, and later ones. */
  endedVisits(since = 0): EndedVisit[] {
    const stored = this.isRestarted ? [] : this.#records.endedVisits(since);
    return [...new Map([...stored, ...this.#left.values()].map((visit) => [visit.state, visit])).values()];
  }

  /** Returns the text of the chart that was uploaded to the address. */
  uploadedText(): string | undefined {
    return this.#uploaded?.text ?? this.#records.uploadedText();
  }

  /** Notes a visit that ended under the chart before. */
  noteLeft(visit: EndedVisit): void {
    this.#left.set(visit.state, visit);
  }

  keep(receipt: Receipt): void {
    this.#receipts.set(receipt.key, receipt);
  }

  /** Returns the receipt with this key. A restart drops those of reports. */
  receipt(key: string): Receipt | undefined {
    const staged = this.#receipts.get(key);
    if (staged !== undefined || (this.isRestarted && isReport(key))) return staged;
    return this.#records.receipt(key);
  }

  /** Returns the receipts with these keys of reports. */
  receipts(keys: readonly string[]): Receipt[] {
    const stored = this.isRestarted ? [] : this.#records.receipts(keys);
    const staged = keys.flatMap((key) => this.#receipts.get(key) ?? []);
    return [...stored.filter(({ key }) => !this.#receipts.has(key)), ...staged];
  }

  /** Returns the number of the present visit of `state`, or of its last one; 0 if there was none. */
  visitOf(state: StateNumber): number {
    const present = this.#machine.snapshot.active.get(state)?.number;
    return present ?? this.#left.get(state)?.visit ?? this.#records.lastVisit(state) ?? 0;
  }

  nameOf(state: StateNumber): string {
    return nameOf(this.#machine.chart, state);
  }

  #names(snapshot: Snapshot): string[] {
    return activeNames(this.#machine.chart, snapshot);
  }
}

/** The states that were active before a step, and those that it entered. */
interface Moved {
  readonly from: readonly string[];
  readonly entered: readonly StateNumber[];
}
