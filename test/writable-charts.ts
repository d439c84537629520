import { readFile } from 'node:fs/promises';
import { type Request, Response } from 'miniflare';

/**
 * Stands in for the folder of charts while tests run: it gives what is in the real one, and remembers what is
 * `PUT` and gives that back. Runs in vitest's own process, so it outlives every eviction and is shared by all
 * test files; the tests' side of it is `charts.ts`.
 *
 * @param folder the real one.
 */
export function writableCharts(folder: string): (request: Request) => Promise<Response> {
  const written = new Map<string, string>();
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (request.method === 'PUT') written.set(pathname, await request.text());
    if (request.method === 'DELETE') written.delete(pathname);
    const text =
      written.get(pathname) ?? (await readFile(`${folder}${pathname}`, 'utf8').catch(() => undefined));
    return text === undefined ? new Response('Not Found', { status: 404 }) : new Response(text);
  };
}
