/** Schemas of the documents about notifications. Times are ISO 8601. */
import * as z from 'zod/mini';
import type { ShownNotifications } from '../../objects/shown-notifications.ts';

const time = (says: string) => z.iso.datetime().check(z.describe(says));
const entryId = z.int().check(z.minimum(1));

const HookShape = z.strictObject({
  hook: z.string(),
  problem: z
    .optional(z.string())
    .check(z.describe('Why it can be told nothing; absent if the deployer has set it.')),
});

/** Of the status document. */
export const HooksShape = z
  .array(HookShape)
  .check(z.describe('The hooks that the chart names in `notify`; absent if it names none.'));

const HookStatusShape = z.extend(HookShape, {
  pending: z.int().check(z.minimum(0), z.describe('Messages that are to be sent.')),
  failed: z.int().check(z.minimum(0), z.describe('Messages that were given up, of those that are kept.')),
  next: z.nullable(time('When the first pending message is tried next.')),
  dropped: z
    .nullable(
      z.strictObject({
        count: z.int().check(z.minimum(1)),
        first: entryId.check(z.describe('The id of the entry of the first one.')),
        last: entryId.check(z.describe('The id of the entry of the last one.')),
        at: time('When the last one was dropped.'),
      }),
    )
    .check(z.describe('Pending messages that were dropped to make room.')),
});

const NotificationShape = z.strictObject({
  id: entryId.check(z.describe('The id of the entry of the history that is told.')),
  hook: z.string(),
  status: z.enum(['pending', 'sent', 'failed']).check(z.describe('`failed`: it was given up.')),
  since: time('When it was put into the outbox, or sent again by hand.'),
  next: z.optional(time('When a pending one is tried next.')),
  settled: z.optional(time('When it was sent or given up.')),
  attempts: z.int().check(z.minimum(0), z.describe('Attempts that have failed.')),
  failure: z.nullable(z.string()).check(z.describe('Why the last attempt has failed.')),
});

export const NotificationsShape = z.strictObject({
  machine: z.string().check(z.describe('`tenant/chart`, `tenant/chart@run` or `default`.')),
  hooks: z
    .array(HookStatusShape)
    .check(z.describe('The hooks that the chart names, and those that have messages.')),
  notifications: z.array(NotificationShape),
  before: z.optional(entryId).check(z.describe('`before` of the next page; absent if there is none.')),
}) satisfies z.ZodMiniType<ShownNotifications>;
