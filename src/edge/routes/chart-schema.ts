import { chartSchema } from '../../chart/json-schema.ts';
import { AnyShape } from '../contract/document-shapes.ts';
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
  answer: () => document(schemaText(), 'application/schema+json'),
};

let text: string | undefined;

/** Returns the schema. Made on the first request and cached; bundling `charts/schema.json` would add 2.4 kB to load. */
function schemaText(): string {
  text ??= JSON.stringify(chartSchema(), null, 2);
  return text;
}
