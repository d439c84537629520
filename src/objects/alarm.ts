import { ALARM_BACKOFF, ALARM_BACKOFF_MAX, ALARM_BURST, ALARM_HORIZON, ALARM_PACE } from '../limits.ts';

/**
 * The one alarm of an object, for whatever is due first. It is set in the same turn of the event loop as the
 * commit that asks for it, and so is durable with it.
 */
export class Alarm {
  readonly #storage: DurableObjectStorage;
  /** When it goes off, ms since the epoch; null where it is deleted, undefined where it went off or is not known. */
  #at: number | null | undefined;
  /** When all alarms so far would have gone off at one every `ALARM_PACE`, ms since the epoch. */
  #paced = 0;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** @param due ms since the epoch, or undefined where nothing is. */
  set(due: number | undefined, now: number): void {
    if (due === undefined) {
      if (typeof this.#at === 'number') void this.#storage.deleteAlarm();
      this.#at = null;
      return;
    }
    // A token bucket, kept as the moment at which it would be full again.
    if (this.#at === undefined) this.#paced = Math.max(this.#paced, now) + ALARM_PACE;
    const at = Math.max(alarmTime(due, now), this.#paced - ALARM_BURST * ALARM_PACE);
    if (at === this.#at) return;
    void this.#storage.setAlarm(at);
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
