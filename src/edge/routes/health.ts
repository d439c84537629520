import { HealthShape } from '../contract/document-shapes.ts';
import { LIMITS } from '../published-limits.ts';
import type { ServiceResource } from '../resource.ts';
import { json } from '../responses.ts';

/** Health of the Worker, and its limits. It calls no object and no storage. */
export const health: ServiceResource = {
  path: '/healthz',
  contract: {
    id: 'health',
    summary: 'Health of the service, and its limits.',
    answers: { 200: { says: 'The service answers.', content: { 'application/json': HealthShape } } },
  },
  answer: () => json({ status: 'ok', limits: LIMITS }),
};
