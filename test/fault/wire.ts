/** The form of the commands and queries in HTTP. */
import type { Inputs } from '../../src/chart/chart.ts';
import {
  problemIn,
  problemOfPage,
  readClaim,
  readDocument,
  readLink,
  readMembers,
  readNames,
  readReports,
} from './read-answer.ts';
import type { Answer, Request } from './requests.ts';

/** As the global `fetch`. */
export type Fetch = (url: string, call: Call & { readonly signal: AbortSignal }) => Promise<Response>;

/** The edge has lost its connection to the machine: the request may have been executed. */
export class LostCall extends Error {}

/** `lost` or `overloaded`, and `outcome-unknown`. */
const LOST: ReadonlySet<number> = new Set([503, 520]);

/**
 * Sends a request to the machine at `url`.
 *
 * @param by makes the call
 * @throws errors of the network, and on answers that the service must not give.
 */
export async function send(
  url: string,
  request: Request,
  signal: AbortSignal,
  by: Fetch = fetch,
): Promise<Answer> {
  const { method, path, ...more } = written(request);
  const response = await by(url + path, { method, ...more, signal });
  const body = await response.text();
  if (LOST.has(response.status)) throw new LostCall(`answered ${response.status}: ${body}`);
  const answer = { status: response.status, revision: revisionOf(response) };
  if (!response.ok) return { ...answer, ...(isOfLink(request) ? problemOfPage(body) : problemIn(body)) };
  switch (request.type) {
    case 'status':
      return { ...answer, ...readDocument(body) };
    case 'reports':
      return { ...answer, reports: readReports(body) };
    case 'missing':
      return { ...answer, names: readNames(body) };
    case 'claim':
    case 'renew':
      return { ...answer, moments: { leases: [readClaim(body)] } };
    case 'members':
    case 'strike':
      return body === '' ? answer : { ...answer, members: readMembers(body) };
    case 'makeLink':
      return { ...answer, ...readLink(body) };
    case 'showLink':
    case 'useLink':
      return { ...answer, isRepeat: body.includes('Already done') };
    default:
      return answer;
  }
}

/** Whether a page for a person is the answer. */
function isOfLink({ type }: Request): boolean {
  return type === 'showLink' || type === 'useLink';
}

function written(request: Request): Written {
  switch (request.type) {
    case 'status':
      return { method: 'GET', path: '' };
    case 'is':
      return { method: 'GET', path: `/state${query({ state: request.state, by: request.by })}` };
    case 'missing':
      return { method: 'GET', path: '/members?is=missing', headers: { Accept: 'text/plain' } };
    case 'reports':
      return {
        method: 'GET',
        path: `/reports${query({ state: request.state, limit: String(request.limit) })}`,
      };
    case 'claim':
    case 'renew':
    case 'release': {
      const { type, state, by } = request;
      const method = type === 'release' ? 'DELETE' : 'POST';
      const renew = type === 'renew' ? 'true' : undefined;
      return { method, path: `/claims${query({ state, by, renew })}` };
    }
    case 'update': {
      const { state, event, by, key, revisions, data } = request;
      const headers = {
        ...(key === undefined ? {} : { 'Idempotency-Key': key }),
        ...(revisions === undefined
          ? {}
          : { 'If-Match': revisions.map((revision) => `"${revision}"`).join(', ') }),
      };
      const body = data === undefined ? {} : { body: data };
      return { method: 'PUT', path: `/state${query({ state, event, by })}`, headers, ...body };
    }
    case 'makeLink': {
      const { state, event, by } = request;
      return { method: 'POST', path: `/links${query({ state, event, by })}` };
    }
    case 'showLink':
    case 'useLink':
      return { method: request.type === 'useLink' ? 'POST' : 'GET', path: `/links/${request.link}` };
    case 'members': {
      if (request.list === undefined) return { method: 'DELETE', path: '/members' };
      const list: [string, Record<string, string>][] = JSON.parse(request.list);
      const lines = list.map(([name, labels]) =>
        [name, ...Object.entries(labels).map((pair) => pair.join('='))].join(' '),
      );
      return { method: 'PUT', path: '/members', body: lines.join('\n') };
    }
    case 'strike':
      return { method: 'DELETE', path: `/members/${request.member}` };
    case 'start':
      return { method: 'POST', path: `/start${query(textsOf(request.inputs))}` };
    case 'inputs':
      return { method: 'PATCH', path: `/inputs${query(textsOf(request.inputs))}` };
    case 'pause': {
      const { by, reason, lasts } = request;
      const end = lasts === undefined ? {} : { until: `${lasts}ms` };
      return { method: 'POST', path: `/pause${query({ by, reason, ...end })}` };
    }
    case 'resume':
      return { method: 'POST', path: `/resume${query({ by: request.by })}` };
    case 'override':
      return { method: 'POST', path: `/override${query({ to: request.to, reason: request.reason })}` };
  }
}

function textsOf(inputs: Inputs = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, String(value)]));
}

interface Call {
  readonly method: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

interface Written extends Call {
  readonly path: string;
}

function query(words: Readonly<Record<string, string | undefined>>): string {
  const said = Object.entries(words).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
  return `?${new URLSearchParams(said)}`;
}

/** Reads the revision. A response without one is not from a machine. */
function revisionOf({ status, headers }: Response): number {
  const [, revision] = /^"(\d+)"$/.exec(headers.get('ETag') ?? '') ?? [];
  if (revision === undefined) throw new Error(`${status} came without a revision`);
  return Number(revision);
}
