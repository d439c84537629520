/** What a machine says of its notifications. */
import { hooksOf } from '../chart/chart.ts';
import type { Refusal } from '../refusal.ts';
import type { Metrics } from './counters.ts';
import type { HookStatus } from './hook-status.ts';
import type { MachineState } from './machine-state.ts';
import type { NotificationsPage, NotificationsQuery } from './results.ts';
import type { Runtime } from './runtime.ts';

/** Answers a query for the messages to hooks. */
export async function notificationsPage(
  runtime: Runtime,
  { before, limit, isTold }: NotificationsQuery,
): Promise<NotificationsPage | Refusal> {
  const machine = runtime.current() ?? (await runtime.read());
  if ('ok' in machine) return machine;
  // One more than a page tells whether there are more.
  const { outbox } = runtime.store;
  const found = machine.preview === undefined ? outbox.page(before, limit + 1) : [];
  const last = found[limit - 1]?.entry ?? 0;
  const notifications = found.filter(({ entry }) => entry >= last);
  return {
    ok: true,
    hooks: hooksAt(runtime, machine),
    notifications: isTold
      ? notifications.map((message) => ({ ...message, told: outbox.told(message.hook, message.entry) }))
      : notifications,
    hasMore: notifications.length < found.length,
    revision: machine.revision,
  };
}

/** Returns the hooks that the chart names, and those that have messages. */
export function hooksAt({ outbox, store }: Runtime, { chart, preview }: MachineState): HookStatus[] {
  const [queues, dropped] =
    preview === undefined ? [store.outbox.queues(), store.outbox.dropped()] : [[], []];
  const names = new Set([...hooksOf(chart.model), ...queues.map(({ hook }) => hook)]);
  return [...names].sort().map((hook) => {
    const { pending = 0, failed = 0, next = null } = queues.find((queue) => queue.hook === hook) ?? {};
    const { hook: _, ...lost } = dropped.find((row) => row.hook === hook) ?? { hook };
    return {
      hook,
      problem: outbox.checkHook(hook)?.problem ?? null,
      pending,
      failed,
      next,
      dropped: 'count' in lost ? lost : null,
    };
  });
}

/** Returns the numbers of the hooks for monitoring. */
export function hookMetrics(runtime: Runtime, machine: MachineState): NonNullable<Metrics['hooks']> {
  return hooksAt(runtime, machine).map(({ hook, problem, pending, failed, dropped }) => {
    return { hook, isSet: problem === null, pending, failed, dropped: dropped?.count ?? 0 };
  });
}
