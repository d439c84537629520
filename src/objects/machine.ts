import { DurableObject } from 'cloudflare:workers';
import { type Address, formatAddress, parseObjectName } from '../address.ts';
import {
  corrects,
  type Definition,
  isActive,
  isDone,
  readChart,
  type StateNumber,
  writeBeginning,
  writeChart,
} from '../chart/chart.ts';
import { type Call, type CallOutcome, performAll } from '../commands.ts';
import { PREVIEW_LOOK, VIEW_HISTORY } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import type { HistoryEntry } from '../store/history-table.ts';
import type { Changes, MachineStore, StoredChart } from '../store/machine-store.ts';
import { type ChartText, hashOf } from './catalog.ts';
import { type MachineEnv, ownChart, readFound } from './chart-source.ts';
import { type Metrics, metricsOf } from './counters.ts';
import { lock, unlock } from './locks.ts';
import { nextChange, type RunningMachine } from './machine-state.ts';
import {
  deleted,
  findCurrent,
  findState,
  invalidChart,
  mayCome,
  midSequence,
  noRevision,
  notStarted,
  tooManyWaiting,
  uploadToRun,
  wrongRevision,
} from './refusals.ts';
import type {
  Done,
  HistoryPage,
  StatusAnswer,
  Summary,
  Uploaded,
  UploadOptions,
  View,
  WrittenChart,
} from './results.ts';
import { Keeper } from './runtime.ts';
import { StatusWriter, summaryOf, viewOf } from './status-document.ts';
import type { Claimed, Turn, UpdateOptions, Yes } from './turn.ts';
import { Waiters } from './waits.ts';
import { nextAfter, Watchers } from './watches.ts';

/**
 * The Durable Object of one machine: what may be asked of it, and who is told of what happens to it. What a transition
 * is, `chart/` says; what a command does, `turn.ts`; how it is kept and committed, `keeper.ts`.
 *
 * The platform's output gate holds every answer until what it tells is durable, so nothing here waits for the disk.
 */
export class Machine extends DurableObject<MachineEnv> {
  readonly #address: Address;
  readonly #keeper: Keeper;
  readonly #store: MachineStore;
  readonly #waiters = new Waiters();
  readonly #watchers: Watchers;
  readonly #status: StatusWriter;

  constructor(ctx: DurableObjectState, env: MachineEnv) {
    super(ctx, env);
    if (ctx.id.name === undefined) throw new Error('a machine has no name');
    this.#address = parseObjectName(ctx.id.name);
    this.#keeper = new Keeper(ctx, env, this.#address, (turn, changes) => this.#publish(turn, changes));
    this.#store = this.#keeper.store;
    this.#watchers = new Watchers(ctx, this.#store);
    this.#status = new StatusWriter(() => this.#store.receipts.reports());
  }

  /**
   * Is `state` current?
   *
   * @param wait how long to wait for it, in ms: the answer comes as soon as it is, or cannot be any more.
   * @returns the machine's revision for yes. A number, for an object costs an RPC some twentieth more.
   */
  async is(name: string, wait = 0): Promise<number | Refusal> {
    const until = wait === 0 ? 0 : Date.now() + wait;
    let machine = this.#keeper.current() ?? (await this.#keeper.read());
    for (;;) {
      if ('ok' in machine) return machine;
      const now = Date.now();
      const found = findCurrent(machine, name, now);
      if (found.ok) return machine.revision;
      const awaited = findState(machine, name);
      if (now >= until || !awaited.ok || !mayCome(machine, awaited.state)) return found;
      if (this.#waiters.full) return tooManyWaiting(machine);
      const end = await this.#waiters.wait(awaited.state, Math.min(until, nextLook(machine, now)));
      // It was current, if only for a moment: a commit that enters and leaves it ends the wait as well.
      if (end === 'came') return this.#keeper.current()?.revision ?? machine.revision;
      machine = await this.#lookAgain(machine);
    }
  }

  /**
   * Reports: counted, and perhaps moved on, or refused.
   *
   * @returns the machine's revision for yes, as `is` does.
   */
  async update(state: string, event: string, more?: UpdateOptions): Promise<number | Refusal> {
    const answer = await this.#keeper.command(
      (turn, now, begunAt) => {
        const answer = turn.update({ state, event, ...more }, now, begunAt);
        // Before the commit, which stores the count.
        this.#keeper.counters.countUpdate(answer.ok ? 'accepted' : answer.code);
        return answer;
      },
      more?.sub,
      more?.revisions,
    );
    return answer.ok ? answer.revision : answer;
  }

