import { type Hook, type HookBindings, loopMark, type NoHook, readHook, variableOf } from '../hook.ts';
import { NOTIFICATION_RETRIES, NOTIFICATION_TIMEOUT, NOTIFICATIONS_PER_RUN } from '../limits.ts';
import type { Message, Notification, OutboxTable } from '../store/outbox-table.ts';
import { type Attempt, deliver, type Receiver } from './delivery.ts';
import type { Messages } from './messages.ts';

/**
 * Bounds of the time between two attempts of a message, in ms. It doubles with each, and is random between half of that
 * and all of it, so that the messages of many machines to one receiver do not come at once.
 */
const BACKOFF = 5_000;
const BACKOFF_MAX = 60 * 60 * 1_000;

/**
 * After an attempt has begun, when the alarm looks whether it has ended, in ms: an object that was evicted or killed
 * meanwhile makes the attempt again.
 */
const LEASE = NOTIFICATION_TIMEOUT + 5_000;

/** Between two runs of a hook whose messages are due, where the last one has failed or sent as many as it may, in ms. */
const RUN_PAUSE = 1_000;

/** The bindings of the outbox. */
export interface OutboxBindings extends HookBindings {
  /** `yes`: hooks may have `http:` addresses of loopback. `npm start` sets it, whose machine is the deployer's own. */
  readonly LOCAL_HOOKS?: string;
}

/** What the outbox needs of its machine. */
interface Host {
  readonly bindings: OutboxBindings;
  /** The machine's address. */
  readonly machine: string;
  readonly table: OutboxTable;
  /** Whether the object may write: not while it restarts. */
  mayWrite(): boolean;
  /** Compares memory with storage: another object of the address may have erased the machine. */
  refresh(): void;
  /** Sets the alarm for what is due. */
  arm(): void;
}

/**
 * Sends the messages of the outbox: those of one hook one after the other, those of several hooks side by side. Nothing
 * waits for it: neither requests nor timers.
 *
 * A commit puts messages into the outbox and starts to send them; the platform holds what leaves the object until the
 * commit is durable. The alarm is set for the end of the attempt with the commit, and starts again what has failed, or
 * what was cut by an eviction or a crash. So each message is sent at least once.
 */
export class Outbox {
  readonly #host: Host;
  /** The hooks that are being sent to, and when the alarm looks after each, ms since the epoch. */
  readonly #sending = new Map<string, number>();
  /** When the alarm goes on with hooks whose messages are due all the same, ms since the epoch. */
  readonly #pausedUntil = new Map<string, number>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** When there is something to do, ms since the epoch; undefined if there is nothing. */
  get due(): number | undefined {
    const times = this.#host.table.queues().flatMap(({ hook, next }) => {
      if (next === undefined) return [];
      return this.#sending.get(hook) ?? Math.max(next, this.#pausedUntil.get(hook) ?? 0);
    });
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Whether the machine has messages, also old ones. */
  get isUsed(): boolean {
    return this.#host.table.queues().length > 0;
  }

  /** Writes the messages of a turn, in its transaction. Returns whether there are any. */
  write({ told, resent }: Messages, now: number): boolean {
    const { table } = this.#host;
    for (const { hook, entry } of told) table.add(hook, entry, now);
    for (const { hook, entry } of resent) table.resend(hook, entry, now);
    return told.length > 0 || resent.length > 0;
  }

  /** Starts to send what is due. */
  send(now: number): void {
    for (const { hook, next } of this.#host.table.queues()) {
      if (next === undefined || next > now || this.#sending.has(hook)) continue;
      this.#sending.set(hook, now + LEASE);
      void this.#drain(hook);
    }
  }

  /** Whether a hook can be told anything, and if not, why. */
  checkHook(hook: string): NoHook | undefined {
    const read = this.#readHook(hook);
    return read.ok ? undefined : read;
  }

  /** Sends the messages of a hook, until one fails or a run has sent as many as it may. */
  async #drain(hook: string): Promise<void> {
    const { table, arm } = this.#host;
    this.#pausedUntil.delete(hook);
    try {
      const receiver = await this.#receiverOf(hook);
      for (let sent = 0; this.#look(); sent++) {
        const now = Date.now();
        const message = table.first(hook);
        if (message === undefined || message.next > now) break;
        if (sent === NOTIFICATIONS_PER_RUN) {
          this.#pausedUntil.set(hook, now + RUN_PAUSE);
          break;
        }
        this.#sending.set(hook, now + LEASE);
        const attempt = await this.#attempt(receiver, message, now);
        if (!this.#look()) break;
        this.#record(message, attempt, Date.now());
        if (attempt.ok) continue;
        // After a message that was given up, the next one waits as well: its receiver may be gone.
        this.#pausedUntil.set(hook, Date.now() + RUN_PAUSE);
        break;
      }
    } catch (error) {
      console.error(`sending to the hook ${hook} failed`, error);
    } finally {
      this.#sending.delete(hook);
      arm();
    }
  }

  /** Returns whether the object may go on after a wait, with what storage has now. */
  #look(): boolean {
    const { mayWrite, refresh } = this.#host;
    if (!mayWrite()) return false;
    refresh();
    return true;
  }

  #attempt(receiver: Receiver | NoHook, { content }: Message, now: number): Promise<Attempt> | Attempt {
    if ('problem' in receiver) return { ok: false, failure: receiver.problem, isFinal: false };
    return deliver(receiver, this.#host.machine, content, now);
  }

  #record(message: Notification, attempt: Attempt, now: number): void {
    const { table, machine } = this.#host;
    if (attempt.ok) {
      table.settle(message, now, message.attempts, null);
      return;
    }
    const { failure, isFinal, retryAfter = 0 } = attempt;
    const attempts = message.attempts + 1;
    if (isFinal || now - message.at >= NOTIFICATION_RETRIES) {
      console.error(
        `${machine}: the notification of entry ${message.entry} to ${message.hook} was given up: ${failure}`,
      );
      table.settle(message, now, attempts, failure);
      return;
    }
    const backoff = Math.min(BACKOFF * 2 ** message.attempts, BACKOFF_MAX) * (0.5 + Math.random() / 2);
    const pause = Math.min(Math.max(backoff, retryAfter), BACKOFF_MAX);
    table.postpone(message, now + Math.ceil(pause), attempts, failure);
  }

  #readHook(hook: string): Hook | NoHook {
    const { bindings } = this.#host;
    const variable = variableOf(hook);
    return readHook(variable, bindings[variable], bindings.LOCAL_HOOKS === 'yes');
  }

  async #receiverOf(hook: string): Promise<Receiver | NoHook> {
    const { bindings } = this.#host;
    const read = this.#readHook(hook);
    if (!read.ok) return read;
    const mark = await loopMark(bindings[variableOf(hook)] ?? '');
    return { hook: read, mark };
  }
}
