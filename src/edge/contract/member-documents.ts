/** Schemas of the documents about members. */
import * as z from 'zod';
import type { MemberStatus } from '../../objects/results.ts';

const stateNames = (says: string) => z.array(z.string()).describe(says);

const MemberShape = z.strictObject({
  name: z.string(),
  labels: z.record(z.string(), z.string()),
  expected: stateNames('The current states that are for the member and take reports.'),
  working: stateNames('The current states of which it holds a slot.'),
  reported: stateNames('Of the expected ones, those to which it has reported in their present visit.'),
  missing: stateNames('Of the expected ones, those to which it has not.'),
}) satisfies z.ZodType<MemberStatus>;

const total = z.int().min(0).nullable().describe('The members of the machine; null without a list.');

export const MembersShape = z.strictObject({
  machine: z.string().describe('`tenant/chart`, `tenant/chart@run` or `default`.'),
  total,
  members: z.array(MemberShape),
  after: z.string().optional().describe('`after` of the next page; absent if there is none.'),
});

export const MembersChangedShape = z.strictObject({
  total,
  added: z.int().min(0),
  removed: z.int().min(0),
  relabelled: z.int().min(0).describe('Members whose labels are others than before.'),
});
