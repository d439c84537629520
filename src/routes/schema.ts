import schema from '../../charts/schema.json' with { type: 'json' };
import { document } from '../answers.ts';
import type { ServiceResource } from './resource.ts';

/** The JSON Schema of charts, for editors: `# yaml-language-server: $schema=https://…/schema.json`. */
export const schemaDocument: ServiceResource = {
  path: '/schema.json',
  answer: () => document(TEXT, 'application/schema+json'),
};

const TEXT = JSON.stringify(schema, null, 2);
