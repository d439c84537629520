import { DurableObject } from 'cloudflare:workers';
import { type Address, formatAddress, parseObjectName } from './address.ts';
import { type CatalogBindings, type ChartText, findChart, hashOf } from './catalog.ts';
import { type Chart, type ChartIssue, isActive, nameOf, readChart, writeChart } from './chart/index.ts';
import { lock, unlock } from './fleetlock.ts';
import { ALARM_HORIZON, HISTORY_ROWS } from './limits.ts';
import { factsOf, findCurrent, findState, mayCome } from './reasons.ts';
import { type Refusal, refuse } from './refusal.ts';
import { nextChange, type RunningMachine, wake } from './running.ts';
import { statusOf } from './status.ts';
import { type HistoryEntry, Store, type StoredChart } from './store.ts';
import { type Claimed, Turn, type Update, type Yes } from './turn.ts';
import { Waiters } from './waiters.ts';
import { type Replay, Watchers } from './watchers.ts';

/** A chart's text as `GET {machine}/chart` gives it. */
export interface WrittenChart {
  readonly ok: true;
  /** YAML. */
  readonly text: string;
  readonly revision: number;
}

/** A stretch of history, newest first. */
export interface HistoryPage {
  readonly ok: true;
  readonly entries: readonly HistoryEntry[];
  readonly revision: number;
}

/** The status document. As text, for a type that holds itself (JSON, a state's value) cannot cross an RPC. */
export interface StatusAnswer {
  readonly ok: true;
  /** JSON: `Status`. */
  readonly status: string;
  readonly revision: number;
  /** Whether a wait for another revision has ended without one. */
  readonly unchanged: boolean;
}

/** What came of an upload. */
export interface Uploaded {
  readonly ok: true;
  /** Whether the machine was not there before. */
  readonly created: boolean;
  readonly dialect: 'sequence' | 'statechart';
  readonly hash: string;
  readonly warnings: readonly ChartIssue[];
  readonly revision: number;
}

/** Something was done to the machine as a whole. */
export interface Done {
  readonly ok: true;
  readonly revision: number;
}

/** Where an object finds charts: the service's bindings, and the objects of other machines. */
export interface MachineEnv extends CatalogBindings {
  readonly MACHINES: DurableObjectNamespace<Machine>;
}

/**
 * The Durable Object of one machine: it serialises what happens to it, keeps it in storage, and fires its
 * timers. What a transition is, `chart/` says; what a command does, `turn.ts`; how it is stored, `store.ts`.
 *
 * Commands that wait at the same time are one turn and one commit. The platform's output gate holds every
 * answer until what it tells is durable, so nothing here waits for the disk.
 */
export class Machine extends DurableObject<MachineEnv> {
  readonly #store: Store;
  readonly #waiters = new Waiters();
  readonly #watchers: Watchers;
  #machine: RunningMachine | undefined;
  /** For when the alarm is set, ms since the epoch; undefined where that is not known. */
  #alarmAt: number | undefined;
  #batch: Batch | undefined;

  constructor(ctx: DurableObjectState, env: MachineEnv) {
    super(ctx, env);
    this.#store = new Store(ctx.storage.sql);
    this.#watchers = new Watchers(ctx);
  }

