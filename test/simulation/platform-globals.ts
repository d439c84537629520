/**
 * The platform's globals, under the control of a scheduler: clocks, timers, random numbers, hashes and logs. A thread that
 * has imported this runs simulated worlds and nothing else.
 */
import { createHash, createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import type { Chance, Scheduler, Task } from './scheduler.ts';

/** What the globals need of the world that runs. */
export interface Surroundings {
  readonly scheduler: Scheduler;
  /** When the world began, ms since the epoch. */
  readonly epoch: number;
  readonly random: Chance;
  /** Is told of what the code logs as an error. */
  logged(message: string): void;
  /** Answers a request that leaves the platform. */
  fetch(
    address: string,
    init: { readonly body: string; readonly headers: Readonly<Record<string, string>> },
  ): Promise<Response>;
}

let world: Surroundings | undefined;

const { withResolvers } = Promise;

function createPromise<Value>(): PromiseWithResolvers<Value> {
  return Reflect.apply(withResolvers, Promise, []) as PromiseWithResolvers<Value>;
}

/** Puts a world behind the globals. Worlds run one after the other. */
export function enter(next: Surroundings): void {
  world = next;
}

function present(): Surroundings {
  if (world === undefined) throw new Error('no world runs');
  return world;
}

interface Timer {
  task: Task;
}

function startTimer(run: () => void, ms = 0): Timer {
  const { scheduler } = present();
  return { task: scheduler.schedule('timer', wholeMs(ms), scheduler.context, run) };
}

function startInterval(run: () => void, ms: number): Timer {
  const { scheduler } = present();
  const { context } = scheduler;
  const tick = () => {
    timer.task = scheduler.schedule('interval', wholeMs(ms), context, tick);
    run();
  };
  const timer = { task: scheduler.schedule('interval', wholeMs(ms), context, tick) };
  return timer;
}

function stopTimer(timer: Timer | undefined): void {
  if (timer !== undefined) timer.task.isCancelled = true;
}

/** The platform's timers take whole ms, at least one. */
function wholeMs(ms: number): number {
  return Math.max(1, Math.ceil(ms));
}

function wait(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  startTimer(resolve, ms);
  return promise;
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

// Node's own are done by other threads, whose order is not the seed's.
const subtle = {
  digest: async (_: string, data: ArrayBuffer | ArrayBufferView) =>
    createHash('sha256').update(bytesOf(data)).digest().buffer,
  importKey: async (_: string, secret: Uint8Array) => secret,
  sign: async (_: string, secret: Uint8Array, data: Uint8Array) =>
    createHmac('sha256', secret).update(data).digest().buffer,
};

const globals: Readonly<Record<string, unknown>> = {
  setTimeout: startTimer,
  clearTimeout: stopTimer,
  setInterval: startInterval,
  clearInterval: stopTimer,
  scheduler: { wait },
  performance: { now: () => Math.floor(present().scheduler.now) + present().epoch },
  crypto: {
    subtle,
    randomUUID: () =>
      `00000000-0000-4000-8000-${String(Math.floor(present().random.below(1e12))).padStart(12, '0')}`,
  },
  fetch: (address: string, init: Parameters<Surroundings['fetch']>[1]) => present().fetch(address, init),
  Cloudflare: { compatibilityFlags: { handle_cross_request_promise_resolution: true } },
  WebSocketRequestResponsePair: class {},
};
for (const [name, value] of Object.entries(globals)) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
// Whole before it is added: the sum has not enough digits for fractions.
Date.now = () => present().epoch + Math.floor(present().scheduler.now);
Object.assign(Promise, { withResolvers: ownResolvers });
Math.random = () => present().random.below(1);
console.error = (...parts: readonly unknown[]) =>
  present().logged(parts.map((part) => (typeof part === 'string' ? part : inspect(part))).join(' '));

/** `waitUntil` of `cloudflare:workers`: the request that runs goes on until the promise is settled. */
export function waitUntil(promise: Promise<unknown>): void {
  present().scheduler.context?.waitUntil(promise);
}

/**
 * `Promise.withResolvers`, of which code awaits its own promise: code that was ended never goes on, also where other code of
 * its isolate resolves the promise.
 */
function ownResolvers<Value>(): PromiseWithResolvers<Value> {
  const { promise, resolve, reject } = createPromise<Value>();
  const context = world?.scheduler.context;
  const isOver = () => context?.isAlive === false;
  return {
    promise,
    resolve: (value) => {
      if (!isOver()) resolve(value);
    },
    reject: (reason) => {
      if (!isOver()) reject(reason);
    },
  };
}
