import type { ServiceResource } from './resource.ts';

/** Whether the Worker answers. It asks no object and no storage. */
export const health: ServiceResource = {
  path: '/healthz',
  methods: { GET: (c) => c.json({ status: 'ok' }) },
};