  /** Answers calls that have come together: `trips.ts`. */
  answer(calls: readonly Call[]): Promise<CallOutcome[]> {
    return performAll(this, calls);
  }

  /** Takes or renews a slot of a state. */
  async claim(state: string, by: string, sub?: string): Promise<Claimed | Refusal> {
    return this.#keeper.command((turn, now) => turn.claim(state, by, now), sub);
  }

  /** Gives a slot back without a report. */
  async release(state: string, by: string, sub?: string): Promise<Yes | Refusal> {
    return this.#keeper.commandOnBegun((turn, now) => turn.release(state, by, now), sub);
  }

  /** FleetLock's `pre-reboot`. */
  async lock(group: string, id: string, sub?: string): Promise<Yes | Refusal> {
    return this.#keeper.command((turn, now) => lock(turn, group, id, now), sub);
  }

  /** FleetLock's `steady-state`. */
  async unlock(group: string, id: string, sub?: string): Promise<Yes | Refusal> {
    return this.#keeper.commandOnBegun((turn, now) => unlock(turn, group, id, now), sub);
  }

  /**
   * The status document.
   *
   * @param known revisions that the caller has already, and `wait`, how long to wait for another, in ms.
   */
  async status(known: readonly number[] = [], wait = 0): Promise<StatusAnswer | Refusal> {
    const until = Date.now() + wait;
    let machine = this.#keeper.current() ?? (await this.#keeper.read());
    while (!('ok' in machine) && known.includes(machine.revision) && Date.now() < until) {
      if (this.#waiters.full) return tooManyWaiting(machine);
      await this.#waiters.wait('change', until);
      machine = await this.#lookAgain(machine);
    }
    if ('ok' in machine) return machine;
    if (known.includes(machine.revision)) return { ok: true, unchanged: true, revision: machine.revision };
    const newest = await this.#keeper.newestChart();
    // It may have changed meanwhile.
    machine = await this.#lookAgain(machine);
    if ('ok' in machine) return machine;
    const status = this.#status.write(formatAddress(this.#address), machine, newest?.hash);
    return { ok: true, unchanged: false, status, revision: machine.revision };
  }

  /** What is drawn and shown of the machine. The drawing itself is made at the edge, and slows nobody here. */
  async view(): Promise<View | Refusal> {
    const newest = await this.#keeper.newestChart();
    const machine = this.#keeper.current() ?? (await this.#keeper.read());
    if ('ok' in machine) return machine;
    return {
      ok: true,
      revision: machine.revision,
      status: this.#status.write(formatAddress(this.#address), machine, newest?.hash),
      hash: machine.source.hash,
      ...viewOf(machine, this.#leftStates(machine)),
      history: this.#entries(machine, Number.MAX_SAFE_INTEGER, VIEW_HISTORY),
    };
  }

  /** @returns the definition of the chart that it runs by, as JSON, where that has this hash. */
  async definition(hash: string): Promise<string | undefined> {
    return this.#keeper.definition(hash);
  }

  /** The chart, with the machine's present values where its dialect has room for them. */
  async chart(): Promise<WrittenChart | Refusal> {
    const machine = this.#keeper.current() ?? (await this.#keeper.read());
    if ('ok' in machine) return machine;
    const read = machine.preview?.text ?? this.#store.chartText();
    const text = writeChart(machine.chart, machine.snapshot, this.#leftStates(machine), read);
    return { ok: true, text, revision: machine.revision };
  }

  /**
   * What happened, newest first.
   *
   * @param before only entries with smaller ids.
   */
  async history(before: number, limit: number): Promise<HistoryPage | Refusal> {
    const machine = this.#keeper.current() ?? (await this.#keeper.read());
    if ('ok' in machine) return machine;
    const entries = this.#entries(machine, before, limit);
    const last = entries.at(-1)?.id ?? 1;
    const hasMore = this.#entries(machine, last, 1).length > 0;
    return { ok: true, entries, hasMore, revision: machine.revision };
  }

  /** Numbers for who watches many machines. */
  async metrics(): Promise<Metrics | Refusal> {
    const machine = this.#keeper.current() ?? (await this.#keeper.read());
    if ('ok' in machine) return machine;
    const { streams, sockets } = this.#watchers;
    const audience = { waiters: this.#waiters.size, streams: streams.size, sockets: sockets.size };
    return metricsOf(machine, this.#keeper.counters, audience, Date.now());
  }

  /** What the list of the tenant's machines says of this one; undefined where it is not there, or not any more. */
  async summary(): Promise<Summary | undefined> {
    const machine = this.#keeper.current();
    if (machine !== undefined) return summaryOf(machine);
    await this.#keeper.leaveList();
    return undefined;
  }

  /** Starts over from the newest chart; the history goes on. */
  async reset(by?: string, sub?: string): Promise<Done | Refusal> {
    const newest = await this.#keeper.newestChart();
    const current = this.#keeper.current();
    if (current === undefined) {
      const begun = await this.#keeper.start();
      return begun.ok ? { ok: true, revision: begun.machine.revision } : begun;
    }
    const read = newest === undefined ? ownChart(current, this.#store) : readFound(this.#address, newest);
    if ('ok' in read) return read;
    return this.#keeper.exchange(read.source, sub, (turn, now) => {
      turn.restart(read.chart, read.source, 'reset', by ?? null, now);
      return { ok: true, revision: turn.machine.revision };
    });
  }

  /** Takes a chart for this address, and starts or restarts the machine with it. */
  async upload(text: string, { reset, by, revisions, sub }: UploadOptions): Promise<Uploaded | Refusal> {
    const address = this.#address;
    if (address.run !== undefined) return uploadToRun(address);
    const found: ChartText = { text, origin: 'upload', hash: await hashOf(text) };
    const reading = readChart(text);
    if (!reading.ok) return invalidChart(address, reading.errors);
    const { chart, warnings } = reading;
    const source: StoredChart = { ...found, definition: chart.definition };
    const answer = { ok: true, dialect: chart.definition.dialect, hash: found.hash, warnings } as const;
    if (this.#keeper.current() === undefined) {
      if (revisions !== undefined) return noRevision(address);
      const begun = await this.#keeper.begin({ chart, source }, 'upload', by, sub);
      if (!begun.ok) return begun;
      if (begun.isNew) return { ...answer, created: true, revision: begun.machine.revision };
    }
    return this.#keeper.exchange(source, sub, (turn, now) => {
      const { machine } = turn;
      if (revisions !== undefined && !revisions.includes(machine.revision)) return wrongRevision(machine);
      const isNew = machine.source.hash !== found.hash || machine.source.origin !== 'upload';
      const isUnderWay = machine.revision > machine.started && !isDone(machine.snapshot);
      if (isNew && isUnderWay && !reset) return midSequence(machine);
      if (isNew || reset) {
        const isCorrected = corrects(chart, machine.chart, machine.snapshot);
        const corrected = isCorrected ? this.#beginning(machine) : undefined;
        turn.upload({ ...found, text: writeBeginning(chart, text, corrected) });
        if (isCorrected) turn.correct(chart, source, by ?? null, now);
        else turn.restart(chart, source, 'upload', by ?? null, now);
      }
      return { ...answer, created: false, revision: turn.machine.revision };
    });
  }

  /** Where the runs of this machine's chart begin. */
  #beginning({ chart, source }: RunningMachine): Definition {
    const uploaded = source.origin === 'upload' ? this.#store.upload() : undefined;
    const reading = uploaded && readChart(uploaded.text);
    return reading?.ok ? reading.chart.definition : chart.definition;
  }

  /** @returns the chart that was uploaded here, for the runs of it. Leaves nothing behind where there is none. */
  async uploaded(): Promise<Pick<StoredChart, 'hash' | 'text'> | undefined> {
    return this.#store.upload();
  }

  /** Erases the machine, as if its address had never been used. */
  async erase(): Promise<Done | Refusal> {
    if (this.#store.entries() === undefined) return notStarted(this.#address);
    this.#watchers.close();
    const erased = this.#keeper.erase();
    this.#waiters.wakeAll();
    return { ok: true, revision: await erased };
  }

  /**
   * Every change as it happens, as server-sent events.
   *
   * @param after the id of the entry that the watcher has seen last; without it only what is new is told.
   * @param until when the watcher's token ends, ms since the epoch.
   */
  async watch(
    after?: number,
    until?: number,
  ): Promise<{ readonly ok: true; readonly events: ReadableStream } | Refusal> {
    const machine = this.#keeper.current() ?? (await this.#keeper.read());
    if ('ok' in machine) return machine;
    const { streams } = this.#watchers;
    if (streams.isFull) return tooManyWaiting(machine);
    const next = nextAfter(writtenBy(machine), after);
    return { ok: true, events: streams.open(next, until ?? Number.POSITIVE_INFINITY) };
  }

  /** A WebSocket that is told every change: an upgrade, with `after` and `until` in the query as in `watch`. */
  override async fetch(request: Request): Promise<Response> {
    const machine = this.#keeper.current() ?? (await this.#keeper.read());
    if ('ok' in machine) return Response.json(machine, { status: 400 });
    const { sockets } = this.#watchers;
    if (sockets.isFull) return Response.json(tooManyWaiting(machine), { status: 400 });
    const query = new URL(request.url).searchParams;
    const number = (name: string) => (query.has(name) ? Number(query.get(name)) : undefined);
    const entries = writtenBy(machine);
    return sockets.open(entries, nextAfter(entries, number('after')), number('until'));
  }

  /** The platform answers a `ping` by itself; a watcher has nothing else to say. */
  override webSocketMessage(socket: WebSocket): void {
    socket.close(1009, 'a watcher may send "ping" and nothing else');
  }

  /** A watcher closes its WebSocket. Unanswered, it would wait for the other end to be closed as well. */
  override webSocketClose(socket: WebSocket, _code: number, _reason: string, wasClean: boolean): void {
    this.#watchers.sockets.forget();
    if (wasClean) socket.close(1000);
  }

  override webSocketError(): void {
    this.#watchers.sockets.forget();
  }

  /** Fires what is due. May come late, twice, or for nothing: it looks at the timers and not at its reason. */
  override async alarm(): Promise<void> {
    this.#keeper.alarm();
  }

  /**
   * The machine after a wait. A machine that was deleted does not begin anew for the requests that waited for it; a run
   * that had not begun is looked at anew.
   */
  async #lookAgain(before: RunningMachine): Promise<RunningMachine | Refusal> {
    return this.#keeper.current() ?? (before.preview === undefined ? deleted() : await this.#keeper.read());
  }

  // A run that has not begun has no tables.

  #leftStates({ preview }: RunningMachine): ReadonlySet<StateNumber> {
    return preview === undefined ? this.#store.leftStates() : new Set();
  }

