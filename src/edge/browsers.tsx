/** What browsers get in place of problem details: a page, under the same status. */
import type { Context } from 'hono';
import { accepts } from 'hono/accepts';
import { parseAddress } from '../address.ts';
import type { InputProblem } from '../chart/chart.ts';
import { allows } from '../grant.ts';
import { codeOfProblem } from '../refusal.ts';
import { RefusalPage } from '../view/refusal-page.tsx';
import { authenticate, guardOf } from './auth.ts';
import type { AppEnv } from './env.ts';
import { page } from './responses.ts';
import { credentialsOf } from './session-cookie.ts';

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

/** Methods of links and of forms. */
const PAGED: ReadonlySet<string> = new Set(['GET', 'POST']);

/** The URL that a refusal leads back to: of a form, that of its page. */
function shownUrl(c: Context): URL {
  const url = new URL(c.req.url);
  const from = c.req.method === 'POST' ? URL.parse(c.req.header('Referer') ?? '') : null;
  return from?.origin === url.origin ? from : url;
}

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  readonly inputs?: readonly InputProblem[];
}

/** Renders a refusal that answers a browser as a page. Any other response is returned as it is. */
export async function withRefusalsAsPages(c: Context<AppEnv>, response: Response): Promise<Response> {
  const isProblem = response.headers.get('Content-Type') === 'application/problem+json';
  if (!isProblem || !PAGED.has(c.req.method) || !wantsPage(c)) return response;
  const { type, title, detail, inputs = [] } = await response.json<Problem>();
  const { origin, pathname, search } = shownUrl(c);
  const code = codeOfProblem(type);
  const retryAfter = response.headers.get('Retry-After') ?? undefined;
  const { status } = response;
  const markup = (
    <RefusalPage
      {...{ code, status, title, origin, search, why: detail, path: pathname }}
      inputs={inputs.map(({ input }) => input)}
      {...(retryAfter === undefined ? {} : { retryAfter })}
      mayUpload={code === 'no-chart' && (await mayUpload(c, pathname))}
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

/** Whether the request's token may put a chart at the address of a path. */
async function mayUpload(c: Context<AppEnv>, path: string): Promise<boolean> {
  const [, tenant = '', name = ''] = path.split('/');
  const parsed = parseAddress(tenant, name.replace(/@.*/, ''));
  const guard = guardOf(c.env);
  if (!parsed.ok || !guard.ok) return false;
  if (guard.isOpen) return true;
  const caller = await authenticate(guard, credentialsOf(c.req.raw));
  return caller.ok && allows(caller.grant, 'admin', parsed.address);
}
