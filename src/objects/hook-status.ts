import type { Dropped } from '../store/outbox-table.ts';

/** A hook of a machine. */
export interface HookStatus {
  readonly hook: string;
  /** Why it can be told nothing; null if the deployer has set it. */
  readonly problem: string | null;
  readonly pending: number;
  readonly failed: number;
  /** When the first pending message is tried next, ms since the epoch; null if none is pending. */
  readonly next: number | null;
  /** Pending messages that were dropped to make room; null if there were none. */
  readonly dropped: Omit<Dropped, 'hook'> | null;
}
