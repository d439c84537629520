/** What can go wrong on the platform. */

/** Faults that have been armed and not hit yet: how many, or for how long. */
export class Trouble {
  /** Calls to lose before they arrive, and answers to lose. */
  loseCalls = 0;
  loseAnswers = 0;
  /** Until when calls and answers take up to `slowBy` ms more, simulated ms. */
  slowUntil = 0;
  slowBy = 0;
  /** Commits that fail. */
  failCommits = 0;
  /** Writes until one throws; undefined for none. */
  throwAfter: number | undefined;
  /** Until when each access of storage throws, simulated ms. */
  brokenUntil = 0;
  /** How late the next alarm is, ms. */
  alarmLate = 0;
  alarmTwice = false;
  dropAlarm = false;
  /** Steps of the object until it is ended; undefined for not at all. */
  killAfter: number | undefined;
}

/** Switches of planted bugs of the platform. */
export interface PlatformBugs {
  /** Answers leave before their commits are durable. */
  readonly openGate?: boolean;
  /** A transaction that throws is not rolled back. */
  readonly keepsFailed?: boolean;
  /** Calls arrive twice. */
  readonly repeatsCalls?: boolean;
}
