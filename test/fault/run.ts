/** One run: the service, its clients, and several `kill -9`. */
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../process/coordination/random.ts';
import { Book } from './book.ts';
import { Client, type Stage } from './clients.ts';
import { Clock } from './clock.ts';
import type { Operation } from './history.ts';
import { Hooks } from './hooks.ts';
import { type Host, MACHINE, startHost } from './host.ts';
import type { Moment } from './moment.ts';
import type { Told } from './notifications.ts';
import { type Entry, readHistory, readOutbox } from './read-answer.ts';
import type { Answer, Request } from './requests.ts';
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
  /** What hooks were told, if the chart has any. */
  readonly told?: Told;
  readonly kills: number;
  /** Calls that were in flight when their server was killed or their connection was cut, and may have taken effect. */
  readonly cutOff: number;
}

/** How long before a kill clients make no pauses, in ms at the least, so that some calls are in flight. */
const RUSH = 10;

/** The least and the most calls between two cuts of the connections between edges and objects. */
const CUTS = { from: 60, to: 240 };

/**
 * The most clients of a run with edges: a cut concerns the calls of all of them, and each may then have been made twice. The time
 * of a search doubles with each.
 */
const CLIENTS_OF_EDGES = 6;

export async function runOnce(plan: Plan): Promise<Run> {
  const shape = shapeOf(plan.seed, Date.now());
  const random = new Random(plan.seed);
  const hooks = shape.notify && (await Hooks.start(random));
  const host = await startHost(shape, random, hooks?.env ?? {});
  try {
    return await runOn(host, shape, plan, hooks);
  } finally {
    await host.stop();
    hooks?.stop();
  }
}

async function runOn(host: Host, shape: Shape, plan: Plan, hooks: Hooks | undefined): Promise<Run> {
  const { seed } = plan;
  const random = new Random(seed);
  const clock = new Clock();
  const { now } = clock;
  const book = new Book(now);
  book.serverStarts();
  const from = now();
  await send(host.machine, shape.begin ?? { type: 'status' }, FOR_EVER);
  const started = { from, to: now() };
  const stage = new RunningStage(plan, shape, host, book);
  const most = shape.runs === 'edges' ? CLIENTS_OF_EDGES : plan.clients;
  const clients = Array.from({ length: Math.min(plan.clients, most) }, (_, i) =>
    new Client(`client-${i}`, new Random(seed * 1_000 + i), stage).run(),
  );
  // A bug in a client ends the run at once.
  const failure = Promise.all([...clients, cutAtRandom(host, stage, book, new Random(seed + 1))]);
  failure.catch(() => stage.end());

  for (let kill = 1; kill <= plan.kills; kill++) {
    const share = (kill - 1 + 0.2 + random.below(0.7)) / plan.kills;
    await stage.until(Math.floor(share * plan.operations));
    stage.isRushed = true;
    await pause(RUSH + random.below(20));
    await host.crash(async (data) => {
      book.serverEnded();
      stage.isRushed = false;
      await plan.whileDown?.(data, kill);
      book.serverStarts();
    });
  }
  await stage.until(plan.operations);
  stage.end();
  await failure;
  // A query after all other calls sees the effects of all of them.
  const called = now();
  const answer = await stage.send(stage.url, { type: 'status' }, FOR_EVER);
  book.answered('auditor', { type: 'status' }, called, answer);
  const entries = await readHistory(stage.url);
  const outbox = hooks && (await readOutbox(stage.url));
  await host.stop();
  // A call that died can have taken effect until now, and not for ever.
  book.serverEnded();
  const { kills } = plan;
  const told = hooks && outbox && { machine: MACHINE, outbox, deliveries: hooks.deliveries };
  return {
    ...{ seed, shape, started, entries, kills },
    ahead: clock.ahead,
    history: book.history(),
    cutOff: book.cutOff,
    ...(told === undefined ? {} : { told }),
  };
}

async function cutAtRandom(host: Host, stage: RunningStage, book: Book, random: Random): Promise<void> {
  while (!stage.isOver && host.cut !== undefined) {
    await stage.until(book.count + CUTS.from + random.below(CUTS.to - CUTS.from));
    if (stage.isOver) return;
    host.cut();
    book.isCut();
  }
}

/** For a call that is never aborted. */
const FOR_EVER = new AbortController().signal;

class RunningStage implements Stage {
  readonly shape: Shape;
  readonly links: Stage['links'] = [];
  isOver = false;
  isRushed = false;
  readonly send: typeof send;
  readonly now: () => number;
  readonly #host: Host;
  readonly #book: Book;

  constructor(plan: Plan, shape: Shape, host: Host, book: Book) {
    this.shape = shape;
    this.send = plan.send ?? send;
    this.now = book.now;
    this.#host = host;
    this.#book = book;
  }

  get url(): string {
    return this.#host.machine;
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
