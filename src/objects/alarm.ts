import { ALARM_BACKOFF, ALARM_BACKOFF_MAX, ALARM_HORIZON } from '../limits.ts';

/**
 * The one alarm of an object, for whatever is due first. It is set in the same turn of the event loop as the
 * commit that asks for it, and so is durable with it.
 */
export class Alarm {
  readonly #storage: DurableObjectStorage;
  /** For when it is set, ms since the epoch; undefined where that is not known. */
  #at: number | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** @param due ms since the epoch, or undefined where nothing is. */
  set(due: number | undefined, now: number): void {
    const at = due === undefined ? undefined : alarmTime(due, now);
    if (at === this.#at) return;
    if (at === undefined) void this.#storage.deleteAlarm();
    else void this.#storage.setAlarm(at);
    this.#at = at;
  }

  /** It has gone off, or was deleted. */
  forget(): void {
    this.#at = undefined;
  }
}

/** @returns `due`, or a moment before it that is the same all day long, where it is too far ahead for an alarm. */
function alarmTime(due: number, now: number): number {
  // One turn was not enough. A ring of timers that are always due falls ever further behind: the rest is as long as
  // that, so that it doubles from turn to turn, also across a restart.
  if (due <= now) return now + Math.min(Math.max(ALARM_BACKOFF, now - due), ALARM_BACKOFF_MAX);
  return Math.min(due, now - (now % DAY) + ALARM_HORIZON);
}

const DAY = 24 * 60 * 60 * 1_000;