  /**
   * Is `state` current?
   *
   * @param wait how long to wait for it, in ms: the answer comes as soon as it is, or cannot be any more.
   */
  async is(name: string, wait = 0): Promise<Yes | Refusal> {
    const until = Date.now() + wait;
    for (;;) {
      const now = Date.now();
      const machine = this.#current(now) ?? (await this.#start());
      if ('ok' in machine) return machine;
      const found = findCurrent(machine, name, now);
      if (found.ok)
        return { ok: true, state: nameOf(machine.chart, found.state), revision: machine.revision };
      const awaited = findState(machine, name);
      if (now >= until || !awaited.ok || !mayCome(machine, awaited.state)) return found;
      if (this.#waiters.full) return tooManyWaiting(machine);
      const end = await this.#waiters.wait(awaited.state, until);
      // It was current, if only for a moment: a commit that enters and leaves it ends the wait as well.
      if (end === 'came') {
        const revision = this.#machine?.revision ?? machine.revision;
        return { ok: true, state: nameOf(machine.chart, awaited.state), revision };
      }
    }
  }

  /** Reports: counted, and perhaps moved on, or refused. */
  async update(update: Update): Promise<Yes | Refusal> {
    return this.#command((turn, now) => turn.update(update, now));
  }

  /** Takes or renews a slot of a state. */
  async claim(state: string, by: string): Promise<Claimed | Refusal> {
    return this.#command((turn, now) => turn.claim(state, by, now));
  }

  /** Gives a slot back without a report. */
  async release(state: string, by: string): Promise<Yes | Refusal> {
    return this.#command((turn, now) => turn.release(state, by, now));
  }

  /** FleetLock's `pre-reboot`. */
  async lock(group: string, id: string): Promise<Yes | Refusal> {
    return this.#command((turn, now) => lock(turn, group, id, now));
  }

  /** FleetLock's `steady-state`. */
  async unlock(group: string, id: string): Promise<Yes | Refusal> {
    return this.#command((turn, now) => unlock(turn, group, id, now));
  }

  /**
   * The status document.
   *
   * @param known a revision that the caller has already, and `wait`, how long to wait for another, in ms.
   */
  async status(known?: number, wait = 0): Promise<StatusAnswer | Refusal> {
    const until = Date.now() + wait;
    const newest = await this.#newestChart();
    let machine = this.#current(Date.now()) ?? (await this.#start());
    while (!('ok' in machine) && machine.revision === known && Date.now() < until) {
      if (this.#waiters.full) return tooManyWaiting(machine);
      await this.#waiters.wait('change', until);
      machine = this.#current(Date.now()) ?? (await this.#start());
    }
    if ('ok' in machine) return machine;
    const { revision } = machine;
    const status = statusOf(formatAddress(this.#address()), machine, this.#store.reports(), newest?.hash);
    return { ok: true, status: JSON.stringify(status, null, 2), revision, unchanged: revision === known };
  }

  /** The chart, with the machine's present values where its dialect has room for them. */
  async chart(): Promise<WrittenChart | Refusal> {
    const machine = this.#current(Date.now()) ?? (await this.#start());
    if ('ok' in machine) return machine;
    const text = writeChart(machine.chart, machine.snapshot, this.#store.leftStates());
    return { ok: true, text: text ?? this.#store.chartText(), revision: machine.revision };
  }

  /**
   * What happened, newest first.
   *
   * @param before only entries with smaller ids.
   */
  async history(before: number, limit: number): Promise<HistoryPage | Refusal> {
    const machine = this.#current(Date.now()) ?? (await this.#start());
    if ('ok' in machine) return machine;
    const entries = this.#store.history(machine.entries, before, limit);
    return { ok: true, entries, revision: machine.revision };
  }

  /** Starts over from the newest chart; the history goes on. */
  async reset(by?: string): Promise<Done | Refusal> {
    const newest = await this.#newestChart();
    if (this.#current(Date.now()) === undefined) {
      const machine = await this.#start();
      return 'ok' in machine ? machine : { ok: true, revision: machine.revision };
    }
    const read = newest === undefined ? this.#ownChart() : this.#read(newest);
    if ('ok' in read) return read;
    return this.#command((turn, now) => {
      turn.restart(read.chart, read.source, 'reset', by ?? null, now);
      return { ok: true, revision: turn.machine.revision };
    });
  }

  /**
   * Takes a chart for this address, and starts or restarts the machine with it.
   *
   * @param reset whether a machine in mid-sequence is to start over; without it that is refused.
   */
  async upload(
    text: string,
    reset: boolean,
    by?: string,
    revisions?: readonly number[],
  ): Promise<Uploaded | Refusal> {
    const address = this.#address();
    if (address.run !== undefined) {
      const { run: _, ...chart } = address;
      const detail = `A run has the chart of its chart; upload it to /${formatAddress(chart)}/chart.`;
      return refuse('wrong-address', detail);
    }
    const found: ChartText = { text, origin: 'upload', hash: await hashOf(text) };
    const reading = readChart(text);
    if (!reading.ok) return invalidChart(address, reading.errors);
    const { chart, warnings } = reading;
    const source: StoredChart = { ...found, definition: chart.definition };
    const result = { ok: true, dialect: chart.definition.dialect, hash: found.hash, warnings } as const;
    if (this.#current(Date.now()) === undefined) {
      const machine = this.#begin(chart, source, 'upload', by ?? null, true);
      return { ...result, created: true, revision: machine.revision };
    }
    return this.#command((turn, now) => {
      const { machine } = turn;
      if (revisions !== undefined && !revisions.includes(machine.revision)) return wrongRevision(machine);
      const again = { ...result, created: false };
      if (machine.source.hash === found.hash && machine.source.origin === 'upload') {
        return { ...again, revision: machine.revision };
      }
      const isUnderWay = machine.revision > machine.started && machine.snapshot.machine.status === 'active';
      if (isUnderWay && !reset) return midSequence(machine);
      turn.upload(found);
      turn.restart(chart, source, 'upload', by ?? null, now);
      return { ...again, revision: turn.machine.revision };
    });
  }

  /** @returns the chart that was uploaded here, for the runs of it. Leaves nothing behind where there is none. */
  async uploaded(): Promise<Pick<StoredChart, 'hash' | 'text'> | undefined> {
    return this.#store.upload();
  }

  /** Erases the machine, as if its address had never been used. */
  async erase(): Promise<Done | Refusal> {
    if (this.#store.entries() === undefined) return noChart(this.#address());
    const revision = this.#machine?.revision ?? 0;
    this.#watchers.close();
    this.#machine = undefined;
    this.#alarmAt = undefined;
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    this.#store.forget();
    this.#waiters.wakeAll();
    return { ok: true, revision };
  }

  /**
   * Every change as it happens, as server-sent events.
   *
   * @param after the id of the entry that the watcher has seen last; without it only what is new is told.
   */
  async watch(after?: number): Promise<{ readonly ok: true; readonly events: ReadableStream } | Refusal> {
    const machine = this.#current(Date.now()) ?? (await this.#start());
    if ('ok' in machine) return machine;
    if (this.#watchers.streamsFull) return tooManyWaiting(machine);
    return { ok: true, events: this.#watchers.openStream(this.#replay(machine, after)) };
  }

  /** A WebSocket that is told every change; the request is the upgrade. `after` in the query is as in `watch`. */
  override async fetch(request: Request): Promise<Response> {
    const machine = this.#current(Date.now()) ?? (await this.#start());
    if ('ok' in machine) return Response.json(machine, { status: 400 });
    if (this.#watchers.socketsFull) return Response.json(tooManyWaiting(machine), { status: 400 });
    const after = new URL(request.url).searchParams.get('after');
    return this.#watchers.openSocket(this.#replay(machine, after === null ? undefined : Number(after)));
  }

  /** Fires what is due. May come late, twice, or for nothing: it looks at the timers and not at its reason. */
  override async alarm(): Promise<void> {
    this.#alarmAt = undefined;
    const machine = this.#current(Date.now());
    if (machine !== undefined) this.#setAlarm(machine);
  }

  /**
   * The machine as storage has it, with all that is due done. Reads storage each time: what is in memory may be
   * stale where the platform has started a second object meanwhile.
   */
  #current(now: number): RunningMachine | undefined {
    const entries = this.#store.entries();
    if (entries !== this.#machine?.entries)
      this.#machine = entries === undefined ? undefined : wake(this.#store);
    const machine = this.#machine;
    if (machine === undefined || !isDue(machine, now)) return machine;
    return this.#commit(machine, (turn) => turn.fireDue(now));
  }

  /** Starts the machine where a chart is to be found for it, and leaves nothing behind where there is none. */
  async #start(): Promise<RunningMachine | Refusal> {
    const found = await this.#newestChart();
    // Another request may have started it meanwhile.
    const machine = this.#current(Date.now());
    if (machine !== undefined) return machine;
    if (found === undefined) return noChart(this.#address());
    const read = this.#read(found);
    return 'ok' in read ? read : this.#begin(read.chart, read.source, 'start', null, false);
  }

  /** Commits the first turn of a machine. */
  #begin(chart: Chart, source: StoredChart, cause: 'start' | 'upload', by: string | null, isUpload: boolean) {
    const turn = Turn.begin(chart, source, cause, by, Date.now());
    if (turn === undefined) throw new Error('a checked chart cannot start');
    if (isUpload) turn.upload(source);
    const { changes } = turn;
    if (changes === undefined) throw new Error('a machine was started without a change');
    this.ctx.storage.transactionSync(() => this.#store.create(changes));
    this.#publish(turn, changes.history);
    return turn.machine;
  }

  #read(found: ChartText): { readonly chart: Chart; readonly source: StoredChart } | Refusal {
    const reading = readChart(found.text);
    if (!reading.ok) return invalidChart(this.#address(), reading.errors);
    return { chart: reading.chart, source: { ...found, definition: reading.chart.definition } };
  }

  /** The chart that the machine runs by, where its address has none any more. */
  #ownChart(): { readonly chart: Chart; readonly source: StoredChart } {
    const machine = this.#machine;
    if (machine === undefined) throw new Error('there is no machine');
    const { chart, source } = machine;
    return { chart, source: { ...source, text: this.#store.chartText(), definition: chart.definition } };
  }

  /** The newest chart for this address: one uploaded to it (or, for a run, to its chart), else a bound one. */
  async #newestChart(): Promise<ChartText | undefined> {
    const address = this.#address();
    const { run, ...base } = address;
    const uploaded =
      run === undefined
        ? this.#store.upload()
        : await this.env.MACHINES.getByName(formatAddress(base)).uploaded();
    if (uploaded !== undefined) return { hash: uploaded.hash, text: uploaded.text, origin: 'upload' };
    return findChart(this.env, address);
  }

  /** Puts a command into the open batch, and answers when that is committed. */
  async #command<Answer extends object>(run: (turn: Turn, now: number) => Answer): Promise<Answer | Refusal> {
    if (this.#current(Date.now()) === undefined) {
      const machine = await this.#start();
      if ('ok' in machine) return machine;
    }
    this.#batch ??= this.#openBatch();
    let answer: Answer | Refusal = refuse('no-chart', 'The machine was deleted before this came about.');
    this.#batch.commands.push((turn, now) => {
      answer = attempt(() => run(turn, now));
    });
    await this.#batch.done;
    return answer;
  }

  #openBatch(): Batch {
    const commands: Command[] = [];
    // Waits until the commit before is durable, or for one trip round the event loop where there is none: what
    // arrives meanwhile is committed together. (`scheduler.wait(0)` takes a millisecond at least.)
    const done = this.ctx.storage.sync().then(() => {
      this.#batch = undefined;
      const now = Date.now();
      const machine = this.#current(now);
      // Deleted under its commands: they have their answer.
      if (machine === undefined) return;
      this.#commit(machine, (turn) => {
        for (const command of commands) command(turn, now);
      });
    });
    return { commands, done };
  }

