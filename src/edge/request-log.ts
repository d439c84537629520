/** The log of requests: a line of JSON for each, if `LOG` is `requests`. No log has a link: its path is all that it needs. */
import type { Context } from 'hono';
import type { AppEnv } from './env.ts';
import { isCrowded, queryOf } from './query.ts';

/**
 * Answers a request and logs it: machine, method, path, caller, status and duration. Tokens and bodies are not logged.
 *
 * @param name the machine's address, or the tenant.
 */
export function logged(
  c: Context<AppEnv>,
  name: string,
  answer: () => Response | Promise<Response>,
): Response | Promise<Response> {
  if (c.env.LOG !== 'requests') return answer();
  return write(c, name, answer);
}

async function write(
  c: Context<AppEnv>,
  name: string,
  answer: () => Response | Promise<Response>,
): Promise<Response> {
  const began = Date.now();
  const response = await answer();
  const { method } = c.req;
  const revision = /^"(\d+)"$/.exec(response.headers.get('ETag') ?? '')?.[1];
  const line = {
    at: new Date(began).toISOString(),
    machine: name,
    method,
    path: loggedPath(c),
    ...(isCrowded(c.req.url) ? {} : wordsOf(c)),
    sub: c.get('grant')?.sub,
    iss: c.get('grant')?.iss,
    status: response.status,
    // Cloudflare's clock stands still while code runs: only the time of I/O is measured.
    ms: Date.now() - began,
    revision: revision === undefined ? undefined : Number(revision),
  };
  console.log(JSON.stringify(line));
  return response;
}

/** Returns the path of a request, without the link in it. hono has decoded what stands for plain characters: `%6Cinks`. */
export function loggedPath(c: Context<AppEnv>): string {
  return c.req.path.replace(/(\/links\/)[^/]+/g, '$1…');
}

function wordsOf(c: Context<AppEnv>) {
  const { state, event, by } = queryOf(c);
  return { state, event, by };
}
