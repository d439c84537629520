import { DurableObject } from 'cloudflare:workers';
import { formatAddress, parseObjectName } from './address.ts';
import { type CatalogBindings, findChart } from './catalog.ts';
import { nextDue, nextTimer, readChart, writeChart } from './chart/index.ts';
import { ALARM_BACKOFF, ALARM_HORIZON } from './limits.ts';
import { type Refusal, refuse } from './refusal.ts';
import { findCurrent, type RunningMachine, statusOf, wake } from './running.ts';
import { type HistoryEntry, Store } from './store.ts';
import { Turn, type Update, type Yes } from './turn.ts';

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
}

/**
 * The Durable Object of one machine: it serialises what happens to it, keeps it in storage, and fires its
 * timers. What a transition is, `chart/` says; how it is stored, `store.ts`.
 *
 * Updates that wait at the same time are one turn and one commit. The platform's output gate holds every
 * answer until what it tells is durable, so nothing here waits for the disk.
 */
export class Machine extends DurableObject<CatalogBindings> {
  readonly #store: Store;
  #machine: RunningMachine | undefined;
  /** For when the alarm is set, ms since the epoch; undefined where that is not known. */
  #alarmAt: number | undefined;
  #batch: Batch | undefined;

  constructor(ctx: DurableObjectState, env: CatalogBindings) {
    super(ctx, env);
    this.#store = new Store(ctx.storage.sql);
  }

  /** Is `state` current? */
  async is(state: string): Promise<Yes | Refusal> {
    const machine = this.#current(Date.now()) ?? (await this.#start());
    if ('ok' in machine) return machine;
    const found = findCurrent(machine, state);
    return found.ok ? { ok: true, state, revision: machine.revision } : found;
  }

  /** Reports: counted, and perhaps moved on, or refused. */
  async update(update: Update): Promise<Yes | Refusal> {
    if (this.#current(Date.now()) === undefined) {
      const machine = await this.#start();
      if ('ok' in machine) return machine;
    }
    this.#batch ??= this.#openBatch();
    const place = this.#batch.updates.push(update) - 1;
    const answers = await this.#batch.done;
    return answers[place] ?? refuse('internal-error', 'The update was lost before it was applied.');
  }

