/**
 * How far ahead an alarm is set, in ms: 30 days. A timer of the year 3000 lies outside the range of
 * workerd's clock (nanoseconds in 64 bits), and an alarm that fires early only sets the next one.
 */
const ALARM_HORIZON = 30 * 24 * 60 * 60 * 1_000;

/**
 * Between two turns that fire due timers, where one is not enough for them or has failed, in ms: as long as the next
 * timer is late, within these bounds. A turn takes some 35 ms, so that 50 rings of `after: 0` take about 3 % of a core.
 * An alarm that fails writes one row each time.
 */
export const ALARM_BACKOFF = 1_000;
export const ALARM_BACKOFF_MAX = 60_000;

/**
 * Alarms of a machine that go off one after the other without delay, and the time between two beyond them, in ms. A
 * request fires what is due before it is answered, so only a machine without requests is late, and one that is only waited
 * for. Without this, 50 rings of `after: 1` raised the p95 of other requests from 29 to 105 ms; a ring with a longer delay
 * than 10 ms has at most 1,000 timers due after such a time, which one turn fires.
 */
export const ALARM_BURST = 60;
export const ALARM_PACE = 10_000;

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

  /** When it goes off, ms since the epoch; undefined if it is deleted, went off, or is not known. */
  get at(): number | undefined {
    return this.#at ?? undefined;
  }

  /**
   * @param due ms since the epoch; undefined if nothing is due.
   * @param mayBeEarly whether an alarm that is set for an earlier time stays: it does nothing when it goes off, which is
   *   cheaper than the row of an alarm that is set.
   */
  set(due: number | undefined, now: number, mayBeEarly = false): void {
    if (mayBeEarly && typeof this.#at === 'number' && now < this.#at && this.#at <= (due ?? this.#at)) return;
    if (due === undefined) {
      if (typeof this.#at === 'number') this.#check(this.#storage.deleteAlarm());
      this.#at = null;
      return;
    }
    // A token bucket, kept as the moment at which it would be full again.
    if (this.#at === undefined) this.#paced = Math.max(this.#paced, now) + ALARM_PACE;
    const at = Math.max(alarmTime(due, now), this.#paced - ALARM_BURST * ALARM_PACE);
    if (at === this.#at) return;
    this.#check(this.#storage.setAlarm(at));
    this.#at = at;
  }

  /** Where storage refuses a change of the alarm, the alarm is not known: the next `set` sets it. */
  #check(change: Promise<void>): void {
    change.catch((error: unknown) => {
      console.error('changing the alarm failed', error);
      this.#at = undefined;
    });
  }

  /**
   * Sets the alarm again after its handler failed. The platform repeats a failed handler six times at most, then drops
   * the alarm: https://developers.cloudflare.com/durable-objects/api/alarms/
   *
   * @param due reads when the machine next changes by itself, ms since the epoch. If it fails too, the pause is longest.
   * @throws where storage refuses the alarm too: then the platform has to repeat the handler.
   */
  async retry(due: () => number | undefined, now: number): Promise<void> {
    this.#at = undefined;
    const at = retryTime(due, now);
    await this.#storage.setAlarm(at);
    this.#at = at;
  }

  /**
   * Compares the stored alarm of an object that has just started with what is due, and sets the alarm if it is missing:
   * it may have been dropped, or lost with a deploy that failed. A stored alarm that has passed counts as missing. One
   * that is early does not: its handler sets the next. Never throws: the next start of the object tries again.
   *
   * @param due when the machine next changes by itself, ms since the epoch; undefined if nothing is due.
   */
  async restore(due: () => number | undefined): Promise<void> {
    if (this.#at !== undefined) return;
    try {
      const stored = await this.#storage.getAlarm();
      // A commit may have set it meanwhile.
      if (this.#at !== undefined) return;
      const now = Date.now();
      if (stored !== null && stored > now) this.#at = stored;
      const next = due();
      if (next === undefined || stored === null || stored <= now || stored > alarmTime(next, now)) {
        this.set(next, now);
      }
    } catch (error) {
      console.error('restoring the alarm failed', error);
    }
  }

  /** Notes that the alarm has gone off, or was deleted. */
  forget(): void {
    this.#at = undefined;
  }
}

/**
 * Returns `due`; if that is too far ahead for an alarm, a moment before it that is the same all day long; if it has
 * passed, a moment after a pause.
 */
function alarmTime(due: number, now: number): number {
  // One turn did not fire everything. A cycle of timers that are always due falls further behind with each turn: the
  // pause is as long as the delay, so it doubles from turn to turn, also across a restart.
  if (due <= now) return now + Math.min(Math.max(ALARM_BACKOFF, now - due), ALARM_BACKOFF_MAX);
  return Math.min(due, now - (now % DAY) + ALARM_HORIZON);
}

/** Returns when an alarm that failed is tried again: after as long as the machine is late. */
function retryTime(due: () => number | undefined, now: number): number {
  try {
    const at = due();
    if (at !== undefined && at <= now) return alarmTime(at, now);
  } catch (error) {
    console.error('reading what is due failed', error);
  }
  return now + ALARM_BACKOFF_MAX;
}

const DAY = 24 * 60 * 60 * 1_000;
