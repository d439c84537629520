import { type Address, formatAddress } from '../address.ts';
import type { Command, Outcome, Reset, Upload } from '../commands.ts';
import type { Refusal } from '../refusal.ts';
import { MachineStore } from '../store/machine-store.ts';
import { Alarm } from './alarm.ts';
import { applyWithin } from './batch-budget.ts';
import { ChartSource, type MachineEnv, type ReadChart } from './chart-source.ts';
import { CommandQueue, type Queued } from './command-queue.ts';
import { Counters } from './counters.ts';
import { Draft } from './draft.ts';
import { fireDue } from './due.ts';
import { ExpectedMembers } from './expected-members.ts';
import { overloaded } from './faults.ts';
import { isKept, keep } from './keeping.ts';
import { earliest, type MachineState, nextChange } from './machine-state.ts';
import { Memory, NO_VERSION, type Publish } from './memory.ts';
import { Outbox } from './outbox.ts';
import { prepareList, prepareMachine, prepareMembers } from './prepared-members.ts';
import { NO_RECORDS, type Records, recordsIn } from './records.ts';
import { finishRestore, Recovery } from './recovery.ts';
import { deleted, machineGone, noRevision, notStarted } from './refusals.ts';
import { Registry } from './registry.ts';
import { begin, firstStep, previewOf } from './restart.ts';
import { Telling } from './telling.ts';
import { TimerAllowance, TURN_PAUSE } from './timer-allowance.ts';

/**
 * Runs one machine: a queue of commands, and one loop that drains it: load, apply, commit, publish, answer.
 *
 * The machine stays in memory between requests while storage agrees with it. The commands that arrive while the commit
 * before becomes durable are one batch: one turn and one commit, whole or not at all. The platform's output gate holds
 * every response until the writes before it are durable, so nothing here waits for the disk.
 */
export class Runtime {
  readonly store: MachineStore;
  readonly charts: ChartSource;
  readonly counters = new Counters();
  readonly expected: ExpectedMembers;
  readonly outbox: Outbox;
  readonly #ctx: DurableObjectState;
  readonly #address: Address;
  readonly #memory: Memory;
  readonly #registry: Registry;
  readonly #alarm: Alarm;
  readonly #records: Records;
  readonly #queue: CommandQueue;
  readonly #recovery: Recovery;
  readonly #telling: Telling;
  /** Whether the machine is about to begin, or its chart is to be kept, and it is being entered in its tenant's registry. */
  #isBeginning = false;
  /** When the next turn may fire timers, ms since the epoch: the last one has left some that were due. */
  #catchUpAt = 0;

