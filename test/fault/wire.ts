/** The commands and queries of the runs, and their form in HTTP. */
import * as z from 'zod';
import type { Claim, Update } from '../../src/commands.ts';
import type { IsQuery, ReportsQuery, StatusQuery } from '../../src/objects/results.ts';

export type Request = Update | Claim | IsQuery | StatusQuery | ReportsQuery;

/** Whether a request only reads. */
export function isQuery({ type }: Request): boolean {
  return type === 'is' || type === 'status' || type === 'reports';
}

/** An HTTP response, with everything that it says about the machine. Lists of names are sorted. */
export interface Answer {
  readonly status: number;
  /** From the `ETag`. */
  readonly revision: number;
  /** Of a refusal: its code, the active states, and the holders of the slots if it lists them. */
  readonly problem?: string;
  readonly states?: readonly string[];
  readonly holders?: readonly string[];
  readonly document?: Document;
  /** The reports of a state's present or last visit (`reportText`), sorted. */
  readonly reports?: readonly string[];
  readonly moments?: Moments;
}

/** A report of a caller as text. @param data JSON. */
export function reportText({ event, by, data }: { event: string; by: string; data?: string }): string {
  return `${event} by ${by}${data === undefined ? '' : `: ${data}`}`;
}

/** The status document without its moments. */
export interface Document {
  readonly states: readonly string[];
  readonly revision: number;
  readonly context: Readonly<Record<string, unknown>>;
  readonly quorums: readonly {
    readonly state: string;
    readonly event: string;
    readonly have: number;
    readonly need: number;
    readonly by: readonly string[];
  }[];
  readonly claims: readonly {
    readonly state: string;
    readonly slots: number;
    readonly holders: readonly string[];
  }[];
}

/** Moments in an answer, ms since the epoch. */
export interface Moments {
  /** The last change. */
  readonly changed?: number;
  /** When each timer is due, the earliest first. */
  readonly timers?: readonly number[];
  readonly leases?: readonly { readonly state: string; readonly by: string; readonly until: number }[];
}

const moment = z.iso.datetime().transform((text) => Date.parse(text));

const status = z.object({
  states: z.array(z.string()),
  revision: z.number(),
  changed: moment,
  context: z.record(z.string(), z.json()),
  quorums: z.array(
    z.object({
      state: z.string(),
      event: z.string(),
      have: z.number(),
      need: z.number(),
      by: z.array(z.string()).transform((names) => names.sort()),
    }),
  ),
  claims: z.array(
    z.object({
      state: z.string(),
      slots: z.number(),
      holders: z.array(z.object({ by: z.string(), until: moment })),
    }),
  ),
  timers: z.array(z.object({ at: moment })),
});

const page = z.strictObject({
  machine: z.string(),
  state: z.string(),
  // Without `after`: the page has all of them.
  reports: z.array(z.object({ event: z.string(), by: z.string(), data: z.json().optional() })),
});

const entry = z.object({
  id: z.number(),
  revision: z.number(),
  cause: z.string(),
  event: z.string().nullable(),
  data: z.json().optional(),
});

export type Entry = z.infer<typeof entry>;

/** Reads the whole history, the newest entry first. */
export async function readHistory(url: string): Promise<Entry[]> {
  const found: Entry[] = [];
  for (let before: number | undefined; ; ) {
    const response = await fetch(
      `${url}/history?limit=1000${before === undefined ? '' : `&before=${before}`}`,
    );
    const body: unknown = await response.json();
    const page = z.object({ history: z.array(entry), before: z.number().optional() }).parse(body);
    found.push(...page.history);
    before = page.before;
    if (before === undefined) return found;
  }
}

/** As the global `fetch`. */
export type Fetch = (url: string, call: Call & { readonly signal: AbortSignal }) => Promise<Response>;

const problem = z.object({
  type: z.string(),
  machine: z.object({ revision: z.number(), states: z.array(z.string()) }),
  holders: z.array(z.object({ by: z.string() })).optional(),
});

const claimed = z.object({ state: z.string(), by: z.string(), until: moment });

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
  const answer = { status: response.status, revision: revisionOf(response) };
  if (!response.ok) {
    const { type, machine, holders } = problem.parse(JSON.parse(body));
    const more = holders === undefined ? {} : { holders: holders.map(({ by }) => by).sort() };
    return { ...answer, problem: type.replace(/.*:/, ''), states: machine.states, ...more };
  }
  if (request.type === 'status') return { ...answer, ...readDocument(body) };
  if (request.type === 'reports') return { ...answer, reports: readReports(body) };
  if (takesLease(request)) return { ...answer, moments: { leases: [claimed.parse(JSON.parse(body))] } };
  return answer;
}

/** Whether the answer to a request says when a lease ends. */
export function takesLease(request: Request): request is Claim {
  return request.type === 'claim' || request.type === 'renew';
}

function readReports(body: string): string[] {
  const { reports } = page.parse(JSON.parse(body));
  const texts = reports.map(({ data, ...report }) =>
    reportText({ ...report, ...(data === undefined ? {} : { data: JSON.stringify(data) }) }),
  );
  return texts.sort();
}

function readDocument(body: string): { document: Document; moments: Moments } {
  const { changed, timers, claims, ...document } = status.parse(JSON.parse(body));
  const leases = claims.flatMap(({ state, holders }) => holders.map((holder) => ({ state, ...holder })));
  const names = claims.map(({ holders, ...claim }) => ({
    ...claim,
    holders: holders.map(({ by }) => by).sort(),
  }));
  return {
    document: { ...document, claims: names },
    moments: { changed, timers: timers.map(({ at }) => at), leases },
  };
}

function written(request: Request): Written {
  switch (request.type) {
    case 'reports': {
      const { state, limit } = request;
      return { method: 'GET', path: `/reports${query({ state, limit: String(limit) })}`, headers: {} };
    }
    case 'is':
      return { method: 'GET', path: `/state${query({ state: request.state })}`, headers: {} };
    case 'status':
      return { method: 'GET', path: '', headers: {} };
    case 'claim':
    case 'renew':
    case 'release': {
      const { type, state, by } = request;
      const method = type === 'release' ? 'DELETE' : 'POST';
      const renew = type === 'renew' ? 'true' : undefined;
      return { method, path: `/claims${query({ state, by, renew })}`, headers: {} };
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
  }
}

interface Call {
  readonly method: string;
  readonly headers: Record<string, string>;
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
