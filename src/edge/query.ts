/** Reads the query, and the last segment, of a request's URL. */
import type { Context } from 'hono';
import { offer, quoteShort } from '../chart/chart.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { QUERY_PARAMETERS } from '../request-limits.ts';
import { isEmpty } from './body.ts';
import type { Contract } from './contract/contract.ts';
import type { AppEnv } from './env.ts';

/**
 * Refuses a query with a parameter that the method's contract does not declare: `&evnt=fail` must not count as a
 * success.
 */
export function checkQuery(c: Context<AppEnv>, { parameters = [], inputs }: Contract): Refusal | undefined {
  const { url } = c.req;
  if (!url.includes('?')) return undefined;
  if (isCrowded(url)) {
    return refuse('wrong-parameter', `The query has more than ${QUERY_PARAMETERS} parameters.`);
  }
  if (inputs !== undefined) return undefined;
  for (const word in queryOf(c)) {
    if (!parameters.some(({ name, in: place }) => place === 'query' && name === word)) {
      const known = parameters.flatMap(({ name, in: place }) => (place === 'query' ? [name] : []));
      return unknownParameter(word, known);
    }
  }
  return undefined;
}

/**
 * Refuses `If-Match` and `If-None-Match` where the method does not compare them: a request must not act if its condition is
 * false (RFC 9110, sections 13.1.1 and 13.1.2).
 */
export function checkConditions(c: Context<AppEnv>, { parameters = [] }: Contract): Refusal | undefined {
  const wrong = CONDITIONS.find(
    (condition) =>
      c.req.header(condition) !== undefined && !parameters.some(({ name }) => name === condition),
  );
  return wrong && refuse('wrong-parameter', `${c.req.method} does not compare \`${wrong}\` here.`);
}

const CONDITIONS = ['If-Match', 'If-None-Match'] as const;

/**
 * Refuses a form where the method has no body: its fields would be ignored, and a pause with `curl -d until=2h` would have
 * no end. A webhook may send JSON.
 */
export function checkForm(c: Context<AppEnv>, { body }: Contract): Refusal | undefined {
  if (body !== undefined || isEmpty(c) || !FORM.test(c.req.header('Content-Type') ?? '')) return undefined;
  return refuse('wrong-parameter', 'This takes parameters in the query, not in a form; with curl, add -G.');
}

const FORM = /^application\/x-www-form-urlencoded|^multipart\//i;

/**
 * The parameters of a request's query, decoded; of two with the same name the first. hono searches the URL again at each
 * call, so the result of the first one is kept.
 */
export function queryOf(c: Context<AppEnv>): Readonly<Record<string, string>> {
  let query = c.get('query');
  if (query === undefined) {
    query = c.req.query();
    c.set('query', query);
  }
  return query;
}

/** Returns the last segment of the path, decoded: at the root it is in the place of a chart's name. */
export function lastSegment(c: Context<AppEnv>): string {
  const { resource, chart = '' } = c.req.param() as { readonly resource?: string; readonly chart?: string };
  return resource ?? chart;
}

/**
 * Whether a URL has more than `QUERY_PARAMETERS` parameters. hono searches the `=` of each to the end of the URL: 64 kB
 * of `&a` took 170 ms.
 */
export function isCrowded(url: string): boolean {
  return url.split('&', QUERY_PARAMETERS + 1).length > QUERY_PARAMETERS;
}

function unknownParameter(name: string, known: readonly string[]): Refusal {
  const detail = `This takes no parameter ${quoteShort(name)}; ${offer(name.toLowerCase(), known, 'it takes')}`;
  return refuse('wrong-parameter', detail);
}
