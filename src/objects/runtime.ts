import type { Address } from '../address.ts';
import { writeBeginning } from '../chart/chart.ts';
import type { Refusal } from '../refusal.ts';
import { type Changes, MachineStore, type StoredChart } from '../store/machine-store.ts';
import { Alarm } from './alarm.ts';
import { Batch } from './batch.ts';
import type { ChartText } from './catalog.ts';
import { type MachineEnv, newestChart, type ReadChart, readFound } from './chart-source.ts';
import { Counters } from './counters.ts';
import { nextChange, type RunningMachine, wake } from './machine-state.ts';
import { noChart, noRevision } from './refusals.ts';
import { Membership } from './registry.ts';
import { NO_RECORDS, type Records, Turn } from './turn.ts';

/**
 * A machine as its object keeps it: in storage, and in memory for as long as storage says the same. It is started
 * where a chart is to be found for it, what is due is fired before anything else, and commands that wait at the same
 * time are one turn and one commit, whole or not at all.
 */
export class Keeper {
  readonly store: MachineStore;
  readonly counters = new Counters();
  readonly #ctx: DurableObjectState;
  readonly #env: MachineEnv;
  readonly #address: Address;
  readonly #onCommit: (turn: Turn, changes: Changes) => void;
  readonly #membership: Membership;
  readonly #alarm: Alarm;
  readonly #records: Records;
  #machine: RunningMachine | undefined;
  /** The last chart that was read for a machine that was not there: a run that has not begun may be asked about often. */
  #reading: { readonly hash: string; readonly read: ReadChart | Refusal } | undefined;
  #batch: Batch | undefined;
  /** Requests that are about to start it, and how often it was erased. */
  #starting = 0;
  #erased = 0;

