import type { Address } from './address.ts';
import { Alarm } from './alarm.ts';
import { Batch } from './batch.ts';
import type { ChartText } from './catalog.ts';
import { type MachineEnv, newestChart, type ReadChart, readFound } from './charts.ts';
import { Membership } from './membership.ts';
import { noChart } from './reasons.ts';
import type { Refusal } from './refusal.ts';
import { nextChange, type RunningMachine, wake } from './running.ts';
import { type Changes, Store, type StoredChart } from './store/store.ts';
import { type Records, Turn } from './turn.ts';

/**
 * A machine as its object keeps it: in storage, and in memory for as long as storage says the same. It is started
 * where a chart is to be found for it, what is due is fired before anything else, and commands that wait at the same
 * time are one turn and one commit, whole or not at all.
 */
export class Keeper {
  readonly store: Store;
  readonly #ctx: DurableObjectState;
  readonly #env: MachineEnv;
  readonly #address: Address;
  readonly #onCommit: (turn: Turn, changes: Changes) => void;
  readonly #membership: Membership;
  readonly #alarm: Alarm;
  readonly #records: Records;
  #machine: RunningMachine | undefined;
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
    this.store = new Store(ctx.storage.sql);
    this.#membership = new Membership(env, address);
    this.#alarm = new Alarm(ctx.storage);
    this.#records = {
      receipt: (key) => this.store.receipts.find(key),
      lastVisit: (state) => this.store.lastVisit(state),
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

  /** Starts the machine where a chart is to be found for it, and leaves nothing behind where there is none. */
  async start(): Promise<RunningMachine | Refusal> {
    const found = await this.newestChart();
    // Another request may have started it meanwhile.
    const machine = this.current();
    if (machine !== undefined) return machine;
    if (found === undefined) return noChart(this.#address);
    const read = readFound(this.#address, found);
    if ('ok' in read) return read;
    const begun = await this.begin(read, 'start');
    return begun.ok ? begun.machine : begun;
  }

  /** Enters the machine on the list of its tenant and commits its first turn, unless another request has. */
  async begin(
    { chart, source }: ReadChart,
    cause: 'start' | 'upload',
    by?: string,
    sub?: string,
  ): Promise<{ readonly ok: true; readonly machine: RunningMachine; readonly isNew: boolean } | Refusal> {
    this.#starting += 1;
    try {
      // One that is erased while it is entered is off the list again.
      for (let erased: number | undefined; erased !== this.#erased; ) {
        erased = this.#erased;
        const refusal = await this.#membership.enter(source.text);
        if (refusal !== undefined) return refusal;
      }
      const now = Date.now();
      const present = this.current(now);
      if (present !== undefined) return { ok: true, machine: present, isNew: false };
      const turn = Turn.begin(chart, source, cause, by ?? null, now, sub);
      if (cause === 'upload') turn?.upload(source);
      const changes = turn?.changes;
      if (turn === undefined || changes === undefined) throw new Error('a checked chart cannot start');
      this.#ctx.storage.transactionSync(() => this.store.create(changes));
      this.#publish(turn, changes);
      return { ok: true, machine: turn.machine, isNew: true };
    } finally {
      this.#starting -= 1;
    }
  }

  /** Runs a command in the open batch. */
  async command<Answer extends object>(
    run: (turn: Turn, now: number) => Answer | Refusal,
    sub?: string,
  ): Promise<Answer | Refusal> {
    // Where there is one in memory, the batch looks whether storage still has the same.
    if ((this.#machine ?? this.current()) === undefined) {
      const machine = await this.start();
      if ('ok' in machine) return machine;
    }
    this.#batch ??= new Batch(this.#ctx.storage, (runAll) => {
      this.#batch = undefined;
      const now = Date.now();
      const machine = this.current(now);
      if (machine !== undefined) this.#commit(machine, (turn) => runAll(turn, now));
    });
    return this.#batch.join((turn, now) => turn.as(sub, () => run(turn, now)));
  }

  /** Runs a command that may give the machine another chart. */
  async exchange<Answer extends object>(
    next: StoredChart,
    sub: string | undefined,
    run: (turn: Turn, now: number) => Answer | Refusal,
  ): Promise<Answer | Refusal> {
    const before = this.current();
    if (before === undefined || before.source.hash === next.hash) return this.command(run, sub);
    const refusal = await this.#membership.enter(next.text);
    if (refusal !== undefined) return refusal;
    try {
      return await this.command(run, sub);
    } finally {
      // Whatever has come of it, and of others meanwhile: said in the turn in which it was looked at.
      const isThere = this.current() !== undefined;
      await (isThere ? this.#membership.correct(this.store.chartText()) : this.#membership.leave());
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

  /** Reads the machine into memory. One of an older version may be on no list yet. */
  #load(): RunningMachine | undefined {
    if (this.store.predatesLists) this.#ctx.waitUntil(this.#membership.catchUp(this.store.chartText()));
    return wake(this.store);
  }

  /** Takes one turn and commits what it changed, whole or not at all. */
  #commit(machine: RunningMachine, act: (turn: Turn) => void): RunningMachine {
    const turn = new Turn(machine, this.#records);
    act(turn);
    const { changes } = turn;
    if (changes === undefined) return machine;
    try {
      this.#ctx.storage.transactionSync(() => this.store.write(changes));
    } catch (error) {
      // Memory is as it was; but what storage holds now, only storage can say.
      this.#machine = undefined;
      throw error;
    }
    this.#publish(turn, changes);
    return turn.machine;
  }

  /** Takes over what was committed. */
  #publish(turn: Turn, changes: Changes): void {
    this.#machine = turn.machine;
    this.#alarm.set(nextChange(turn.machine), Date.now());
    this.#onCommit(turn, changes);
  }
}

function isDue(machine: RunningMachine, now: number): boolean {
  const next = nextChange(machine);
  return next !== undefined && next <= now;
}
