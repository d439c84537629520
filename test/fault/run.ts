/** One run: a server, its clients, and a `kill -9` now and then. */
import { setTimeout as pause } from 'node:timers/promises';
import { folderOf } from '../process/charts.ts';
import { Random } from '../process/coordination/random.ts';
import { startServer } from '../process/server.ts';
import { Client, type Stage } from './clients.ts';
import { startClock } from './clock.ts';
import type { Operation } from './history.ts';
import type { Moment } from './moment.ts';
import { type Shape, shapeOf } from './shapes.ts';
import { type Answer, isQuery, type Request, send } from './wire.ts';

export interface Plan {
  readonly seed: number;
  /** Calls that are to be answered, at least. */
  readonly operations: number;
  readonly clients: number;
  readonly kills: number;
  /** For faults on purpose: how requests are sent, and what becomes of the data while the server is down. */
  readonly send?: typeof send;
  whileDown?(data: string, kill: number): Promise<void>;
}

/** As many as a run has where nobody says otherwise. */
export const PLAN: Omit<Plan, 'seed'> = { operations: 1_200, clients: 8, kills: 4 };

/** What has happened in a run. */
export interface Run {
  readonly seed: number;
  readonly shape: Shape;
  /** When the machine has begun. */
  readonly started: Moment;
  readonly history: readonly Operation<Request, Answer>[];
  readonly kills: number;
  /** Calls that were under way when their server was killed, and may have taken effect. */
  readonly cutOff: number;
}

/** How long before a kill clients make no pauses, in ms at the least, so that some calls are under way. */
const RUSH = 10;

export async function runOnce(plan: Plan): Promise<Run> {
  const { seed } = plan;
  const random = new Random(seed);
  const shape = shapeOf(seed);
  const charts = await folderOf({ 'fault/run.yaml': shape.chart });
  let server = await startServer({ charts });
  const now = startClock();
  const book = new Book(now);
  book.born();
  const from = now();
  await send(machineAt(server.url), { type: 'status' }, FOR_EVER);
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
    book.dead();
    stage.isRushed = false;
    const { data, url } = server;
    await plan.whileDown?.(data, kill);
    const port = random.chance(0.5) ? ['--port', new URL(url).port] : [];
    book.born();
    server = await startServer({ charts, data, flags: port });
    stage.url = machineAt(server.url);
  }
  await stage.until(plan.operations);
  stage.end();
  await failure;
  // One who comes when all others have gone sees everything.
  const called = now();
  const answer = await stage.send(stage.url, { type: 'status' }, FOR_EVER);
  book.answered('auditor', { type: 'status' }, called, answer);
  await server.stop();
  return { seed, shape, started, history: book.history(), kills: plan.kills, cutOff: book.cutOff };
}

function machineAt(url: string): string {
  return `${url}/fault/run`;
}

/** Of one who does not hang up. */
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

  /** Waits until so many calls were answered. */
  async until(operations: number): Promise<void> {
    while (this.#book.count < operations && !this.isOver) await pause(2);
  }
}

/** Writes down what came of each call. */
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
  readonly #lives: { readonly from: number; to: number }[] = [];

  constructor(now: () => number) {
    this.now = now;
  }

  /** Calls that were cut off by a kill. */
  get cutOff(): number {
    return this.#died.filter(({ how }) => how === 'cut off').length;
  }

  get count(): number {
    return this.#answered.length;
  }

  /** A server is about to start. */
  born(): void {
    this.#lives.push({ from: this.now(), to: Number.POSITIVE_INFINITY });
  }

  /** The server has ended. */
  dead(): void {
    const life = this.#lives.at(-1);
    if (life !== undefined) life.to = this.now();
  }

  answered(client: string, request: Request, called: number, answer: Answer): void {
    this.#answered.push({ client, request, called, outcome: { known: true, answer, returned: this.now() } });
  }

  died(client: string, request: Request, called: number, how: 'cut off' | 'hung up'): void {
    // A query without an answer shows nothing.
    if (!isQuery(request)) this.#died.push({ client, request, called, how, at: this.now() });
  }

  /** A call can have taken effect as long as the last server lived that was there when it died. */
  history(): Operation<Request, Answer>[] {
    const died = this.#died.map(({ at, how: _, ...call }) => {
      const until = this.#lives.findLast(({ from }) => from <= at)?.to ?? at;
      return { ...call, outcome: { known: false, until } as const };
    });
    return [...this.#answered, ...died];
  }
}
