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
      answer: (c) => json(textFor(new URL(c.req.url).origin, resources)),
    },
    {
      path: '/openapi',
      contract: {
        id: 'operations',
        summary: 'This document as a page.',
        answers: { 200: { says: 'HTML.', content: { 'text/html': 'text' }, headers: ['Vary'] } },
      },
      answer: () => {
        markup ??= String(<OperationsPage operations={operationsOf(resources())} />);
        return page(markup);
      },
    },
  ];
}

/** Both are made with the first request and kept: without a token, anybody may request them, and they take 26 and 10 ms. */
let markup: string | undefined;
let text: { readonly before: string; readonly after: string } | undefined;

/** Stands for the origin in the text that is kept: `Host` is the caller's choice. */
const ORIGIN = '{origin}';

/** Returns the document as text. It is not indented, because it is for programs. */
function textFor(origin: string, resources: () => Resources): string {
  if (text === undefined) {
    const [before = '', after = ''] = JSON.stringify(openApi(resources(), ORIGIN)).split(
      JSON.stringify(ORIGIN),
    );
    text = { before, after };
  }
  return `${text.before}${JSON.stringify(origin)}${text.after}`;
}