  constructor(ctx: DurableObjectState, env: MachineEnv, address: Address, publish: Publish) {
    this.#ctx = ctx;
    this.#address = address;
    this.store = new MachineStore(ctx.storage);
    this.expected = new ExpectedMembers(() => this.store.receipts.reports());
    const tell: Publish = (news) => this.#telling.hear(news);
    this.#memory = new Memory(this.store, [publish, tell], () => this.#beforeLoad());
    this.charts = new ChartSource(env, this.store, address);
    this.#registry = new Registry(env, address);
    this.#telling = new Telling(this.#memory, this.#registry);
    this.#alarm = new Alarm(ctx.storage);
    this.#records = recordsIn(this.store);
    this.outbox = new Outbox({
      bindings: env,
      machine: formatAddress(address),
      table: this.store.outbox,
      mayWrite: () => !this.#recovery.isRestarting,
      refresh: () => void this.#memory.read(),
      arm: () => this.#alarm.set(this.#nextDue(this.#memory.machine), Date.now(), true),
    });
    this.#queue = new CommandQueue(ctx.storage, (batch) => this.#run(batch));
    this.#recovery = new Recovery({
      ctx,
      address,
      store: this.store,
      registry: this.#registry,
      current: () => this.current(),
      sendBack: () => publish('restarting'),
    });
  }

  /** Whether this is a run of a chart; else it is the chart's own machine. */
  get isRun(): boolean {
    return this.#address.run !== undefined;
  }

  /** Executes commands in order, in one batch with those of other requests. */
  execute(commands: readonly Command[]): Promise<Outcome[]> {
    return Promise.all(commands.map((command) => this.#push(command)));
  }

  #push(command: Command): Promise<Outcome> {
    if (command.type === 'reset' || command.type === 'upload') return this.#exchange(command);
    if (command.type !== 'members') return this.#queue.push(command);
    return prepareList(command, this.#memory.machine).then(() => this.#queue.push(command));
  }

  /** Prepares the members of the machine, if it was loaded since they changed. @returns undefined if they are prepared. */
  prepare(): Promise<void> | undefined {
    return prepareMachine(() => this.#memory.machine ?? this.#memory.read());
  }

  /** Runs the first commands of a batch, at least one: as many as one turn may. */
  #run(batch: readonly Queued[]): Outcome[] | Promise<Outcome[]> {
    const [first] = batch;
    if (first?.command.type === 'erase') return this.#erase();
    if (first?.command.type === 'restore' || first?.command.type === 'restored')
      return this.#recovery.execute(first.command);
    // Load.
    const now = Date.now();
    const machine = this.current(now);
    if (machine === undefined) {
      this.#isBeginning = true;
      return this.#begin(batch).finally(() => {
        this.#isBeginning = false;
      });
    }
    // Apply.
    const draft = new Draft(machine, this.#records, new TimerAllowance(now < this.#catchUpAt));
    const outcomes = this.#apply(draft, batch, now);
    // Commit, and publish.
    this.#commit(draft);
    return outcomes;
  }

  /** Runs a batch on a machine that has not begun. A run begins only if a command changes anything. */
  async #begin(batch: readonly Queued[]): Promise<Outcome[]> {
    const [first] = batch;
    if (first === undefined) return [];
    // A link is for a machine that has begun.
    if (batch.every(({ command }) => command.type === 'link')) return batch.map(() => machineGone());
    if (this.#recovery.isPending) return batch.map(() => overloaded());
    const isUpload = first.command.type === 'upload';
    if (first.command.type === 'upload' && first.command.revisions !== undefined)
      return [noRevision(this.#address)];
    const found = isUpload && first.next !== undefined ? first.next : await this.charts.toBegin();
    if (!found.ok) return batch.map(() => found);
    const step = firstStep(this.#address, found, first.command);
    if (!step.ok) return this.isRun ? batch.map(() => step) : this.#keep(batch, found, step);
    if (this.isRun && !batch.some(({ command: { type } }) => type === 'start' || type === 'reset')) {
      const beginning = begin(found, step, first.command, this.isRun, step.at);
      const preview = new Draft(previewOf(found, beginning), NO_RECORDS);
      const outcomes = applyWithin(preview, batch, step.at);
      // The answer to a refused report is not kept either: its key is free.
      if (preview.changes === undefined || preview.changes.history.length === 0) return outcomes;
    }
    const entered = await this.#registry.enter(found.source);
    if (!entered.ok) return batch.map(() => entered);
    // A second object of the same address may have begun the machine meanwhile.
    if (this.current() !== undefined) return this.#run(batch);
    this.counters.restore();
    const now = Date.now();
    const draft = begin(found, step, first.command, this.isRun, now, entered.revision);
    const outcomes = this.#apply(draft, batch, now);
    this.#commit(draft, true);
    return outcomes;
  }

  /**
   * Executes commands at a chart's own address while its machine cannot begin: the chart has inputs that must be given. A
   * chart and members that are uploaded are kept for its runs, and for the machine itself.
   */
  async #keep(batch: readonly Queued[], read: ReadChart, refusal: Refusal): Promise<Outcome[]> {
    if (!batch.some(({ command }) => isKept(command))) return batch.map(() => refusal);
    const entered = await this.#registry.enter(read.source);
    if (!entered.ok) return batch.map(({ command }) => (isKept(command) ? entered : refusal));
    if (this.current() !== undefined) return this.#run(batch);
    return this.#write(() =>
      batch.map(({ command }) =>
        isKept(command) ? keep(this.store, this.#address, command, read) : refusal,
      ),
    );
  }

  #apply(draft: Draft, batch: readonly Queued[], now: number): Outcome[] {
    const outcomes = applyWithin(draft, batch, now);
    // Before the commit, which stores the counts.
    for (const [i, outcome] of outcomes.entries()) {
      const type = batch[i]?.command.type;
      if (type === 'update' || type === 'link')
        this.counters.countUpdate(outcome.ok ? 'accepted' : outcome.code);
    }
    return outcomes;
  }

  /** Commits the changes of a turn, whole or not at all, and publishes them. */
  #commit(draft: Draft, isNew = false): void {
    const { changes } = draft;
    if (changes === undefined) return;
    this.counters.countEntries(changes.history);
    const counts = this.counters.store();
    const hasMessages = this.#write(() => {
      if (isNew) this.store.create(changes, counts);
      else this.store.write(changes, counts);
      return this.outbox.write(draft.messages, Date.now());
    });
    const { machine, passed } = draft;
    const [next, now] = [nextChange(machine), Date.now()];
    if (hasMessages) this.outbox.send(now);
    this.#alarm.set(this.#nextDue(machine), now, this.outbox.isUsed);
    if (draft.timers.isUsedUp && next !== undefined && next <= now) this.#catchUpAt = now + TURN_PAUSE;
    this.expected.committed(this.#memory.machine, machine, changes.receipts);
    const isRestarted = changes.restarted !== undefined || changes.renumbered !== undefined;
    this.#memory.committed({ machine, history: changes.history, passed, isRestarted });
  }

  /** Runs a transaction. */
  #write<Result>(write: () => Result): Result {
    try {
      return this.#ctx.storage.transactionSync(write);
    } catch (error) {
      // The content of storage is unknown now: the machine and its counts are read again.
      this.#memory.forget();
      throw error;
    }
  }

  /** Erases the machine, as if its address had never been used. It can also erase a machine that cannot be read. */
  async #erase(): Promise<Outcome[]> {
    const { revision, entries } = this.store.version() ?? NO_VERSION;
    if (entries === 0 && !this.store.hasKept()) return [notStarted(this.#address)];
    // Before the deletion, because a crash may come between the two. A reader may fire timers meanwhile.
    await this.#registry.keepRevision(this.store.lastNumber());
    const last = this.store.lastNumber();
    this.#alarm.forget();
    // In one turn: the output gate holds the call until the deletion is durable, so the machine is gone before its entry.
    const { storage } = this.#ctx;
    const gone = [storage.deleteAlarm(), storage.deleteAll(), this.#registry.leave(last)];
    this.#memory.erased();
    await Promise.all(gone);
    return [{ ok: true, revision }];
  }

  /** Executes a command that may replace the chart: reads the chart, and reserves room for it in the registry. */
  async #exchange(command: Reset | Upload): Promise<Outcome> {
    const next = await this.charts.next(command, this.current());
    if (!next.ok) return next;
    const before = this.current();
    const { members } = before?.snapshot.terms ?? {};
    if (members !== undefined) await prepareMembers(next.chart, members);
    if (before === undefined || before.source.hash === next.source.hash)
      return this.#queue.push(command, next);
    const entered = await this.#registry.enter(next.source);
    if (!entered.ok) return entered;
    try {
      return await this.#queue.push(command, next);
    } finally {
      // The size now, whatever the outcome of this command and of others meanwhile.
      if (this.current() === undefined) await this.leaveRegistry();
      else await this.#registry.correct(this.store.chartBytes());
    }
  }

  /**
   * Returns the machine as it is stored, after finishing a restore and firing what is due: as much as one turn may, and
   * nothing for `TURN_PAUSE` after a turn that was not enough. Reads storage each time, because memory is stale if the
   * platform has started a second object meanwhile.
   */
  current(now = Date.now()): MachineState | undefined {
    const machine = this.#memory.read();
    if (machine === undefined || this.#recovery.isRestarting) return machine;
    const note = this.#recovery.owedBy(machine);
    const next = nextChange(machine);
    const isDue = next !== undefined && next <= now && now >= this.#catchUpAt;
    if (note === undefined && !isDue) return machine;
    const draft = new Draft(machine, this.#records);
    if (note !== undefined) finishRestore(draft, note, now);
    fireDue(draft, now);
    this.#commit(draft);
    return draft.machine;
  }

  /** Before the machine is read: another object may have changed the counts, and set the alarm. */
  #beforeLoad(): void {
    this.counters.restore(this.store.counts());
    this.#alarm.forget();
    void this.#alarm.restore(() => this.#nextDue(this.#memory.machine));
    this.#telling.loading();
  }

  /**
   * Returns the machine for a query. A chart's own machine begins with its first request. A run that has not begun is
   * shown as if it began now, at revision 0, and nothing is written: readers cannot fill a tenant's registry.
   */
  async read(): Promise<MachineState | Refusal> {
    const present = this.current();
    if (present !== undefined) return present;
    if (!this.isRun) {
      const [outcome] = await this.execute([{ type: 'start' }]);
      return outcome?.ok === false ? outcome : (this.current() ?? deleted());
    }
    const found = await this.charts.toBegin();
    // A command may have begun the run meanwhile.
    const begun = this.current();
    if (begun !== undefined) return begun;
    if (!found.ok) return found;
    const step = firstStep(this.#address, found, { type: 'start' });
    if (!step.ok) return step;
    return previewOf(found, begin(found, step, { type: 'start' }, true, step.at));
  }

  /**
   * Fires what is due, and sets the next alarm. The alarm may come late, twice, or for nothing. After a failure it is
   * set again, with a backoff, for as long as the failure lasts.
   */
  async alarm(): Promise<void> {
    this.#alarm.forget();
    const now = Date.now();
    try {
      const machine = this.current(now);
      if (machine === undefined) return;
      this.outbox.send(now);
      this.#alarm.set(this.#nextDue(machine), now, this.outbox.isUsed);
    } catch (error) {
      console.error('an alarm failed', error);
      await this.#alarm.retry(() => earliest(this.store.run.firstDue(), this.outbox.due), now);
    }
  }

  /** When the alarm goes off, ms since the epoch; undefined if nothing is due. */
  get due(): number | undefined {
    return this.#alarm.at ?? this.#nextDue(this.#memory.machine);
  }

  #nextDue(machine: MachineState | undefined): number | undefined {
    return machine && earliest(nextChange(machine), this.outbox.due);
  }

  /**
   * Reads storage for requests that only wait. Publishes what another object has committed, and fires what is due when
   * the alarm should go off: the platform may be up to a minute late.
   * https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/#setalarm
   *
   * @returns `due`, after that.
   * @throws where storage cannot be read.
   */
  async look(): Promise<number | undefined> {
    if (this.due !== undefined && this.due <= Date.now()) await this.alarm();
    else this.#memory.read();
    return this.due;
  }

  /** Removes a machine that is not there from its tenant's registry, unless it is about to begin. */
  async leaveRegistry(): Promise<void> {
    if (!this.#isBeginning && !this.store.hasKept()) await this.#registry.leave();
  }
}
