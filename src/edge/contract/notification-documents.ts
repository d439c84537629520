/** Schemas of the documents about notifications. Times are ISO 8601. */
import * as z from 'zod';
import type { ShownNotifications } from '../../objects/shown-notifications.ts';

const time = (says: string) => z.iso.datetime().describe(says);
const entryId = z.int().min(1);

const HookShape = z.strictObject({
  hook: z.string(),
  problem: z.string().optional().describe('Why it can be told nothing; absent if the deployer has set it.'),
});

/** Of the status document. */
export const HooksShape = z
  .array(HookShape)
  .describe('The hooks that the chart names in `notify`; absent if it names none.');

const HookStatusShape = HookShape.extend({
  pending: z.int().min(0).describe('Messages that are to be sent.'),
  failed: z.int().min(0).describe('Messages that were given up, of those that are kept.'),
  next: time('When the first pending message is tried next.').nullable(),
  dropped: z
    .strictObject({
      count: z.int().min(1),
      first: entryId.describe('The id of the entry of the first one.'),
      last: entryId.describe('The id of the entry of the last one.'),
      at: time('When the last one was dropped.'),
    })
    .nullable()
    .describe('Pending messages that were dropped to make room.'),
});

const NotificationShape = z.strictObject({
  id: entryId.describe('The id of the entry of the history that is told.'),
  hook: z.string(),
  status: z.enum(['pending', 'sent', 'failed']).describe('`failed`: it was given up.'),
  since: time('When it was put into the outbox, or sent again by hand.'),
  next: time('When a pending one is tried next.').optional(),
  settled: time('When it was sent or given up.').optional(),
  attempts: z.int().min(0).describe('Attempts that have failed.'),
  failure: z.string().nullable().describe('Why the last attempt has failed.'),
});

export const NotificationsShape = z.strictObject({
  machine: z.string().describe('`tenant/chart`, `tenant/chart@run` or `default`.'),
  hooks: z.array(HookStatusShape).describe('The hooks that the chart names, and those that have messages.'),
  notifications: z.array(NotificationShape),
  before: entryId.optional().describe('`before` of the next page; absent if there is none.'),
}) satisfies z.ZodType<ShownNotifications>;
