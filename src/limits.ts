/** What the service may cost beside its charts (those bounds are in `chart/limits.ts`). */

/** Rows of history that a machine keeps; the oldest is overwritten by the newest. */
export const HISTORY_ROWS = 10_000;

/** Rows of history in one answer, where nothing or something else is asked for. */
export const HISTORY_PAGE = 100;
export const HISTORY_PAGE_MAX = 1_000;

/** Due timers fired in one turn, so that no request waits for more; the rest is left to the alarm. */
export const TIMERS_PER_TURN = 1_000;

/**
 * How far ahead an alarm is set, in ms: 30 days. A timer of the year 3000 lies outside the range of
 * workerd's clock (nanoseconds in 64 bits), and an alarm that fires early only sets the next one.
 */
export const ALARM_HORIZON = 30 * 24 * 60 * 60 * 1_000;

/** Between two turns that fire due timers, where one is not enough for them, in ms. */
export const ALARM_BACKOFF = 1_000;

/** Characters of an event's name in a request. */
export const EVENT_LENGTH = 255;