  /** Takes one turn and commits what it changed, whole or not at all. */
  #commit(machine: RunningMachine, act: (turn: Turn) => void): RunningMachine {
    const turn = new Turn(machine, this.#store);
    act(turn);
    const { changes } = turn;
    if (changes === undefined) return machine;
    try {
      this.ctx.storage.transactionSync(() => this.#store.write(changes));
    } catch (error) {
      // Memory is as it was; but what storage holds now, only storage can say.
      this.#machine = undefined;
      throw error;
    }
    this.#publish(turn, changes.history);
    if (changes.restarted !== undefined) this.#waiters.wakeAll();
    return turn.machine;
  }

  /** Takes over what was committed, and tells those who wait for it. */
  #publish(turn: Turn, history: readonly HistoryEntry[]): void {
    const { machine, passed } = turn;
    this.#machine = machine;
    this.#setAlarm(machine);
    if (history.length === 0) return;
    this.#waiters.wake('change');
    for (const state of this.#waiters.states()) {
      if (passed.has(state) || isActive(machine.snapshot, state)) this.#waiters.wake(state, 'came');
      else if (!mayCome(machine, state)) this.#waiters.wake(state);
    }
    this.#watchers.tell(history);
  }

  #replay(machine: RunningMachine, after: number | undefined): Replay {
    if (after === undefined || !(after >= 0) || after >= machine.entries) return { entries: [] };
    const entries = this.#store
      .history(machine.entries, machine.entries + 1, Math.min(machine.entries - after, HISTORY_ROWS))
      .reverse();
    const first = entries[0]?.id ?? machine.entries + 1;
    return first > after + 1 ? { entries, gap: { from: after + 1, to: first - 1 } } : { entries };
  }

  /** One alarm, for the earliest timer. In the same turn as the commit, so it is durable with it. */
  #setAlarm(machine: RunningMachine): void {
    const next = nextChange(machine);
    const at = next === undefined ? undefined : alarmTime(next, Date.now());
    if (at === this.#alarmAt) return;
    if (at === undefined) void this.ctx.storage.deleteAlarm();
    else void this.ctx.storage.setAlarm(at);
    this.#alarmAt = at;
  }

  #address(): Address {
    const { name } = this.ctx.id;
    if (name === undefined) throw new Error('a machine has no name');
    return parseObjectName(name);
  }
}

