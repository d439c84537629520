/** The clients of a world: they call the machines over the edge, as routes do. */
import type { Command, Outcome } from '../../src/commands.ts';
import { attempt } from '../../src/edge/attempt.ts';
import { RemoteMachine } from '../../src/edge/remote-machine.ts';
import type { MachineEnv } from '../../src/objects/chart-source.ts';
import type { Answer, Query } from '../../src/objects/results.ts';
import { machineNamed } from '../../src/objects/stubs.ts';
import type { Refusal } from '../../src/refusal.ts';
import { type Chronicle, holdersOf, type Journal } from './journal.ts';
import type { Call } from './observed.ts';
import type { Action } from './plan.ts';
import { Context, type Scheduler } from './scheduler.ts';
import type { SimulatedChart } from './simulated-charts.ts';

/** The edge in another isolate: thread.ts loads its modules once more. */
const OTHER_EDGE = '../../src/edge/remote-machine.ts?isolate=2';
const other: { readonly RemoteMachine: typeof RemoteMachine } = await import(OTHER_EDGE);

/** For how long the code of a request runs after its client has left, if it asks for that (`waitUntil`), ms. */
const AFTER_LEAVING = 30_000;

/** What clients need of their world. */
interface Host {
  readonly scheduler: Scheduler;
  readonly env: MachineEnv;
  readonly tenant: string;
  readonly journal: Journal;
  readonly charts: ReadonlyMap<string, SimulatedChart>;
  /** Is told of what is thrown to a client. */
  failed(message: string): void;
}

export class Clients {
  readonly calls: Call[] = [];
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Schedules an action, and its repeats. */
  plan(action: Action): void {
    for (const [attempt, after] of [0, ...(action.again ?? [])].entries()) {
      const run = () => this.#call(action, attempt);
      this.#host.scheduler.schedule(`client ${action.id}`, action.at + after, undefined, run);
    }
  }

  /** Sends a machine a query that lets its object start. */
  look(path: string): void {
    const { env, tenant } = this.#host;
    this.start(`look ${path}`, async () => {
      await machineNamed(env, `${tenant}/${path}`).read([{ type: 'summary' }]);
    });
  }

  /** Runs code of a request at the edge. */
  start(name: string, run: () => Promise<void>): Context {
    const { scheduler, failed } = this.#host;
    const context = new Context(name, scheduler.chanceOf(name));
    scheduler.schedule(name, 0, context, () => {
      run().catch((error: unknown) => failed(`${name} was answered with a fault: ${error}`));
    });
    return context;
  }

  #call(action: Action, attempt: number): void {
    const { scheduler, journal } = this.#host;
    const chronicle = journal.of(action.machine);
    const call: Call = { action, attempt, asked: undefined, called: scheduler.now, from: chronicle.life };
    this.calls.push(call);
    const context = this.start(`request ${action.id}.${attempt}`, async () => {
      const asked = this.#askedBy(action, chronicle);
      call.asked = asked;
      const answer = isCommand(asked) ? await this.#execute(action, asked) : await this.#read(action, asked);
      if (call.left) return;
      call.answer = answer;
      call.returned = scheduler.now;
      call.to = chronicle.life;
    });
    if (action.leaves === undefined) return;
    scheduler.schedule(`leave ${action.id}`, action.leaves, undefined, () => this.#leave(call, context));
  }

