import { type Request, Response } from 'miniflare';

/**
 * What the tests' Worker reaches by `fetch`: documents that tests have `PUT` at their addresses, and how often each was fetched
 * since. It runs in vitest's own process. `issuers.ts` is the tests' side of it.
 */
export function outside(): (request: Request) => Promise<Response> {
  const documents = new Map<string, { readonly text: string; fetched: number }>();
  return async (request) => {
    const { method, url, headers } = request;
    if (method === 'PUT') documents.set(url, { text: await request.text(), fetched: 0 });
    const document = documents.get(url);
    if (document === undefined) return new Response('Not Found', { status: 404 });
    if (headers.has('Count')) return new Response(String(document.fetched));
    if (method === 'GET') document.fetched += 1;
    return new Response(document.text);
  };
}
