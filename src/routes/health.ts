import { json } from '../answers.ts';
import type { ServiceResource } from './resource.ts';

/** Whether the Worker answers. It asks no object and no storage. */
export const health: ServiceResource = {
  path: '/healthz',
  answer: () => json({ status: 'ok' }),
};
