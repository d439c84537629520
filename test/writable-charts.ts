import { readFile } from 'node:fs/promises';
import { type Request, Response } from 'miniflare';

/**
 * A folder of charts for tests: it serves the files of the real one, and files that were `PUT`. It runs in vitest's own
 * process, so it outlives every eviction, and all test files share it. `charts.ts` is the tests' side of it.
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
