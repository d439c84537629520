import schema from '../../../charts/schema.json' with { type: 'json' };
import { AnyShape } from '../contract/documents.ts';
import type { ServiceResource } from '../resource.ts';
import { document } from '../responses.ts';

/** The JSON Schema of charts, for editors: `# yaml-language-server: $schema=https://…/schema.json`. */
export const schemaDocument: ServiceResource = {
  path: '/schema.json',
  contract: {
    id: 'chartSchema',
    summary: 'The JSON Schema of charts, for editors.',
    answers: { 200: { says: 'Draft 7.', content: { 'application/schema+json': AnyShape } } },
  },
  answer: () => document(TEXT, 'application/schema+json'),
};

const TEXT = JSON.stringify(schema, null, 2);