  #entries(machine: RunningMachine, before: number, limit: number): HistoryEntry[] {
    const entries = writtenBy(machine);
    return entries === 0 ? [] : this.#store.history.read(entries, before, limit);
  }

  /** Counts what was committed, and tells those who wait for it. */
  #publish({ machine, passed }: Turn, { history, restarted }: Changes): void {
    if (history.length === 0) return;
    // Another chart has other numbers for its states: who waits has to look anew.
    if (restarted !== undefined) this.#waiters.wakeAll();
    else this.#wake(machine, passed);
    this.#watchers.tell(history);
  }

  /** Ends the waits for what has come, and for what cannot come any more. */
  #wake(machine: RunningMachine, passed: ReadonlySet<StateNumber>): void {
    this.#waiters.wake('change');
    for (const state of this.#waiters.states()) {
      if (passed.has(state) || isActive(machine.snapshot, state)) this.#waiters.wake(state, 'came');
      else if (!mayCome(machine, state)) this.#waiters.wake(state);
    }
  }
}

/**
 * When a wait has to look at the machine again, ms since the epoch. A commit ends the waits at a machine that is there.
 * A run that has not begun commits nothing, and yet the moments that its chart names pass.
 */
function nextLook(machine: RunningMachine, now: number): number {
  const next = machine.preview === undefined ? undefined : nextChange(machine);
  return next === undefined ? Number.POSITIVE_INFINITY : Math.max(next, now + PREVIEW_LOOK);
}

/** How many entries of history a machine has written. */
function writtenBy({ entries, preview }: RunningMachine): number {
  return preview === undefined ? entries : 0;
}
