import { ALARM_BACKOFF, ALARM_BACKOFF_MAX, ALARM_BURST, ALARM_HORIZON, ALARM_PACE } from '../limits.ts';

/**
 * The alarm of an object, set for the first moment at which anything is due. It is set in the same turn of the event
 * loop as the commit that needs it, so it is durable with the commit.
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

  /** @param due ms since the epoch; undefined if nothing is due. */
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

  /** Notes that the alarm has gone off, or was deleted. */
  forget(): void {
    this.#at = undefined;
  }
}

/** Returns `due`; if that is too far ahead for an alarm, a moment before it that is the same all day long. */
function alarmTime(due: number, now: number): number {
  // One turn did not fire everything. A cycle of timers that are always due falls further behind with each turn: the
  // pause is as long as the delay, so it doubles from turn to turn, also across a restart.
  if (due <= now) return now + Math.min(Math.max(ALARM_BACKOFF, now - due), ALARM_BACKOFF_MAX);
  return Math.min(due, now - (now % DAY) + ALARM_HORIZON);
}

const DAY = 24 * 60 * 60 * 1_000;
