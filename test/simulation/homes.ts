/**
 * Where the objects of one name live: their storage, the object that is live (or two of them), its calls and its alarm. It
 * does what the platform promises, and what it does not promise: https://developers.cloudflare.com/durable-objects/
 */
import { Database } from './database.ts';
import { ObjectStorage } from './object-storage.ts';
import { type AlarmEnd, PlatformAlarm } from './platform-alarm.ts';
import { resetError } from './platform-errors.ts';
import { type Chance, Context, type Scheduler } from './scheduler.ts';
import { type PlatformBugs, Trouble } from './trouble.ts';

/** A live object of the service. */
export interface ServiceObject {
  alarm?(): Promise<void>;
}

/** Makes a live object. */
type Construct = (ctx: DurableObjectState) => ServiceObject;

interface Live {
  readonly context: Context;
  readonly storage: ObjectStorage;
  readonly object: ServiceObject;
  /** Ends the calls that it has not answered. */
  readonly calls: Set<(error: Error) => void>;
}

/** What an observer sees of a home. */
export interface Observer {
  /** Called when a commit begins: with the next `durable`, all that the database has now is durable. */
  committing(home: Home): () => void;
  /** Called before everything is deleted: what was written in the same commit is gone when that begins. */
  clearing(home: Home): void;
  /** Called when what no commit has begun to write was taken back. */
  takenBack(home: Home): void;
}

/** What a home needs of its world. */
interface Surroundings {
  readonly scheduler: Scheduler;
  readonly construct: Construct;
  readonly observer?: Observer;
  readonly bugs?: PlatformBugs;
  /** When the world began, ms since the epoch. */
  readonly epoch: number;
}

export class Home {
  readonly name: string;
  readonly database = new Database();
  readonly trouble = new Trouble();
  readonly #scheduler: Scheduler;
  readonly #construct: Construct;
  readonly #observer: Observer | undefined;
  readonly #bugs: PlatformBugs;
  readonly #random: Chance;
  /** The live objects, the oldest first. */
  #live: Live[] = [];
  #started = 0;
  #durable: (() => void) | undefined;
  readonly #alarm: PlatformAlarm;

