import { DurableObject } from 'cloudflare:workers';
import { type Address, DEFAULT, formatAddress, parseObjectName } from '../address.ts';
import { DATA_BYTES } from '../chart-limits.ts';
import type { Command, Outcome } from '../commands.ts';
import { VIEW_HISTORY } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import { ask, machineAfterWait, offerSlots, wakeAfter } from './asking.ts';
import type { DefinitionText, UploadedChart } from './chart-results.ts';
import type { MachineEnv } from './chart-source.ts';
import { ChartTexts } from './chart-text.ts';
import { type Metrics, metricsOf } from './counters.ts';
import { dryRun } from './dry-run.ts';
import { faultOf, unsupported } from './faults.ts';
import { entriesBefore, historyPage, lookedAtFor, writtenBy } from './history-page.ts';
import { linkAnswer } from './link-queries.ts';
import { LongAnswers, lengthOfEntries, lengthOfSearch, lengthOfStatus } from './long-answers.ts';
import { leftStatesOf, type MachineState } from './machine-state.ts';
import { memberMetrics } from './member-facts.ts';
import { memberList, membersPage } from './member-queries.ts';
import { haveTermsChanged, type News } from './news.ts';
import { hookMetrics, hooksAt, notificationsPage } from './notifications-page.ts';
import { deleted, noChart, notStarted, tooManyWaiting } from './refusals.ts';
import { reportsPage } from './reports-page.ts';
import type {
  Answer,
  Current,
  EventStreamAnswer,
  IsQuery,
  Query,
  StatusAnswer,
  StatusQuery,
  Summary,
  ViewQuery,
  WatchQuery,
} from './results.ts';
import { Runtime } from './runtime.ts';
import { StatusWriter, summaryOf } from './status-document.ts';
import { StoragePoll } from './storage-poll.ts';
import type { MachineMethods } from './stubs.ts';
import { refuseUnnamed } from './unnamed.ts';
import { type View, viewOf } from './view-data.ts';
import { type Condition, type WaitEnd, Waits } from './waits.ts';
import { nextAfter, Watches } from './watches.ts';

/**
 * The Durable Object of one machine. It has two methods: `execute` takes commands, `read` takes queries.
 *
 * `chart/` defines transitions, `apply.ts` applies a command, `runtime.ts` queues and commits commands.
 */
