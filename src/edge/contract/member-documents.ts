/** Schemas of the documents about members. */
import * as z from 'zod/mini';
import type { MemberStatus } from '../../objects/results.ts';

const stateNames = (says: string) => z.array(z.string()).check(z.describe(says));

const MemberShape = z.strictObject({
  name: z.string(),
  labels: z.record(z.string(), z.string()),
  expected: stateNames('The current states that are for the member and take reports.'),
  working: stateNames('The current states of which it holds a slot.'),
  reported: stateNames('Of the expected ones, those to which it has reported in their present visit.'),
  missing: stateNames('Of the expected ones, those to which it has not.'),
}) satisfies z.ZodMiniType<MemberStatus>;

const total = z
  .nullable(z.int().check(z.minimum(0)))
  .check(z.describe('The members of the machine; null without a list.'));

export const MembersShape = z.strictObject({
  machine: z.string().check(z.describe('`tenant/chart`, `tenant/chart@run` or `default`.')),
  total,
  members: z.array(MemberShape),
  after: z.optional(z.string()).check(z.describe('`after` of the next page; absent if there is none.')),
});

export const MembersChangedShape = z.strictObject({
  total,
  added: z.int().check(z.minimum(0)),
  removed: z.int().check(z.minimum(0)),
  relabelled: z.int().check(z.minimum(0), z.describe('Members whose labels are others than before.')),
});