  /** The client disconnects: the code of its request is stopped, at once or somewhat later. */
  #leave(call: Call, context: Context): void {
    if (call.returned !== undefined) return;
    call.left = true;
    context.leave();
    this.#host.scheduler.schedule(`stop ${context.name}`, AFTER_LEAVING, undefined, () => {
      context.isAlive = false;
    });
  }

  #execute({ machine: path, via }: Action, command: Command): Promise<Outcome | Refusal> {
    const { env } = this.#host;
    const machine = this.#machineAt(path, via);
    if (via !== 'own') return machine.execute(command);
    const isNamed = command.type === 'update' && (command.by ?? command.key) !== undefined;
    const isRepeatable = isNamed || REPEATABLE.has(command.type);
    return attempt(isRepeatable, () => machineNamed(env, machine.name).execute([command]).then(first));
  }

  #read({ machine: path, via }: Action, query: Query): Promise<Answer | Refusal> {
    const { env } = this.#host;
    const machine = this.#machineAt(path, via);
    if (via !== 'own') return machine.read(query);
    return attempt(true, () => machineNamed(env, machine.name).read([query]).then(first));
  }

  #machineAt(path: string, via: Action['via']): RemoteMachine {
    const { env, tenant } = this.#host;
    const [chart = '', run] = path.split('@');
    const address = { tenant, chart, ...(run === undefined ? {} : { run }) };
    return via === 'other' ? new other.RemoteMachine(env, address) : new RemoteMachine(env, address);
  }

  /** What a client asks, by what is known of the machine. A repeat asks the same. */
  #askedBy({ id, deed, machine, isBlind }: Action, chronicle: Chronicle): Command | Query {
    const before = this.calls.find(({ action, asked }) => action.id === id && asked !== undefined);
    if (before?.asked !== undefined) return before.asked;
    const chart = this.#host.charts.get(machine);
    if (chart === undefined) throw new Error(`there is no chart ${machine}`);
    const isLikely = (state: string) => isBlind || chronicle.states.includes(state);
    const choose = (states: readonly string[]) => {
      const some = states.length > 0 ? states : chart.states;
      return some[Math.floor(('pick' in deed ? deed.pick : 0) * some.length)] ?? '';
    };
    const operator = `op-${id}`;
    switch (deed.type) {
      case 'report': {
        const { type: _, pick, ...said } = deed;
        const state = choose(chart.states.filter(isLikely));
        // Where a slot is needed, most who report hold one.
        const holders = isBlind || said.by === undefined ? [] : holdersOf(chronicle, state);
        const by = holders[Math.floor(pick * 1.2 * holders.length)];
        return { type: 'update', state, data: `{"id":${id}}`, ...said, ...(by === undefined ? {} : { by }) };
      }
      case 'ask': {
        const { by, wait } = deed;
        const isForAny = wait > 0 && by === undefined;
        const state = choose(isForAny ? chart.states : chart.states.filter(isLikely));
        return { type: 'is', state, ...(by === undefined ? {} : { by }), ...(wait > 0 ? { wait } : {}) };
      }
      case 'status': {
        const { wait } = deed;
        const known = [chronicle.entries.at(-1)?.revision ?? 0];
        return { type: 'status', ...(wait > 0 ? { wait, known } : {}) };
      }
      case 'claim':
      case 'renew':
      case 'release':
        return { type: deed.type, state: choose(Object.keys(chart.slots).filter(isLikely)), by: deed.by };
      case 'pause': {
        const { until } = deed;
        return { type: 'pause', by: operator, ...(until === undefined ? {} : { until: Date.now() + until }) };
      }
      case 'override':
        return { type: 'override', to: choose(chart.states), reason: `reason ${id}`, by: operator };
      case 'members': {
        const members = (chart.members ?? []).filter((_, i) => i > 3 || deed.pick * 8 > i);
        return { type: 'members', by: operator, list: JSON.stringify(members.map((name) => [name, {}])) };
      }
      case 'strike': {
        const { members = [] } = chart;
        return {
          type: 'strike',
          member: members[Math.floor(deed.pick * members.length)] ?? '',
          by: operator,
        };
      }
      case 'resume':
      case 'reset':
        return { type: deed.type, by: operator };
      default:
        return { type: deed.type };
    }
  }
}

/** Commands other than reports that the edge repeats when they are lost (src/edge/remote-machine.ts). */
const REPEATABLE: ReadonlySet<Command['type']> = new Set(['start', 'claim', 'renew', 'release']);

const QUERIES: ReadonlySet<string> = new Set(['is', 'status']);

function isCommand(asked: Command | Query): asked is Command {
  return !QUERIES.has(asked.type);
}

function first<Item>(items: readonly Item[]): Item {
  const [item] = items;
  if (item === undefined) throw new Error('a machine has not answered');
  return item;
}
