/**
 * A simulated world: one tenant's machines, clients that call them, and faults. All code of the service is the real one;
 * what is simulated is the platform around it.
 */

import { SLICE_UNITS } from '../../src/limits.ts';
import type { MachineEnv } from '../../src/objects/chart-source.ts';
import { Machine } from '../../src/objects/machine.ts';
import { Tenant } from '../../src/objects/tenant.ts';
import { roomFor } from '../../src/slices.ts';
import { Clients } from './clients.ts';
import { hit } from './faults.ts';
import { Home, type ServiceObject, shortOf } from './homes.ts';
import { violationsOf } from './invariants.ts';
import { Journal, rowsOf } from './journal.ts';
import { Namespace } from './namespace.ts';
import type { Told } from './observed.ts';
import { FAULT_LENGTH, type Fault, type Plan } from './plan.ts';
import { isSimulated } from './platform-errors.ts';
import { enter } from './platform-globals.ts';
import { Scheduler } from './scheduler.ts';
import { type SimulatedChart, simulatedCharts } from './simulated-charts.ts';
import type { PlatformBugs } from './trouble.ts';

/** When the first world of a thread begins, ms since the epoch; each later one begins so many ms after the one before. */
const FIRST = Date.UTC(2027, 0, 4);
const APART = 364 * 24 * 60 * 60 * 1_000;

/** After the last request and fault: when all objects are ended once, and how long nothing happens then, ms. */
const CALM = 80_000;
const QUIET = 180_000;

/** Before anything happens, ms: a slice of work and its rest take 2. */
const PRELUDE = 10;

/** The share of messages that a hook does not take. */
const HOOK_FAILS = 0.2;

export interface Result {
  readonly violations: readonly string[];
  readonly steps: number;
  readonly stepsOf: ReadonlyMap<string, number>;
  readonly hash: number;
  /** Simulated ms. */
  readonly lasted: number;
  /** Calls by what came of them. */
  readonly outcomes: ReadonlyMap<string, number>;
}

export interface Options {
  readonly bugs?: PlatformBugs;
  /** `Observed.isTight` */
  readonly isTight?: boolean;
  /** Is given a line for each step. */
  readonly trace?: (line: string) => void;
}

/** A machine in the registry. */
interface Row {
  readonly chart: string;
  readonly run: string;
  readonly states: string | null;
}

let worlds = 0;

/** Runs a plan. Equal plans have equal runs. */
export async function run(plan: Plan, options: Options = {}): Promise<Result> {
  worlds += 1;
  const world = new World(plan, worlds, options);
  try {
    return await world.run();
  } finally {
    world.close();
  }
}

class World {
  readonly #plan: Plan;
  readonly #isTight: boolean;
  readonly #scheduler: Scheduler;
  readonly #journal: Journal;
  readonly #charts: ReadonlyMap<string, SimulatedChart>;
  readonly #clients: Clients;
  readonly #machines: Namespace;
  readonly #tenants: Namespace;
  readonly #tenant: string;
  readonly #epoch: number;
  readonly #told: Told[] = [];
  readonly #violations: string[] = [];

