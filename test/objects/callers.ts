/** Requests with options that the original does not have: names, keys, revisions, waits, claims. */
import type { Machine } from '../../src/index.ts';
import { inStorage, machinePath, type Problem, readAt, send, updateAt } from '../service.ts';

/** The options of a report. */
export interface Words {
  readonly event?: string;
  readonly by?: string;
  /** `Idempotency-Key`. */
  readonly key?: string;
  /** `If-Match`. */
  readonly match?: string;
  /** The data of the report, which is sent as JSON. */
  readonly data?: unknown;
}

/** Sends a report. */
export async function put(
  address: string,
  state: string,
  { event, by, key, match, data }: Words = {},
): Promise<Response> {
  const headers = {
    ...(key === undefined ? {} : { 'Idempotency-Key': key }),
    ...(match === undefined ? {} : { 'If-Match': match }),
  };
  const body = data === undefined ? {} : { body: JSON.stringify(data) };
  return send('PUT', resource(address, 'state', { state, event, by }), { headers, ...body });
}

/** Asks whether a state is current, with a wait. */
export async function waitFor(
  address: string,
  state: string,
  wait: string,
  init?: RequestInit,
): Promise<Response> {
  return send('GET', resource(address, 'state', { state, wait }), init);
}

/** Waits until so many calls wait at an object: on a busy machine, a request that was sent arrives late. */
export async function whenWaiting(address: string, calls = 1): Promise<void> {
  for (;;) {
    const metrics = await inStorage(address, (_, machine) => readAt(machine, { type: 'metrics' }));
    if (metrics.ok && metrics.waiters >= calls) return;
    await new Promise((done) => setTimeout(done, 5));
  }
}

/** Claims a slot. */
export async function claim(address: string, state: string, by: string): Promise<Response> {
  return send('POST', resource(address, 'claims', { state, by }));
}

/** Releases a slot. */
export async function release(address: string, state: string, by: string): Promise<Response> {
  return send('DELETE', resource(address, 'claims', { state, by }));
}

export async function upload(address: string, text: string, query = '', init = {}): Promise<Response> {
  return send('PUT', `${machinePath(address)}/chart${query}`, { ...init, body: text });
}

export async function reset(address: string, by?: string): Promise<Response> {
  return send('POST', resource(address, 'reset', { by }));
}

export async function erase(address: string): Promise<Response> {
  return send('DELETE', machinePath(address) || '/');
}

/** The path of a machine's resource, with the defined parameters of `query`. */
export function resource(
  address: string,
  name: string,
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const said = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
  const search = new URLSearchParams(said).toString();
  return `${machinePath(address)}/${name}${search === '' ? '' : `?${search}`}`;
}

/** Calls an object several times in one turn of its event loop, so that the commands are one batch. */
export async function together<Answer>(
  address: string,
  calls: (machine: Machine) => readonly Promise<Answer>[],
): Promise<Answer[]> {
  // The machine must have begun: the first call would start it before the others.
  await documentOf(address);
  return inStorage(address, (_, machine) => Promise.all(calls(machine)));
}

/** Sends `update` to `drain` many times in one batch: a request for each takes ten times as long. */
export async function reportMany(address: string, times: number): Promise<void> {
  await together(address, (machine) =>
    Array.from({ length: times }, () => updateAt(machine, { state: 'drain', event: 'update' })),
  );
}

/** The fields of the status document that this folder tests. */
export interface Document {
  readonly states: readonly string[];
  readonly status: string;
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
    readonly holders: readonly { readonly by: string; readonly since: string; readonly until: string }[];
  }[];
  readonly windows?: readonly {
    readonly state: string;
    readonly open: boolean;
    readonly until?: string;
    readonly opens?: string;
  }[];
  readonly timers: readonly { readonly at: string; readonly event: string | null }[];
  readonly chart: { readonly hash: string; readonly source: string; readonly newer: boolean };
}

export async function documentOf(address: string): Promise<Document> {
  return (await send('GET', machinePath(address) || '/')).json();
}

/** The holders of the only active state with slots. */
export async function holdersOf(address: string): Promise<string[]> {
  const [only] = (await documentOf(address)).claims;
  if (only === undefined) throw new Error('no active state has slots');
  return only.holders.map(({ by }) => by);
}

/** The fields of a history entry that this folder tests. */
export interface Entry {
  readonly id: number;
  readonly revision: number;
  readonly at: string;
  readonly cause: string;
  readonly event: string | null;
  readonly state: string | null;
  readonly by: string | null;
  readonly sub: string | null;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly entered: readonly string[];
  readonly notes: readonly string[];
  readonly data?: unknown;
}

/** The history, the oldest entry first. */
export async function storyOf(address: string): Promise<Entry[]> {
  const response = await send('GET', resource(address, 'history', { limit: '1000' }));
  const { history } = await response.json<{ history: Entry[] }>();
  return history.reverse();
}

/** The revision of a response. */
export function revisionOf(response: Response): number {
  const [, revision] = /^"(\d+)"$/.exec(response.headers.get('ETag') ?? '') ?? [];
  if (revision === undefined)
    throw new Error(`${response.status} came with ETag ${response.headers.get('ETag')}`);
  return Number(revision);
}

/** A response in short: `200`, or the status and the kind of problem, `406 not-current`. */
export async function verdict(response: Response): Promise<string> {
  if (response.ok) {
    await response.body?.cancel();
    return String(response.status);
  }
  const { type } = await response.json<Problem>();
  return `${response.status} ${type.replace('urn:stateservice:problem:', '')}`;
}

/** The fields of a refusal that this folder tests. */
export interface Refused extends Problem {
  readonly opens?: string;
  readonly holders?: readonly { readonly by: string; readonly until: string }[];
  readonly machine?: Problem['machine'] & {
    readonly waiting: readonly { state: string; event: string; have: number; need: number }[];
  };
}

export async function refusedOf(response: Response): Promise<Refused> {
  if (response.ok) throw new Error(`it was answered ${response.status}`);
  return response.json();
}

/** A page of `GET …/reports`. */
export interface Reports {
  readonly state: string;
  readonly reports: readonly {
    readonly by: string;
    readonly event: string;
    readonly at: string | null;
    readonly data?: unknown;
  }[];
  readonly after?: number;
}

/** @param query such as `{limit: '2'}`. */
export async function reportsOf(
  address: string,
  state: string,
  query: Readonly<Record<string, string>> = {},
): Promise<Reports> {
  const response = await send('GET', resource(address, 'reports', { state, ...query }));
  if (response.status !== 200) throw new Error(`the reports of ${state} were answered ${response.status}`);
  return response.json();
}