type Command = (turn: Turn, now: number) => void;

/** Commands that will be run in one turn. */
interface Batch {
  readonly commands: Command[];
  readonly done: Promise<void>;
}

/** One command that meets a bug fails alone; the turn is as it was before it. */
function attempt<Answer>(run: () => Answer): Answer | Refusal {
  try {
    return run();
  } catch (error) {
    console.error('a command failed', error);
    return refuse('internal-error', 'This request met a fault of the service; it was not counted.');
  }
}

function isDue(machine: RunningMachine, now: number): boolean {
  const next = nextChange(machine);
  return next !== undefined && next <= now;
}

/** @returns `due`, or a moment before it that is the same all day long, where it is too far ahead for an alarm. */
function alarmTime(due: number, now: number): number {
  return Math.min(due, now - (now % DAY) + ALARM_HORIZON);
}

const DAY = 24 * 60 * 60 * 1_000;

function noChart(address: Address): Refusal {
  return refuse('no-chart', `No chart has been put at ${formatAddress(address)}.`);
}

function invalidChart(address: Address, errors: readonly ChartIssue[]): Refusal {
  const count = errors.length === 1 ? 'an error' : `${errors.length} errors`;
  return refuse(
    'invalid-chart',
    `The chart of ${formatAddress(address)} has ${count}; nothing was started.`,
    { errors },
  );
}

function midSequence(machine: RunningMachine): Refusal {
  const detail = 'The machine is in mid-sequence: let it end, start another run, or add ?reset=true.';
  return refuse('mid-sequence', detail, { machine: factsOf(machine) });
}

function wrongRevision(machine: RunningMachine): Refusal {
  return refuse('wrong-revision', `The machine is at revision ${machine.revision}.`, {
    machine: factsOf(machine),
  });
}

function tooManyWaiting(machine: RunningMachine): Refusal {
  return refuse('too-many-waiting', 'Too many are waiting here; ask without waiting.', {
    machine: factsOf(machine),
    retryAfter: 5,
  });
}
