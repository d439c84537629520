/** One run: a server, its clients, and several `kill -9`. */
import { setTimeout as pause } from 'node:timers/promises';
import { folderOf } from '../process/charts.ts';
import { Random } from '../process/coordination/random.ts';
import { startServer } from '../process/server.ts';
import { Client, type Stage } from './clients.ts';
import { Clock } from './clock.ts';
import type { Operation } from './history.ts';
import type { Moment } from './moment.ts';
import { type Entry, readHistory } from './read-answer.ts';
import { type Answer, isQuery, type Request } from './requests.ts';
import { type Shape, shapeOf } from './shapes.ts';
import { send } from './wire.ts';

export interface Plan {
  readonly seed: number;
  /** The minimum of calls with an answer. */
  readonly operations: number;
  readonly clients: number;
  readonly kills: number;
  /** For planted faults: how requests are sent, and what happens to the data while the server is down. */
  readonly send?: typeof send;
  whileDown?(data: string, kill: number): Promise<void>;
}

/** The default size of a run. */
export const PLAN: Omit<Plan, 'seed'> = { operations: 1_200, clients: 8, kills: 4 };

/** The record of a run. */
export interface Run {
  readonly seed: number;
  readonly shape: Shape;
  /** When the machine began. */
  readonly started: Moment;
  /** How far the service's clock was ahead of the clients', at least and at most, in ms. */
  readonly ahead: Moment;
  readonly history: readonly Operation<Request, Answer>[];
  /** The machine's own history at the end, the newest entry first. */
  readonly entries: readonly Entry[];
  readonly kills: number;
  /** Calls that were in flight when their server was killed, and may have taken effect. */
  readonly cutOff: number;
}

/** How long before a kill clients make no pauses, in ms at the least, so that some calls are in flight. */
const RUSH = 10;

export async function runOnce(plan: Plan): Promise<Run> {
  const { seed } = plan;
  const random = new Random(seed);
  const shape = shapeOf(seed, Date.now());
  const charts = await folderOf({ 'fault/run.yaml': shape.chart });
  let server = await startServer({ charts });
  const clock = new Clock();
  const { now } = clock;
  const book = new Book(now);
  book.serverStarts();
  const from = now();
  await send(machineAt(server.url), shape.begin ?? { type: 'status' }, FOR_EVER);
  const started = { from, to: now() };
  const stage = new RunningStage(plan, shape, machineAt(server.url), book);
  const clients = Array.from({ length: plan.clients }, (_, i) =>
    new Client(`client-${i}`, new Random(seed * 1_000 + i), stage).run(),
  );
  // A bug in a client ends the run at once.
  const failure = Promise.all(clients);
  failure.catch(() => stage.end());

  for (let kill = 1; kill <= plan.kills; kill++) {
    const share = (kill - 1 + 0.2 + random.below(0.7)) / plan.kills;
    await stage.until(Math.floor(share * plan.operations));
    stage.isRushed = true;
    await pause(RUSH + random.below(20));
    await server.kill9();
    book.serverEnded();
    stage.isRushed = false;
    const { data, url } = server;
    await plan.whileDown?.(data, kill);
    const port = random.chance(0.5) ? ['--port', new URL(url).port] : [];
    book.serverStarts();
    server = await startServer({ charts, data, flags: port });
    stage.url = machineAt(server.url);
  }
  await stage.until(plan.operations);
  stage.end();
  await failure;
  // A query after all other calls sees the effects of all of them.
  const called = now();
  const answer = await stage.send(stage.url, { type: 'status' }, FOR_EVER);
  book.answered('auditor', { type: 'status' }, called, answer);
  const entries = await readHistory(stage.url);
  await server.stop();
  // A call that died can have taken effect until now, and not for ever.
  book.serverEnded();
  const { kills } = plan;
  const { ahead } = clock;
  return { seed, shape, started, ahead, history: book.history(), entries, kills, cutOff: book.cutOff };
}

function machineAt(url: string): string {
  return `${url}/fault/run`;
}

/** For a call that is never aborted. */
const FOR_EVER = new AbortController().signal;

class RunningStage implements Stage {
  readonly shape: Shape;
  url: string;
  isOver = false;
  isRushed = false;
  readonly send: typeof send;
  readonly now: () => number;
  readonly #book: Book;

  constructor(plan: Plan, shape: Shape, url: string, book: Book) {
    this.shape = shape;
    this.url = url;
    this.send = plan.send ?? send;
    this.now = book.now;
    this.#book = book;
  }

  answered(client: string, request: Request, called: number, answer: Answer): void {
    this.#book.answered(client, request, called, answer);
  }

  died(...call: Parameters<Stage['died']>): void {
    this.#book.died(...call);
  }

  end(): void {
    this.isOver = true;
  }

  /** Waits until so many calls have an answer. */
  async until(operations: number): Promise<void> {
    while (this.#book.count < operations && !this.isOver) await pause(2);
  }
}

/** Records the outcome of each call. */
class Book {
  /** ms since the epoch. */
  readonly now: () => number;
  readonly #answered: Operation<Request, Answer>[] = [];
  readonly #died: {
    client: string;
    request: Request;
    called: number;
    how: 'cut off' | 'hung up';
    at: number;
  }[] = [];
  readonly #servers: { readonly from: number; to: number }[] = [];

  constructor(now: () => number) {
    this.now = now;
  }

  /** The number of calls that were cut off by a kill. */
  get cutOff(): number {
    return this.#died.filter(({ how }) => how === 'cut off').length;
  }

  get count(): number {
    return this.#answered.length;
  }

  /** Notes that a server is about to start. */
  serverStarts(): void {
    this.#servers.push({ from: this.now(), to: Number.POSITIVE_INFINITY });
  }

  /** Notes that the server has ended. */
  serverEnded(): void {
    const server = this.#servers.at(-1);
    if (server !== undefined) server.to = this.now();
  }

  answered(client: string, request: Request, called: number, answer: Answer): void {
    this.#answered.push({ client, request, called, outcome: { known: true, answer, returned: this.now() } });
  }

  died(client: string, request: Request, called: number, how: 'cut off' | 'hung up'): void {
    // A query without an answer shows nothing.
    if (!isQuery(request)) this.#died.push({ client, request, called, how, at: this.now() });
  }

  /** A dead call can have taken effect until the end of the last server that ran when it died. */
  history(): Operation<Request, Answer>[] {
    const died = this.#died.map(({ at, how: _, ...call }) => {
      const until = this.#servers.findLast(({ from }) => from <= at)?.to ?? at;
      return { ...call, outcome: { known: false, until } as const };
    });
    return [...this.#answered, ...died];
  }
}
