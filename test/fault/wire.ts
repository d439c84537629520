/** What clients may ask, and how that looks over HTTP. */
import * as z from 'zod';

export type Request =
  /** `GET …/state` */
  | { readonly kind: 'ask'; readonly state: string }
  /** `PUT …/state` */
  | Report
  /** `POST …/claims` and `DELETE …/claims` */
  | { readonly kind: 'claim' | 'release'; readonly state: string; readonly by: string }
  /** `GET {machine}`: the status document. */
  | { readonly kind: 'read' };

export interface Report {
  readonly kind: 'report';
  readonly state: string;
  readonly event: string;
  readonly by?: string;
  /** `Idempotency-Key` */
  readonly key?: string;
  /** `If-Match` */
  readonly revision?: number;
}

/** An answer, with everything in it that says where the machine stands. Who is listed is listed by name. */
export interface Answer {
  readonly status: number;
  /** From the `ETag`. */
  readonly revision: number;
  /** Of a refusal: its kind, the active states, and who holds the slots, where it says so. */
  readonly problem?: string;
  readonly states?: readonly string[];
  readonly holders?: readonly string[];
  readonly document?: Document;
  readonly moments?: Moments;
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

/** When something has happened or will, as an answer tells it: ms since the epoch. */
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

const problem = z.object({
  type: z.string(),
  machine: z.object({ revision: z.number(), states: z.array(z.string()) }),
  holders: z.array(z.object({ by: z.string() })).optional(),
});

const claimed = z.object({ state: z.string(), by: z.string(), until: moment });

/** Sends a request to the machine at `url`. What is thrown is the network's, or an answer that nobody may give. */
export async function send(url: string, request: Request, signal: AbortSignal): Promise<Answer> {
  const { method, path, headers } = written(request);
  const response = await fetch(url + path, { method, headers, signal });
  const body = await response.text();
  const answer = { status: response.status, revision: revisionOf(response) };
  if (!response.ok) {
    const { type, machine, holders } = problem.parse(JSON.parse(body));
    const more = holders === undefined ? {} : { holders: holders.map(({ by }) => by).sort() };
    return { ...answer, problem: type.replace(/.*:/, ''), states: machine.states, ...more };
  }
  if (request.kind === 'read') return { ...answer, ...readDocument(body) };
  if (request.kind === 'claim') return { ...answer, moments: { leases: [claimed.parse(JSON.parse(body))] } };
  return answer;
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

function written(request: Request): { method: string; path: string; headers: Record<string, string> } {
  switch (request.kind) {
    case 'ask':
      return { method: 'GET', path: `/state${query({ state: request.state })}`, headers: {} };
    case 'read':
      return { method: 'GET', path: '', headers: {} };
    case 'claim':
    case 'release': {
      const method = request.kind === 'claim' ? 'POST' : 'DELETE';
      return { method, path: `/claims${query({ state: request.state, by: request.by })}`, headers: {} };
    }
    case 'report': {
      const { state, event, by, key, revision } = request;
      const headers = {
        ...(key === undefined ? {} : { 'Idempotency-Key': key }),
        ...(revision === undefined ? {} : { 'If-Match': `"${revision}"` }),
      };
      return { method: 'PUT', path: `/state${query({ state, event, by })}`, headers };
    }
  }
}

function query(words: Readonly<Record<string, string | undefined>>): string {
  const said = Object.entries(words).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
  return `?${new URLSearchParams(said)}`;
}

/** An answer without a revision is one that no machine has given. */
function revisionOf({ status, headers }: Response): number {
  const [, revision] = /^"(\d+)"$/.exec(headers.get('ETag') ?? '') ?? [];
  if (revision === undefined) throw new Error(`${status} came without a revision`);
  return Number(revision);
}
