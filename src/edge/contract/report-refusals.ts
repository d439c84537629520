import type { RefusalCode } from '../../refusal.ts';

/** The refusals of a report to a current state, however it is sent: by a request, or by a link. */
export const REPORT_REFUSALS = [
  'final-state',
  'not-taken',
  'no-members',
  'not-a-member',
  'not-for-you',
  'not-holder',
  'expression-failed',
  'over-bound',
] as const satisfies readonly RefusalCode[];
