/** The log of requests: a line of JSON for each, if `LOG` is `requests`. */
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
  const { method, path } = c.req;
  const revision = /^"(\d+)"$/.exec(response.headers.get('ETag') ?? '')?.[1];
  const line = {
    at: new Date(began).toISOString(),
    machine: name,
    method,
    path,
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

function wordsOf(c: Context<AppEnv>) {
  const { state, event, by } = queryOf(c);
  return { state, event, by };
}
