/** What browsers get in place of problem details: a page, under the same status. */
import type { Context } from 'hono';
import { accepts } from 'hono/accepts';
import { codeOfProblem } from '../refusal.ts';
import { RefusalPage } from '../view/refusal-page.tsx';
import { page } from './responses.ts';

/** Whether the request is from a browser: programs accept anything, or JSON. */
export function wantsPage(c: Context): boolean {
  if (!c.req.header('Accept')?.includes('text/html')) return false;
  const type = accepts(c, {
    header: 'Accept',
    supports: ['text/html', 'application/json'],
    default: 'application/json',
  });
  return type === 'text/html';
}

/** Renders a refusal that answers a browser as a page. Any other response is returned as it is. */
export async function withRefusalsAsPages(c: Context, response: Response): Promise<Response> {
  const isProblem = response.headers.get('Content-Type') === 'application/problem+json';
  if (!isProblem || c.req.method !== 'GET' || !wantsPage(c)) return response;
  const { type, title, detail } = await response.json<{ type: string; title: string; detail: string }>();
  const { origin, pathname, search } = new URL(c.req.url);
  const code = codeOfProblem(type);
  const retryAfter = response.headers.get('Retry-After') ?? undefined;
  const { status } = response;
  const markup = (
    <RefusalPage
      {...{ code, status, title, origin, search, why: detail, path: pathname }}
      {...(retryAfter === undefined ? {} : { retryAfter })}
    />
  );
  const { body, headers } = page(String(markup));
  for (const [name, value] of response.headers) if (!headers.has(name)) headers.set(name, value);
  if (status === 401) {
    // A browser shows its own prompt for `Basic`, and the page for any other scheme (RFC 6750).
    headers.set('WWW-Authenticate', 'Bearer realm="StateService"');
    // A link of another site brings no `SameSite=Strict` cookie. The same request from this page does.
    if (c.req.header('Sec-Fetch-Site') === 'cross-site') headers.set('Refresh', '0');
  }
  return new Response(body, { status, headers });
}