  /** @param onCommit is told of each turn that was committed, in the same turn of the event loop. */
  constructor(
    ctx: DurableObjectState,
    env: MachineEnv,
    address: Address,
    onCommit: (turn: Turn, changes: Changes) => void,
  ) {
    this.#ctx = ctx;
    this.#env = env;
    this.#address = address;
    this.#onCommit = onCommit;
    this.store = new MachineStore(ctx.storage.sql);
    this.#membership = new Membership(env, address);
    this.#alarm = new Alarm(ctx.storage);
    this.#records = {
      receipt: (key) => this.store.receipts.find(key),
      lastVisit: (state) => this.store.lastVisit(state),
      reports: () => this.store.receipts.reportReceipts(),
      endedVisits: () => this.store.endedVisits(),
    };
  }

  /**
   * The machine as storage has it, with all that is due done. Reads storage each time: what is in memory may be
   * stale where the platform has started a second object meanwhile.
   */
  current(now = Date.now()): RunningMachine | undefined {
    const entries = this.store.entries();
    if (entries !== this.#machine?.entries) this.#machine = entries === undefined ? undefined : this.#load();
    const machine = this.#machine;
    if (machine === undefined || !isDue(machine, now)) return machine;
    return this.#commit(machine, (turn) => turn.fireDue(now));
  }

  /** The newest chart for the address, which need not be the one that the machine runs by. */
  newestChart(): Promise<ChartText | undefined> {
    return newestChart(this.#env, this.store, this.#address);
  }

  /**
   * The machine for a request that only asks. A chart's own machine begins with its first request. A run that has not
   * begun is shown as if it began now, at revision 0, and nothing is written: readers cannot fill a tenant's list.
   */
  async read(): Promise<RunningMachine | Refusal> {
    const present = this.current();
    if (present !== undefined) return present;
    if (this.#address.run === undefined) {
      const begun = await this.start();
      return begun.ok ? begun.machine : begun;
    }
    const found = await this.#findToBegin();
    if ('ok' in found || 'revision' in found) return found;
    return previewOf(found);
  }

  /**
   * Starts the machine where a chart is to be found for it, and leaves nothing behind where there is none.
   *
   * @param revisions `If-Match` of the request: a run that has not begun is at revision 0.
   */
  async start(revisions?: readonly number[]): Promise<Begun | Refusal> {
    const found = await this.#findToBegin();
    if ('ok' in found) return found;
    if ('revision' in found) return { ok: true, machine: found, isNew: false };
    const isRun = this.#address.run !== undefined;
    if (isRun && revisions !== undefined && !revisions.includes(0)) return noRevision(this.#address);
    return this.begin(found, 'start');
  }

  /** @returns the chart to begin by, or the machine where another request has begun it meanwhile. */
  async #findToBegin(): Promise<ReadChart | RunningMachine | Refusal> {
    const found = await this.newestChart();
    const machine = this.current();
    if (machine !== undefined) return machine;
    if (found === undefined) return noChart(this.#address);
    if (this.#reading?.hash !== found.hash) {
      this.#reading = { hash: found.hash, read: readFound(this.#address, found) };
    }
    return this.#reading.read;
  }

  /** @returns the definition of the chart with this hash, as JSON: the machine's, or that of a run that has not begun. */
  definition(hash: string): string | undefined {
    if (this.store.entries() !== undefined) return this.store.definition(hash);
    if (this.#reading?.hash !== hash || 'ok' in this.#reading.read) return undefined;
    return JSON.stringify(this.#reading.read.source.definition);
  }

  /** Enters the machine on the list of its tenant and commits its first turn, unless another request has. */
  async begin(
    { chart, source }: ReadChart,
    cause: 'start' | 'upload',
    by?: string,
    sub?: string,
  ): Promise<Begun | Refusal> {
    this.#starting += 1;
    try {
      // One that is erased while it is entered is off the list again.
      for (let erased: number | undefined; erased !== this.#erased; ) {
        erased = this.#erased;
        const refusal = await this.#membership.enter(source);
        if (refusal !== undefined) return refusal;
      }
      const now = Date.now();
      const present = this.current(now);
      if (present !== undefined) return { ok: true, machine: present, isNew: false };
      const turn = Turn.begin(chart, source, cause, by ?? null, now, sub);
      if (cause === 'upload') turn?.upload({ ...source, text: writeBeginning(chart, source.text) });
      const changes = turn?.changes;
      if (turn === undefined || changes === undefined) throw new Error('a checked chart cannot start');
      this.counters.restore();
      this.counters.countEntries(changes.history);
      this.#ctx.storage.transactionSync(() => this.store.create(changes, this.counters.store()));
      this.#publish(turn, changes);
      return { ok: true, machine: turn.machine, isNew: true };
    } finally {
      this.#starting -= 1;
    }
  }

  /**
   * Runs a command in the open batch, and starts the machine for it where it is not there.
   *
   * @param run is also told the revision at which this very command has begun a run; that counts as revision 0.
   * @param revisions `If-Match` of the request.
   */
  async command<Answer extends object>(
    run: (turn: Turn, now: number, begunAt?: number) => Answer | Refusal,
    sub?: string,
    revisions?: readonly number[],
  ): Promise<Answer | Refusal> {
    let begunAt: number | undefined;
    // Where there is one in memory, the batch looks whether storage still has the same.
    if ((this.#machine ?? this.current()) === undefined) {
      const begun = await this.start(revisions);
      if (!begun.ok) return begun;
      if (begun.isNew && this.#address.run !== undefined) begunAt = begun.machine.revision;
    }
    this.#batch ??= new Batch(this.#ctx.storage, (runAll) => {
      this.#batch = undefined;
      const now = Date.now();
      const machine = this.current(now);
      if (machine !== undefined) this.#commit(machine, (turn) => runAll(turn, now));
    });
    return this.#batch.join((turn, now) => turn.as(sub, () => run(turn, now, begunAt)));
  }

  /** Runs a command that can change nothing in a machine that is new: a run does not begin with it. */
  async commandOnBegun<Answer extends object>(
    run: (turn: Turn, now: number) => Answer | Refusal,
    sub?: string,
  ): Promise<Answer | Refusal> {
    // Commands join the batch in the order in which they came: nothing is awaited before.
    if ((this.#machine ?? this.current()) !== undefined) return this.command(run, sub);
    const machine = await this.read();
    if ('ok' in machine) return machine;
    if (machine.preview === undefined) return this.command(run, sub);
    return run(new Turn(machine, NO_RECORDS), Date.now());
  }

  /** Runs a command that may give the machine another chart. */
  async exchange<Answer extends object>(
    next: StoredChart,
    sub: string | undefined,
    run: (turn: Turn, now: number) => Answer | Refusal,
  ): Promise<Answer | Refusal> {
    const before = this.current();
    if (before === undefined || before.source.hash === next.hash) return this.command(run, sub);
    const refusal = await this.#membership.enter(next);
    if (refusal !== undefined) return refusal;
    try {
      return await this.command(run, sub);
    } finally {
      // Whatever has come of it, and of others meanwhile: said in the turn in which it was looked at.
      const isThere = this.current() !== undefined;
      await (isThere ? this.#membership.correct(this.store.chartBytes()) : this.#membership.leave());
    }
  }

  /** Fires what is due, and sets the alarm anew: it has gone off. May come late, twice, or for nothing. */
  alarm(): void {
    this.#alarm.forget();
    const now = Date.now();
    const machine = this.current(now);
    if (machine !== undefined) this.#alarm.set(nextChange(machine), now);
  }

  /**
   * Erases the machine, as if its address had never been used.
   *
   * @returns the revision that it had; 0 where it is not in memory, for one that cannot be read can be erased.
   */
  async erase(): Promise<number> {
    const revision = this.#machine?.revision ?? 0;
    this.#machine = undefined;
    this.#erased += 1;
    this.#alarm.forget();
    // All begin in this turn of the event loop: nothing comes between them. The platform sends nothing out before
    // what was written is durable, so the machine is gone before the list says so.
    const { storage } = this.#ctx;
    const gone = [storage.deleteAlarm(), storage.deleteAll(), this.#membership.leave()];
    this.store.forget();
    await Promise.all(gone);
    return revision;
  }

  /** Takes a machine that is not there off the list of its tenant, unless it is about to be. */
  async leaveList(): Promise<void> {
    if (this.#starting === 0) await this.#membership.leave();
  }

  /** Reads the machine into memory. */
  #load(): RunningMachine | undefined {
    this.counters.restore(this.store.counts());
    return wake(this.store);
  }

  /** Takes one turn and commits what it changed, whole or not at all. */
  #commit(machine: RunningMachine, act: (turn: Turn) => void): RunningMachine {
    const turn = new Turn(machine, this.#records);
    act(turn);
    const { changes } = turn;
    if (changes === undefined) return machine;
    this.counters.countEntries(changes.history);
    try {
      this.#ctx.storage.transactionSync(() => this.store.write(changes, this.counters.store()));
    } catch (error) {
      // What storage holds now, only storage can say: the machine and its counts are read again.
      this.#machine = undefined;
      throw error;
    }
    this.#publish(turn, changes);
    return turn.machine;
  }

  /** Takes over what was committed. */
  #publish(turn: Turn, changes: Changes): void {
    this.#machine = turn.machine;
    this.#reading = undefined;
    this.#alarm.set(nextChange(turn.machine), Date.now());
    this.#onCommit(turn, changes);
  }
}

/** A machine that is there, and whether this request has begun it. */
interface Begun {
  readonly ok: true;
  readonly machine: RunningMachine;
  readonly isNew: boolean;
}

/** A run that has not begun, as if it began now. */
function previewOf({ chart, source }: ReadChart): RunningMachine {
  const turn = Turn.begin(chart, source, 'start', null, Date.now());
  if (turn === undefined) throw new Error('a checked chart cannot start');
  return { ...turn.machine, revision: 0, started: 0, entries: 0, preview: source };
}

function isDue(machine: RunningMachine, now: number): boolean {
  const next = nextChange(machine);
  return next !== undefined && next <= now;
}
