import { json } from '../answers.ts';
import { LIMITS } from '../limits.ts';
import type { ServiceResource } from './resource.ts';

/** Whether the Worker answers, and within which limits. It asks no object and no storage. */
export const health: ServiceResource = {
  path: '/healthz',
  answer: () => json({ status: 'ok', limits: LIMITS }),
};