export class Machine extends DurableObject<MachineEnv> implements MachineMethods {
  readonly #address: Address;
  /** False if the object was opened by its id: it has no address, and refuses everything. */
  readonly #isNamed: boolean;
  readonly #runtime: Runtime;
  readonly #waits = new Waits();
  readonly #watches: Watches;
  readonly #poll = new StoragePoll(
    () => this.#waits.size > 0 || this.#watches.streams.size > 0,
    () => this.#look(),
  );
  readonly #status: StatusWriter;
  readonly #texts: ChartTexts;
  readonly #long = new LongAnswers();

  constructor(ctx: DurableObjectState, env: MachineEnv) {
    super(ctx, env);
    const { name } = ctx.id;
    this.#isNamed = name !== undefined;
    this.#address = name === undefined ? DEFAULT : parseObjectName(name);
    this.#runtime = new Runtime(ctx, env, this.#address, (news) => this.#publish(news));
    this.#texts = new ChartTexts(this.#runtime, this.#address);
    const { store } = this.#runtime;
    this.#watches = new Watches(ctx, store);
    this.#status = new StatusWriter(() => store.receipts.reports(), this.#runtime);
  }

  /** Executes commands in order, in one batch with those of other calls. Returns their outcomes; a command fails alone. */
  execute(commands: readonly Command[]): Promise<Outcome[]> {
    if (!this.#isNamed) return refuseUnnamed(this.ctx, commands.length);
    return this.#runtime.prepare()?.then(() => this.execute(commands)) ?? this.#runtime.execute(commands);
  }

  /** Answers queries. A query fails alone. */
  read(queries: readonly Query[]): Promise<Answer[]> {
    if (!this.#isNamed) return refuseUnnamed(this.ctx, queries.length);
    const unprepared = this.#runtime.prepare();
    if (unprepared !== undefined) return unprepared.then(() => this.read(queries));
    // The queries of a call are answered in one turn of the event loop, so they share one look at storage.
    let present: MachineState | undefined;
    const look = () => (present ??= this.#runtime.current());
    return Promise.all(
      queries.map(async (query) => {
        try {
          return await (query.type === 'is' ? this.#is(query, look()) : this.#answer(query));
        } catch (error) {
          return faultOf(error, `a query (${query.type})`);
        }
      }),
    );
  }

  #is(query: IsQuery, present: MachineState | undefined): Promise<Current | Refusal> {
    const wait = (condition: Condition, until: number) => this.#wait(condition, until);
    return ask(this.#runtime, present, query, this.#waits, wait);
  }

  async #answer(query: Exclude<Query, IsQuery>): Promise<Answer> {
    switch (query.type) {
      case 'status':
        return this.#statusDocument(query);
      case 'history':
        return this.#write(
          (machine) => lengthOfEntries(machine, query.limit),
          (machine) => historyPage(this.#runtime.store, machine, query),
          undefined,
          (machine) => lengthOfSearch(machine, lookedAtFor(machine, query)),
        );
      case 'reports':
        return this.#write(
          () => query.limit * DATA_BYTES,
          (machine) => reportsPage(this.#runtime.store, machine, query),
        );
      case 'members':
        return membersPage(this.#runtime, query);
      case 'member-list':
        return memberList(this.#runtime, query);
      case 'notifications':
        return notificationsPage(this.#runtime, query);
      case 'watch':
        return this.#watch(query);
      case 'link':
        return linkAnswer(this.#runtime, query);
      case 'summary':
        return this.#summary();
      case 'view':
        return this.#view(query);
      case 'chart':
        return this.#texts.written();
      case 'sources':
        return this.#texts.sources();
      case 'metrics':
        return this.#metrics();
      case 'definition':
        return this.#definition(query.hash);
      case 'uploaded':
        return this.#uploaded();
      case 'dry-run':
        return dryRun(this.#runtime, this.#address, query.upload, query.isDrawn);
      default:
        // A query of a newer version of the edge.
        return unsupported();
    }
  }

  async #statusDocument(query: StatusQuery): Promise<StatusAnswer | Refusal> {
    const { known = [], wait = 0, after, since } = query;
    const until = Date.now() + wait;
    let machine = this.#runtime.current() ?? (await this.#absent(after || since));
    while (!('ok' in machine) && known.includes(machine.revision) && Date.now() < until) {
      if (this.#waits.full) return tooManyWaiting(machine);
      await this.#wait('change', until);
      machine = await machineAfterWait(this.#runtime, machine);
    }
    if ('ok' in machine) return machine;
    if (known.includes(machine.revision)) return { ok: true, unchanged: true, revision: machine.revision };
    const newest = await this.#runtime.charts.newestHash();
    // The machine may have changed meanwhile.
    machine = await machineAfterWait(this.#runtime, machine);
    return this.#write(
      lengthOfStatus,
      (present) => {
        const status = this.#status.write(formatAddress(this.#address), present, newest, Date.now());
        return { ok: true, unchanged: false, status, revision: present.revision };
      },
      machine,
    );
  }

  /**
   * Writes an answer. A long one waits for its turn, so that other requests are answered meanwhile.
   *
   * @param lengthOf returns the characters of the answer, about.
   * @param found the machine, if it was read already.
   * @param searchOf returns what it costs to find what is written, as characters of an answer.
   */
  async #write<A extends Answer>(
    lengthOf: (machine: MachineState) => number,
    write: (machine: MachineState) => A,
    found?: MachineState | Refusal,
    searchOf: (machine: MachineState) => number = () => 0,
  ): Promise<A | Refusal> {
    const machine = found ?? this.#runtime.current() ?? (await this.#runtime.read());
    if ('ok' in machine) return machine;
    const writeNow = () => {
      // It may have changed meanwhile.
      const present = machine.preview === undefined ? this.#runtime.current() : machine;
      return present === undefined ? deleted() : write(present);
    };
    return this.#long.write<A | Refusal>(lengthOf(machine), writeNow, searchOf(machine));
  }

  /** The data of the pages. The edge draws the chart, so drawing slows no request here. */
  async #view({ after }: ViewQuery): Promise<View | Refusal> {
    const newest = await this.#runtime.charts.newestHash();
    const found = this.#runtime.current() ?? (await this.#absent(after));
    return this.#write(
      lengthOfStatus,
      (machine) => ({
        ok: true,
        revision: machine.revision,
        status: this.#status.write(formatAddress(this.#address), machine, newest, Date.now()),
        hash: machine.source.hash,
        ...viewOf(machine, leftStatesOf(machine, this.#runtime.store), this.#runtime.store.receipts),
        hooks: hooksAt(this.#runtime, machine),
        history: entriesBefore(this.#runtime.store, machine, Number.MAX_SAFE_INTEGER, VIEW_HISTORY).entries,
      }),
      found,
    );
  }

  async #definition(hash: string): Promise<DefinitionText | Refusal> {
    const definition = this.#runtime.charts.definition(hash);
    return definition === undefined ? deleted() : { ok: true, definition };
  }

  async #metrics(): Promise<Metrics | Refusal> {
    const machine = this.#runtime.current() ?? (await this.#runtime.read());
    if ('ok' in machine) return machine;
    const { streams, sockets } = this.#watches;
    const audience = { waiters: this.#waits.size, streams: streams.size, sockets: sockets.size };
    return {
      ...metricsOf(machine, this.#runtime.counters, audience, Date.now()),
      members: this.#runtime.expected.of(machine).map(memberMetrics),
      hooks: hookMetrics(this.#runtime, machine),
    };
  }

  /** The machine's entry in the tenant's list. A machine that is not there leaves the registry. */
  async #summary(): Promise<Summary | Refusal> {
    const machine = this.#runtime.current();
    if (machine !== undefined) return summaryOf(machine);
    await this.#runtime.leaveRegistry();
    return notStarted(this.#address);
  }

  /** The chart that was uploaded to this address, for its runs. */
  async #uploaded(): Promise<UploadedChart | Refusal> {
    const uploaded = this.#runtime.store.upload();
    return uploaded === undefined ? noChart(this.#address) : { ok: true, ...uploaded };
  }

  async #watch({ after, until }: WatchQuery): Promise<EventStreamAnswer | Refusal> {
    const machine = this.#runtime.current() ?? (await this.#absent(after));
    if ('ok' in machine) return machine;
    const { streams } = this.#watches;
    if (streams.isFull) return tooManyWaiting(machine);
    const next = nextAfter(writtenBy(machine), after);
    const events = streams.open(next, until ?? Number.POSITIVE_INFINITY);
    this.#poll.start(this.#runtime.due);
    return { ok: true, events };
  }

  /** Opens a WebSocket that gets every change. The query of the URL has `after` and `until` of a watch. */
  override async fetch(request: Request): Promise<Response> {
    if (!this.#isNamed) {
      const [refusal] = await refuseUnnamed(this.ctx, 1);
      return Response.json(refusal, { status: 400 });
    }
    const query = new URL(request.url).searchParams;
    const number = (name: string) => (query.has(name) ? Number(query.get(name)) : undefined);
    const after = number('after');
    const machine = this.#runtime.current() ?? (await this.#absent(after));
    if ('ok' in machine) return Response.json(machine, { status: 400 });
    const { sockets } = this.#watches;
    if (sockets.isFull) return Response.json(tooManyWaiting(machine), { status: 400 });
    const entries = writtenBy(machine);
    return sockets.open(entries, nextAfter(entries, after), number('until'));
  }

  /** The platform answers `ping` without calling this. A watcher must not send anything else. */
  override webSocketMessage(socket: WebSocket): void {
    socket.close(1009, 'a watcher may send "ping" and nothing else');
  }

  /** A watcher closes its WebSocket. The close is answered, because the watcher waits for that. */
  override webSocketClose(socket: WebSocket, _code: number, _reason: string, wasClean: boolean): void {
    this.#watches.sockets.forget();
    if (wasClean) socket.close(1000);
  }

  override webSocketError(): void {
    this.#watches.sockets.forget();
  }

  /** Fires what is due. The alarm may come late, twice, or for nothing. */
  override async alarm(): Promise<void> {
    if (this.#isNamed) return this.#runtime.alarm();
    // The platform tries again, and meets an object that knows its name.
    await refuseUnnamed(this.ctx, 0);
    throw new Error('a machine has no name');
  }

  /** Reads a machine that is not there. It was deleted if the caller knows of it, and does not begin again then. */
  async #absent(after = 0): Promise<MachineState | Refusal> {
    return after > 0 ? deleted() : await this.#runtime.read();
  }

  #wait(condition: Condition, until: number): Promise<WaitEnd> {
    const end = this.#waits.wait(condition, until);
    this.#poll.start(this.#runtime.due);
    return end;
  }

  /** Reads storage while requests wait. If it cannot be read, ends their waits, and each is told of the fault. */
  async #look(): Promise<number | undefined> {
    try {
      const due = await this.#runtime.look();
      const machine = [...this.#waits.statesWithSlots()].length > 0 ? this.#runtime.current() : undefined;
      if (machine !== undefined) offerSlots(this.#waits, machine);
      return due;
    } catch (error) {
      console.error('reading storage for waits failed', error);
      this.#waits.wakeAll();
      this.#watches.streams.close();
      return undefined;
    }
  }

  /** Publishes commits to the waits and watches. */
  #publish(news: News | 'erased' | 'restarting'): void {
    if (news === 'erased' || news === 'restarting') {
      this.#watches.close(news);
      // A restart ends the calls of the waits, and the edge repeats them.
      if (news === 'erased') this.#waits.wakeAll();
      return;
    }
    const { machine, history, passed, isRestarted } = news;
    if (history?.length === 0) return;
    // Every wait checks again where another chart has other numbers for its states, or others may take part.
    if (isRestarted || history === undefined || haveTermsChanged(history)) this.#waits.wakeAll();
    else wakeAfter(this.#waits, machine, passed);
    this.#watches.tell(history);
    this.#poll.start(this.#runtime.due);
  }
}
