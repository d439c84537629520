import type { RefusalCode } from '../../refusal.ts';

/** The refusals of an uploaded chart: as the body of a request, and from a form. */
export const UPLOAD_REFUSALS = [
  'wrong-parameter',
  'mid-sequence',
  'wrong-revision',
  'too-large',
  'too-slow',
  'invalid-chart',
  'wrong-inputs',
] as const satisfies readonly RefusalCode[];