  /** @param number makes names and texts of the world its own: what an isolate keeps of others does not matter. */
  constructor(plan: Plan, number: number, { bugs = {}, isTight = false, trace }: Options) {
    this.#isTight = isTight;
    const mark = String(number).padStart(6, '0');
    this.#plan = plan;
    this.#tenant = `t${mark}`;
    this.#epoch = FIRST + number * APART;
    this.#charts = new Map(simulatedCharts(mark).map((chart) => [chart.path, chart]));
    const scheduler = new Scheduler(plan.seed, trace);
    const journal = new Journal(scheduler);
    const home = { scheduler, epoch: this.#epoch };
    const machine = (ctx: DurableObjectState): ServiceObject => new Machine(ctx, env);
    const tenant = (ctx: DurableObjectState): ServiceObject => new Tenant(ctx, env);
    this.#machines = new Namespace(
      scheduler,
      (name) => new Home(name, { ...home, construct: machine, observer: journal, bugs }),
      bugs,
    );
    this.#tenants = new Namespace(scheduler, (name) => new Home(name, { ...home, construct: tenant }), {});
    // The platform's types have more than the service uses.
    const env = {
      MACHINES: this.#machines,
      TENANTS: this.#tenants,
      CHARTS: { fetch: (url: string) => this.#chart(url) },
      HOOK_OPS: `https://ops.example/ whsec_${btoa('a secret of at least 24 bytes')}`,
    } as unknown as MachineEnv;
    this.#scheduler = scheduler;
    this.#journal = journal;
    this.#clients = new Clients({
      scheduler,
      env,
      tenant: this.#tenant,
      journal,
      charts: this.#charts,
      failed: (message) => this.#violations.push(message),
    });
    enter({
      scheduler,
      epoch: this.#epoch,
      random: scheduler.chanceOf('platform'),
      logged: (message) => this.#logged(message),
      fetch: (_, { headers }) => this.#hook(headers['webhook-id'] ?? ''),
    });
  }

  async run(): Promise<Result> {
    process.on('unhandledRejection', this.#rejected);
    try {
      await this.#live();
    } finally {
      process.off('unhandledRejection', this.#rejected);
    }
    const { steps, stepsOf, hash, now } = this.#scheduler;
    const outcomes = new Map<string, number>();
    for (const { asked, answer } of this.#clients.calls) {
      const came = answer === undefined ? 'unheard' : answer.ok ? 'ok' : answer.code;
      const what = `${asked?.type} ${came}`;
      outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
    }
    const violations = [...this.#violations, ...this.#check()];
    return { violations, steps, stepsOf, hash, lasted: now, outcomes };
  }

  close(): void {
    for (const home of this.#homes()) home.close();
  }

  async #live(): Promise<void> {
    const scheduler = this.#scheduler;
    const { length, actions, faults } = this.#plan;
    // The present slice of the isolate is used up: what worlds before have spent of it does not matter.
    this.#clients.start('prelude', () => roomFor(SLICE_UNITS).then(() => {}));
    await scheduler.runUntil(PRELUDE);
    scheduler.begin();
    for (const action of actions) this.#clients.plan(action);
    for (const fault of faults) {
      scheduler.schedule(`fault ${fault.kind} ${fault.machine}`, fault.at, undefined, () => this.#hit(fault));
    }
    await scheduler.runUntil(length + FAULT_LENGTH);
    for (const home of this.#homes()) home.heal();
    await scheduler.runUntil(length + CALM);
    // Then nobody asks. Each object starts once more, and looks at its alarm: the platform may have dropped it.
    for (const home of this.#homes()) home.kill();
    for (const path of this.#journal.chronicles.keys()) this.#clients.look(path);
    await scheduler.runUntil(length + CALM + QUIET);
  }

  #check(): string[] {
    const { database } = this.#tenants.home(this.#tenant);
    const listed = rowsOf<Row>(database, 'SELECT chart, run, states FROM machine').map(
      ({ chart, run, states }) =>
        [run === '' ? chart : `${chart}@${run}`, JSON.parse(states ?? '[]') as string[]] as const,
    );
    return violationsOf({
      plan: this.#plan,
      isTight: this.#isTight,
      epoch: this.#epoch,
      now: this.#scheduler.now,
      charts: this.#charts.values(),
      chronicles: this.#journal.chronicles,
      calls: this.#clients.calls,
      told: this.#told,
      homes: this.#machines.all.values(),
      listed: new Map(listed),
    });
  }

  *#homes(): Iterable<Home> {
    yield* this.#machines.all.values();
    yield* this.#tenants.all.values();
  }

  #hit(fault: Fault): void {
    const { machine } = fault;
    const home =
      machine === 'registry'
        ? this.#tenants.all.get(this.#tenant)
        : this.#machines.all.get(`${this.#tenant}/${machine}`);
    if (home !== undefined) hit(home, fault, this.#scheduler);
  }

  /** The folder of charts. */
  async #chart(url: string) {
    const file = url.slice(url.lastIndexOf('/') + 1);
    const chart = [...this.#charts.values()].find(({ path }) => `${path.split('@')[0]}.yaml` === file);
    await this.#travel('assets');
    const status = chart === undefined ? 404 : 200;
    return { ok: chart !== undefined, status, body: null, text: async () => chart?.text ?? '' };
  }

  /** The receiver of notifications. @param id the machine's address, the revision and the id of the entry. */
  async #hook(id: string): Promise<Response> {
    await this.#travel('hook');
    const [machine = '', , entry] = id.split(':');
    const path = shortOf(machine);
    const chance = this.#scheduler.chanceOf(`hook ${path} ${entry}`);
    const fails = this.#scheduler.now < this.#plan.length && chance.chance(HOOK_FAILS);
    if (!fails) this.#told.push({ path, id: Number(entry) });
    await this.#travel('hook');
    if (fails) throw new Error('simulated: no connection');
    return { ok: true, status: 200, headers: new Headers(), body: null } as Response;
  }

  /** Sends a message of the code that runs to something outside, or back. */
  #travel(label: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { context } = this.#scheduler;
    const send = () => {
      this.#scheduler.schedule(label, 0.2 + (context?.random.below(5) ?? 0), context, resolve);
    };
    if (context?.gate === undefined) send();
    else context.gate(send);
    return promise;
  }

  #logged(message: string): void {
    if (!isSimulated(message)) this.#violations.push(`an error was logged: ${message}`);
  }

  readonly #rejected = (error: unknown) => {
    const shown = error instanceof Error ? error.stack : error;
    this.#violations.push(`a promise was rejected, and nothing handles it: ${shown}`);
  };
}