  constructor(name: string, { scheduler, construct, observer, bugs = {}, epoch }: Surroundings) {
    this.name = name;
    this.#scheduler = scheduler;
    this.#construct = construct;
    this.#observer = observer;
    this.#bugs = bugs;
    this.#random = scheduler.chanceOf(shortOf(name));
    this.database.onWrite = () => this.#written();
    this.database.onClear = () => this.#observer?.clearing(this);
    this.#alarm = new PlatformAlarm(this, {
      scheduler,
      epoch,
      random: this.#random,
      run: (settle) => this.#runAlarm(settle),
    });
  }

  get isLive(): boolean {
    return this.#live.length > 0;
  }

  /** Ms that a message to or from an object takes. */
  latency(random: Chance): number {
    const { slowUntil, slowBy } = this.trouble;
    const usual = random.below(1) < 0.05 ? random.below(40) : 0.1 + random.below(2);
    return usual + (this.#scheduler.now < slowUntil ? random.below(slowBy) : 0);
  }

  /** Delivers a call. @param reply is called when the answer, or the error, leaves the object. */
  receive(method: string, argument: readonly unknown[], reply: (settle: Settled) => void): void {
    const live = this.#pick();
    let isOpen = true;
    const fail = (error: Error) => finish({ error });
    const finish = (settled: Settled) => {
      if (!isOpen) return;
      isOpen = false;
      live.calls.delete(fail);
      reply(settled);
    };
    live.calls.add(fail);
    const leave = (settled: Settled) => this.#gate(live, () => finish(settled));
    this.#run(live, async () => {
      const call = Reflect.get(live.object, method) as (...argument: readonly unknown[]) => Promise<unknown>;
      try {
        leave({ result: structuredClone(await call.apply(live.object, [...argument])) });
      } catch (error) {
        leave({ error: error instanceof Error ? error : new Error(String(error)) });
      }
    });
  }

  /** Ends all live objects at once: an eviction, a deploy, a crash. Writes that are not durable may be lost. */
  kill(): void {
    if (this.#live.length === 0) return;
    for (const live of this.#live) this.#end(live, resetError('the object was ended'));
    this.#live = [];
    this.#crash(this.#random.below(1) < 0.5);
  }

  /** Starts a second object, which gets calls as well. @returns a function that ends the first one. */
  startSecond(isFenced: boolean): () => void {
    const [first] = this.#live;
    if (first === undefined || this.#live.length > 1) return () => {};
    this.#start();
    first.storage.isFenced = isFenced;
    return () => {
      if (!this.#live.includes(first)) return;
      this.#live = this.#live.filter((live) => live !== first);
      this.#end(first, resetError('the older object was ended'));
    };
  }

  /** Alarms that the platform has dropped. */
  get dropped(): number {
    return this.#alarm.dropped;
  }

  /** Ends faults that were not hit. */
  heal(): void {
    Object.assign(this.trouble, new Trouble());
  }

  close(): void {
    this.database.close();
  }

  #pick(): Live {
    const [first] = this.#live;
    if (first === undefined) return this.#start();
    return this.#live[Math.floor(this.#random.below(this.#live.length))] ?? first;
  }

  #start(): Live {
    this.#started += 1;
    const name = `${shortOf(this.name)}#${this.#started}`;
    const context = new Context(name, this.#random);
    const { trouble } = this;
    context.onStep = () => {
      if (trouble.killAfter === undefined) return;
      trouble.killAfter -= 1;
      if (trouble.killAfter >= 0) return;
      trouble.killAfter = undefined;
      this.kill();
    };
    context.gate = (then) => this.#gate(live, then);
    const storage = new ObjectStorage(this.database, this.#scheduler, context, {
      check: (kind) => this.#check(kind),
      keepsFailed: this.#bugs.keepsFailed === true,
    });
    const ctx = {
      id: { name: this.name, toString: () => this.name },
      storage,
      abort: () => this.kill(),
      setWebSocketAutoResponse: () => {},
      getWebSockets: () => [],
    };
    const object = this.#construct(ctx as unknown as DurableObjectState);
    const live: Live = { context, storage, object, calls: new Set<(error: Error) => void>() };
    this.#live.push(live);
    return live;
  }

  #run(live: Live, run: () => Promise<void>): void {
    // In a task of its own: the code belongs to the object, and not to whoever has called it.
    this.#scheduler.schedule(`start ${live.context.name}`, 0, live.context, () => void run());
  }

  /** Runs the handler of the alarm. @param settle is called once. */
  #runAlarm(settle: (end: AlarmEnd) => void): void {
    const live = this.#pick();
    let isOpen = true;
    const finish = (end: AlarmEnd) => {
      if (!isOpen) return;
      isOpen = false;
      live.calls.delete(fail);
      settle(end);
    };
    const fail = () => finish('reset');
    live.calls.add(fail);
    this.#run(live, async () => {
      try {
        await live.object.alarm?.();
        this.database.whenDurable(() => live.context.isAlive && finish('done'));
      } catch {
        finish('thrown');
      }
    });
  }

  #check(kind: 'read' | 'write' | 'alarm'): void {
    const { trouble } = this;
    if (this.#scheduler.now < trouble.brokenUntil) throw resetError('storage cannot be used');
    if (kind !== 'write' || trouble.throwAfter === undefined) return;
    trouble.throwAfter -= 1;
    if (trouble.throwAfter >= 0) return;
    trouble.throwAfter = undefined;
    throw resetError('a statement failed');
  }

  /** Calls back when everything that the object has written is durable: the output gate. */
  #gate(live: Live, then: () => void): void {
    if (!live.context.isAlive) return;
    if (this.#bugs.openGate) then();
    else this.database.whenDurable(() => live.context.isAlive && then());
  }

  #end(live: Live, error: Error): void {
    live.context.isAlive = false;
    for (const fail of [...live.calls]) fail(error);
  }

  #written(): void {
    if (!this.database.isCommitting) this.#scheduleCommit();
  }

  #scheduleCommit(): void {
    const { database } = this;
    this.#scheduler.schedule(`commit ${shortOf(this.name)}`, this.#random.below(0.2), undefined, () => {
      if (!database.beginCommit()) return;
      const durable = this.#observer?.committing(this) ?? (() => {});
      this.#durable = durable;
      const took = this.#random.below(1) < 0.1 ? this.#random.below(60) : 0.2 + this.#random.below(3);
      this.#scheduler.schedule(`durable ${shortOf(this.name)}`, took, undefined, () => {
        // A crash has decided it.
        if (this.#durable !== durable) return;
        if (this.trouble.failCommits > 0) {
          this.trouble.failCommits -= 1;
          this.#failCommit();
        } else this.#becomeDurable(database.endCommit());
      });
    });
  }

  #becomeDurable(waiters: readonly (() => void)[]): void {
    this.#durable?.();
    this.#durable = undefined;
    this.#alarm.watch();
    if (this.database.hasWrites) this.#scheduleCommit();
    for (const tell of waiters) tell();
  }

  /** A commit fails: nothing leaves the object any more, and it is reset. */
  #failCommit(): void {
    for (const live of this.#live) this.#end(live, resetError('a commit failed'));
    this.#live = [];
    this.#crash(false);
  }

  #crash(lands: boolean): void {
    if (lands) this.#durable?.();
    this.#durable = undefined;
    this.database.crash(lands);
    this.#observer?.takenBack(this);
    this.#alarm.watch();
  }
}

/** How a call has ended. */
export type Settled = { readonly result: unknown } | { readonly error: Error };

/** A name without its tenant, which differs from world to world. */
export function shortOf(name: string): string {
  const [tenant, path] = name.split('/');
  return path ?? (tenant === undefined ? name : 'registry');
}
