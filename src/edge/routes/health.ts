import { HealthShape } from '../contract/documents.ts';
import { LIMITS } from '../published-limits.ts';
import type { ServiceResource } from '../resource.ts';
import { json } from '../responses.ts';

/** Whether the Worker answers, and within which limits. It asks no object and no storage. */
export const health: ServiceResource = {
  path: '/healthz',
  contract: {
    id: 'health',
    summary: 'Whether the service answers, and within which limits.',
    answers: { 200: { says: 'It does.', content: { 'application/json': HealthShape } } },
  },
  answer: () => json({ status: 'ok', limits: LIMITS }),
};
