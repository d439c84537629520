import schema from '../../charts/schema.json' with { type: 'json' };
import type { ServiceResource } from './resource.ts';

/** The JSON Schema of charts, for editors: `# yaml-language-server: $schema=https://…/schema.json`. */
export const schemaDocument: ServiceResource = {
  path: '/schema.json',
  methods: {
    GET: (c) => c.body(TEXT, 200, { 'Content-Type': 'application/schema+json' }),
  },
};

const TEXT = JSON.stringify(schema, null, 2);
