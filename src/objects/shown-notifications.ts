import type { Notification } from '../store/outbox-table.ts';
import type { HookStatus } from './hook-status.ts';
import type { NotificationsPage } from './results.ts';

/** The hooks of a machine and a page of the messages to them, as the service shows them: times in ISO 8601. */
export interface ShownNotifications {
  readonly machine: string;
  readonly hooks: readonly ShownHook[];
  readonly notifications: readonly ShownNotification[];
  /** `before` of the next page; absent if there is none. */
  readonly before?: number | undefined;
}

interface ShownHook {
  readonly hook: string;
  readonly problem?: string | undefined;
  readonly pending: number;
  readonly failed: number;
  readonly next: string | null;
  readonly dropped: {
    readonly count: number;
    readonly first: number;
    readonly last: number;
    readonly at: string;
  } | null;
}

interface ShownNotification {
  /** Of the entry of the history. */
  readonly id: number;
  readonly hook: string;
  readonly status: Notification['status'];
  readonly since: string;
  readonly next?: string | undefined;
  readonly settled?: string | undefined;
  readonly attempts: number;
  readonly failure: string | null;
}

/** Formats a page for responses. */
export function showNotifications(machine: string, page: NotificationsPage): ShownNotifications {
  const last = lastEntryOf(page);
  return {
    machine,
    hooks: page.hooks.map(showHook),
    notifications: page.notifications.map(showNotification),
    ...(last === undefined ? {} : { before: last }),
  };
}

/** Returns the entry at which the next page begins; undefined if there is none. */
export function lastEntryOf({ hasMore, notifications }: NotificationsPage): number | undefined {
  return hasMore ? notifications.at(-1)?.entry : undefined;
}

function showHook({ hook, problem, next, dropped, pending, failed }: HookStatus): ShownHook {
  return {
    hook,
    ...(problem === null ? {} : { problem }),
    pending,
    failed,
    next: next === null ? null : time(next),
    dropped: dropped && { ...dropped, at: time(dropped.at) },
  };
}

function showNotification({
  entry,
  hook,
  status,
  at,
  next,
  attempts,
  failure,
}: Notification): ShownNotification {
  return {
    id: entry,
    hook,
    status,
    since: time(at),
    ...(status === 'pending' ? { next: time(next) } : { settled: time(next) }),
    attempts,
    failure,
  };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
