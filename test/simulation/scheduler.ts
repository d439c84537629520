/**
 * The event loop of a simulated world. Everything that would happen by itself on the platform is a task with a moment: a
 * call that arrives, an answer, a timer, a commit that becomes durable, an await on storage that resumes, a fault. The
 * scheduler takes the next one, sets the clock, and runs it until no promise can go on. So the order of all tasks, and of
 * what JavaScript does between them, depends on the seed alone.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers';

/**
 * Random numbers of a part of a world. Each depends on the seed, the part and the simulated moment, and not on the numbers
 * before: without an earlier request, a later one meets the same chances.
 */
export class Chance {
  readonly #seed: number;
  readonly #clock: { readonly now: number };
  #moment = Number.NaN;
  #drawn = 0;

  constructor(seed: number, clock: { readonly now: number }) {
    this.#seed = seed;
    this.#clock = clock;
  }

  /** @returns a number from 0 up to, and without, `below`. */
  below(below: number): number {
    const { now } = this.#clock;
    if (now !== this.#moment) {
      this.#moment = now;
      this.#drawn = 0;
    }
    this.#drawn += 1;
    // The finalizer of mulberry32, as in random.ts.
    let t =
      (this.#seed ^ Math.imul(Math.floor(now * 1_000), 0x9e3779b1)) + Math.imul(this.#drawn, 0x6d2b79f5);
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below;
  }

  /** @param probability from 0 to 1. */
  chance(probability: number): boolean {
    return this.below(1) < probability;
  }
}

/** Code that the platform can end at any await: a live object, or a request at the edge. */
export class Context {
  readonly name: string;
  readonly random: Chance;
  isAlive = true;
  /** Runs before each of its steps; a fault ends the context there. */
  onStep: (() => void) | undefined;
  /** Of an object: holds what leaves it until its writes are durable. */
  gate: ((then: () => void) => void) | undefined;
  /** Of a request: work that keeps its code running after its client has left. */
  readonly #extended = new Set<Promise<unknown>>();
  #hasLeft = false;

  constructor(name: string, random: Chance) {
    this.name = name;
    this.random = random;
  }

  /** Keeps the code running until a promise is settled. */
  waitUntil(promise: Promise<unknown>): void {
    this.#extended.add(promise);
    const end = () => {
      this.#extended.delete(promise);
      this.#stopIfOver();
    };
    promise.then(end, end);
  }

  /** The client leaves. */
  leave(): void {
    this.#hasLeft = true;
    this.#stopIfOver();
  }

  #stopIfOver(): void {
    if (this.#hasLeft && this.#extended.size === 0) this.isAlive = false;
  }
}

/** What happens at a moment. */
export interface Task {
  /** Simulated ms since the world began, with fractions. */
  at: number;
  /** Decides between tasks of the same moment. */
  order: number;
  readonly label: string;
  /** Whose code runs. The task is dropped if it has ended; undefined for what the platform itself does. */
  readonly context: Context | undefined;
  readonly run: () => void;
  isCancelled: boolean;
}

const contexts = new AsyncLocalStorage<Context>();

export class Scheduler {
  /** Simulated ms since the world began. */
  now = 0;
  /** Tasks that were run. */
  steps = 0;
  /** Tasks that were run, by the first word of their labels. */
  readonly stepsOf = new Map<string, number>();
  /** A hash of all tasks so far: equal for equal runs. */
  hash = EMPTY_HASH;
  readonly #queue: Task[] = [];
  readonly #seed: number;
  readonly #random: Chance;
  readonly #trace: ((line: string) => void) | undefined;

  /** @param trace is given a line for each task. */
  constructor(seed: number, trace?: (line: string) => void) {
    this.#seed = seed;
    this.#random = this.chanceOf('scheduler');
    this.#trace = trace;
  }

  /** @returns the chances of a part of the world. */
  chanceOf(part: string): Chance {
    return new Chance(seedOf(this.#seed, part), this);
  }

  /** The code that runs now; undefined for the platform's own. */
  get context(): Context | undefined {
    return contexts.getStore();
  }

  /** @param after ms from now. */
  schedule(label: string, after: number, context: Context | undefined, run: () => void): Task {
    const order = (context?.random ?? this.#random).below(1);
    const task = { at: this.now + Math.max(0, after), order, label, context, run, isCancelled: false };
    this.#push(task);
    return task;
  }

  /** Counts and hashes from here on. */
  begin(): void {
    this.steps = 0;
    this.stepsOf.clear();
    this.hash = EMPTY_HASH;
  }

  /** Runs tasks until a moment, or until there are none. */
  async runUntil(end: number): Promise<void> {
    for (let task = this.#queue[0]; task !== undefined && task.at <= end; task = this.#queue[0]) {
      this.#pop();
      const { context } = task;
      if (task.isCancelled || hasEnded(context)) continue;
      this.now = Math.max(this.now, task.at);
      this.#note(task);
      context?.onStep?.();
      if (hasEnded(context)) continue;
      if (context === undefined) contexts.exit(task.run);
      else contexts.run(context, task.run);
      // Every promise that can go on does so before the next macrotask.
      await new Promise(setImmediate);
    }
    this.now = Math.max(this.now, end);
  }

  #note({ label }: Task): void {
    this.steps += 1;
    const space = label.indexOf(' ');
    const kind = space < 0 ? label : label.slice(0, space);
    this.stepsOf.set(kind, (this.stepsOf.get(kind) ?? 0) + 1);
    let hash = this.hash ^ Math.floor(this.now * 1_000);
    for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
    this.hash = hash >>> 0;
    this.#trace?.(`${this.now.toFixed(3).padStart(12)} ${label}`);
  }

  // A binary heap: the first task is the next one.
  #push(task: Task): void {
    const queue = this.#queue;
    let at = queue.length;
    queue.push(task);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = queue[above];
      if (parent === undefined || !isBefore(task, parent)) break;
      queue[at] = parent;
      at = above;
    }
    queue[at] = task;
  }

  #pop(): void {
    const queue = this.#queue;
    const last = queue.pop();
    if (last === undefined || queue.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      let child = queue[below];
      if (child === undefined) break;
      const other = queue[below + 1];
      if (other !== undefined && isBefore(other, child)) {
        child = other;
        below += 1;
      }
      if (!isBefore(child, last)) break;
      queue[at] = child;
      at = below;
    }
    queue[at] = last;
  }
}

function hasEnded(context: Context | undefined): boolean {
  return context?.isAlive === false;
}

/** FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
const EMPTY_HASH = 0x811c9dc5;

function isBefore(one: Task, other: Task): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/** @returns a seed for a part of a world. */
export function seedOf(seed: number, part: string): number {
  let hash = EMPTY_HASH ^ seed;
  for (let i = 0; i < part.length; i++) hash = Math.imul(hash ^ part.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