  /** The status document. */
  async status(): Promise<StatusAnswer | Refusal> {
    const newest = await findChart(this.env, this.#address());
    const machine = this.#current(Date.now()) ?? (await this.#start());
    if ('ok' in machine) return machine;
    const status = statusOf(formatAddress(this.#address()), machine, newest?.hash);
    return { ok: true, status: JSON.stringify(status, null, 2), revision: machine.revision };
  }

  /** The chart, with the machine's present values where its dialect has room for them. */
  async chart(): Promise<WrittenChart | Refusal> {
    const machine = this.#current(Date.now()) ?? (await this.#start());
    if ('ok' in machine) return machine;
    const text =
      writeChart(machine.chart, machine.snapshot, this.#store.leftStates()) ?? this.#store.chartText();
    return { ok: true, text, revision: machine.revision };
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

  /** Fires what is due. May come late, twice, or for nothing: it looks at the timers and not at its reason. */
  override async alarm(): Promise<void> {
    this.#alarmAt = undefined;
    const machine = this.#current(Date.now());
    if (machine !== undefined) this.#setAlarm(machine);
  }

  /**
   * The machine as storage has it, with all timers fired that are due. Reads storage each time: what is in
   * memory may be stale where the platform has started a second object meanwhile.
   */
  #current(now: number): RunningMachine | undefined {
    const revision = this.#store.revision();
    if (revision !== this.#machine?.revision)
      this.#machine = revision === undefined ? undefined : wake(this.#store);
    if (this.#machine === undefined || nextDue(this.#machine.snapshot, now) === undefined)
      return this.#machine;
    return this.#commit((turn) => turn.fireDue(now));
  }

  /** Starts the machine where a chart is to be found for it, and leaves nothing behind where there is none. */
  async #start(): Promise<RunningMachine | Refusal> {
    const address = this.#address();
    const found = await findChart(this.env, address);
    const now = Date.now();
    // Another request may have started it meanwhile.
    const machine = this.#current(now);
    if (machine !== undefined) return machine;
    if (found === undefined) {
      return refuse('no-chart', `No chart has been put at ${formatAddress(address)}.`);
    }
    const reading = readChart(found.text);
    if (!reading.ok) {
      const count = reading.errors.length;
      const detail = `The chart of ${formatAddress(address)} has ${count === 1 ? 'an error' : `${count} errors`}; nothing was started.`;
      return refuse('invalid-chart', detail, { errors: reading.errors });
    }
    const { definition } = reading.chart;
    const turn = Turn.begin(reading.chart, { hash: found.hash, origin: found.origin }, now);
    const changes = turn?.changes;
    if (turn === undefined || changes === undefined) throw new Error('a checked chart cannot start');
    this.ctx.storage.transactionSync(() => this.#store.create({ ...found, definition }, changes));
    this.#machine = turn.machine;
    this.#setAlarm(turn.machine);
    return turn.machine;
  }

  #openBatch(): Batch {
    const updates: Update[] = [];
    // Waits until the commit before is durable, or for one trip round the event loop where there is none: what
    // arrives meanwhile is committed together. (`scheduler.wait(0)` takes a millisecond at least.)
    const done = this.ctx.storage.sync().then(() => {
      this.#batch = undefined;
      return this.#apply(updates);
    });
    return { updates, done };
  }

  #apply(updates: readonly Update[]): (Yes | Refusal)[] {
    const now = Date.now();
    if (this.#current(now) === undefined) throw new Error('the machine has vanished under its updates');
    let answers: (Yes | Refusal)[] = [];
    this.#commit((turn) => {
      answers = updates.map((update) => tryUpdate(turn, update, now));
    });
    return answers;
  }

  /** Takes one turn and commits what it changed, whole or not at all. */
  #commit(act: (turn: Turn) => void): RunningMachine | undefined {
    const machine = this.#machine;
    if (machine === undefined) return undefined;
    const turn = new Turn(machine);
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
    this.#machine = turn.machine;
    this.#setAlarm(turn.machine);
    return turn.machine;
  }

  /** One alarm, for the earliest timer. In the same turn as the commit, so it is durable with it. */
  #setAlarm({ snapshot }: RunningMachine): void {
    const next = nextTimer(snapshot.timers.values());
    const at = next && alarmTime(next.at, Date.now());
    if (at === this.#alarmAt) return;
    if (at === undefined) void this.ctx.storage.deleteAlarm();
    else void this.ctx.storage.setAlarm(at);
    this.#alarmAt = at;
  }

  #address() {
    const { name } = this.ctx.id;
    if (name === undefined) throw new Error('a machine has no name');
    return parseObjectName(name);
  }
}

/** One update that meets a bug fails alone; the turn is as it was before it. */
function tryUpdate(turn: Turn, update: Update, now: number): Yes | Refusal {
  try {
    return turn.update(update, now);
  } catch (error) {
    console.error('an update failed', error);
    return refuse(
      'internal-error',
      'This update met a fault of the service; it may or may not have been counted.',
    );
  }
}

/** @returns `due`, or a moment before it that is the same all day long, where it is too far ahead for an alarm. */
function alarmTime(due: number, now: number): number {
  // What one turn was not enough for is left to the next one, but not at once: a ring of timers that are all due
  // would keep the object busy for ever.
  if (due <= now) return now + ALARM_BACKOFF;
  return Math.min(due, now - (now % DAY) + ALARM_HORIZON);
}

const DAY = 24 * 60 * 60 * 1_000;

/** Updates that will be applied in one turn, and their answers in the same order. */
interface Batch {
  readonly updates: Update[];
  readonly done: Promise<(Yes | Refusal)[]>;
}
