/**
 * The alarm of an object as the platform keeps it: it may go off late or twice, and is dropped if its handler throws too often.
 * https://developers.cloudflare.com/durable-objects/api/alarms/
 */
import type { Database } from './database.ts';
import type { Chance, Scheduler, Task } from './scheduler.ts';
import type { Trouble } from './trouble.ts';

/** How often the platform repeats a handler that throws, and the first pause before, in ms; it doubles. */
const TRIES = 6;
const BACKOFF = 2_000;

/** How a handler has ended: it has returned and its writes are durable, it has thrown, or its object was ended. */
export type AlarmEnd = 'done' | 'thrown' | 'reset';

/** Whose alarm it is. */
interface Owner {
  readonly name: string;
  readonly database: Database;
  readonly trouble: Trouble;
}

interface Host {
  readonly scheduler: Scheduler;
  readonly random: Chance;
  /** When the world began, ms since the epoch. */
  readonly epoch: number;
  /** Runs the handler. */
  run(settle: (end: AlarmEnd) => void): void;
}

export class PlatformAlarm {
  /** How many were dropped. */
  dropped = 0;
  readonly #owner: Owner;
  readonly #host: Host;
  #task: Task | undefined;
  /** What is scheduled, ms since the epoch. */
  #at: number | null = null;
  #tries = 0;
  #isRunning = false;

  constructor(owner: Owner, host: Host) {
    this.#owner = owner;
    this.#host = host;
  }

  /** Schedules the alarm that is durable. */
  watch(): void {
    const at = this.#owner.database.durableAlarm;
    if (at === this.#at || this.#isRunning) return;
    this.#at = at;
    this.#tries = 0;
    this.#schedule(at);
  }

  #schedule(at: number | null, pause = 0): void {
    if (this.#task !== undefined) this.#task.isCancelled = true;
    if (at === null) return;
    const { name, trouble } = this.#owner;
    const { scheduler, random, epoch } = this.#host;
    const late = random.below(50) + trouble.alarmLate;
    trouble.alarmLate = 0;
    const after = Math.max(pause, at - epoch - scheduler.now) + late;
    this.#task = scheduler.schedule(`alarm ${name.slice(name.indexOf('/') + 1)}`, after, undefined, () =>
      this.#goOff(),
    );
  }

  #goOff(): void {
    const { database, trouble } = this.#owner;
    if (trouble.dropAlarm) {
      trouble.dropAlarm = false;
      this.#drop();
      return;
    }
    const at = this.#at;
    if (database.alarm === at) database.beginAlarm();
    this.#isRunning = true;
    this.#host.run((end) => {
      this.#isRunning = false;
      if (end === 'done') this.#done();
      else this.#failed(at, end);
    });
  }

  #done(): void {
    const { database, trouble } = this.#owner;
    database.endAlarm();
    if (trouble.alarmTwice) {
      trouble.alarmTwice = false;
      this.#schedule(this.#host.epoch + Math.floor(this.#host.scheduler.now));
      return;
    }
    this.#at = null;
    this.watch();
  }

  #failed(at: number | null, end: AlarmEnd): void {
    if (this.#owner.database.durableAlarm !== at) {
      this.watch();
      return;
    }
    if (end === 'thrown') this.#tries += 1;
    if (this.#tries > TRIES) this.#drop();
    else this.#schedule(at, BACKOFF * 2 ** this.#tries);
  }

  /** The platform gives up an alarm. */
  #drop(): void {
    const { database } = this.#owner;
    this.dropped += 1;
    if (database.alarm === database.durableAlarm) database.beginAlarm();
    database.endAlarm();
    this.#at = null;
  }
}
