import { OperationsPage } from '../../view/operations-page.tsx';
import { AnyShape } from '../contract/document-shapes.ts';
import { openApi, operationsOf } from '../contract/openapi-document.ts';
import type { Resources, ServiceResource } from '../resource.ts';
import { json, page } from '../responses.ts';

/**
 * The description of the API, as OpenAPI and as a page.
 *
 * @param resources all resources, these two included.
 */
export function openApiResources(resources: () => Resources): ServiceResource[] {
  return [
    {
      path: '/openapi.json',
      contract: {
        id: 'openApi',
        summary: 'This document.',
        answers: { 200: { says: 'OpenAPI 3.1.', content: { 'application/json': AnyShape } } },
      },
      // Not indented, because it is for programs.
      answer: (c) => json(JSON.stringify(openApi(resources(), new URL(c.req.url).origin))),
    },
    {
      path: '/openapi',
      contract: {
        id: 'operations',
        summary: 'This document as a page.',
        answers: { 200: { says: 'HTML.', content: { 'text/html': 'text' }, headers: ['Vary'] } },
      },
      answer: () => page(String(<OperationsPage operations={operationsOf(resources())} />)),
    },
  ];
}
