import type { Context } from 'hono';
import { nearest } from '../chart/chart.ts';
import { QUERY_PARAMETERS } from '../limits.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { Contract } from './contract/contract.ts';
import type { AppEnv } from './env.ts';

/**
 * Refuses a query with a parameter that the method's contract does not declare: `&evnt=fail` must not count as a
 * success. The query is split by hono, as where its values are read.
 */
export function checkQuery(c: Context<AppEnv>, { parameters = [] }: Contract): Refusal | undefined {
  if (!c.req.url.includes('?')) return undefined;
  if (isCrowded(c.req.url)) {
    return refuse('wrong-parameter', `The query has more than ${QUERY_PARAMETERS} parameters.`);
  }
  const known = parameters.flatMap(({ name, in: place }) => (place === 'query' ? [name] : []));
  const unknown = Object.keys(c.req.query()).find((name) => !known.includes(name));
  return unknown === undefined ? undefined : unknownParameter(unknown, known);
}

/**
 * Whether a URL has more parameters than are read. hono looks for the `=` of each up to the end of the URL: 64 kB of
 * `&a` took it 170 ms.
 */
export function isCrowded(url: string): boolean {
  return url.split('&', QUERY_PARAMETERS + 1).length > QUERY_PARAMETERS;
}

/** Says which parameter was meant, or which there are. */
function unknownParameter(name: string, known: readonly string[]): Refusal {
  const isLong = name.length > SHOWN_LENGTH;
  const shown = JSON.stringify(isLong ? `${name.slice(0, SHOWN_LENGTH - 3)}...` : name);
  const meant = isLong ? undefined : nearest(name.toLowerCase(), known);
  const list = known.length === 0 ? 'it takes none.' : `it takes: ${known.join(', ')}.`;
  const offer = meant === undefined ? list : `did you mean "${meant}"?`;
  return refuse('wrong-parameter', `This takes no parameter ${shown}; ${offer}`);
}

/** Characters of a name that are shown, and up to which it is compared with others: that costs their product. */
const SHOWN_LENGTH = 80;
