import { readFile } from 'node:fs/promises';
import { type Request, Response } from 'miniflare';

/**
 * A folder of charts for tests: it serves the files of the real one, and files that were `PUT`. It runs in vitest's own
 * process, so it outlives every eviction, and all test files share it. `LOCK` is answered when the one before has sent
 * `UNLOCK`, which takes the written file away. `charts.ts` and `holdDefault` are the tests' side of it.
 *
 * @param folder the real one.
 */
export function writableCharts(folder: string): (request: Request) => Promise<Response> {
  const written = new Map<string, string>();
  const locks: (() => void)[] = [];
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (request.method === 'PUT') written.set(pathname, await request.text());
    if (request.method === 'DELETE') written.delete(pathname);
    if (request.method === 'LOCK')
      await new Promise<void>((begin) => {
        if (locks.push(begin) === 1) begin();
      });
    if (request.method === 'UNLOCK') {
      written.delete(pathname);
      locks.shift();
      locks[0]?.();
    }
    const text =
      written.get(pathname) ?? (await readFile(`${folder}${pathname}`, 'utf8').catch(() => undefined));
    return text === undefined ? new Response('Not Found', { status: 404 }) : new Response(text);
  };
}
