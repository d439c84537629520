/** The service as its callers see it, and its objects as only a test may. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { vi } from 'vitest';
import type { Command, Outcome, Update } from '../src/commands.ts';
import { Machine } from '../src/index.ts';
import type { Answer, Query } from '../src/objects/results.ts';
import { putChart } from './charts.ts';
import { hold } from './edge/contract/held.ts';

/** Sends one request through the Worker; its answer must be one that OpenAPI promises. */
export async function send(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  const response = await exports.default.fetch(
    new Request(`https://service.test${path}`, { ...init, method }),
  );
  await hold(method, path, response);
  return response;
}

/**
 * Waits until no other test has the service's own chart, and perhaps puts another one there. All test files share it.
 *
 * @returns the end of it: it deletes the machine, and lets the next test begin.
 */
export async function holdDefault(text?: string): Promise<() => Promise<void>> {
  const file = 'https://charts/default.yaml';
  await env.CHARTS.fetch(file, { method: 'LOCK' });
  if (text !== undefined) await putChart('default', text);
  return async () => {
    try {
      await send('DELETE', '/');
    } finally {
      await env.CHARTS.fetch(file, { method: 'UNLOCK' });
    }
  };
}

/** Is it my turn? */
export async function ask(address: string, state: string): Promise<Response> {
  return send('GET', statePath(address, state));
}

/** I am done. */
export async function report(address: string, state: string): Promise<Response> {
  return send('PUT', statePath(address, state));
}

/** Reports `times` times, one after the other; each must be accepted. */
export async function reportTimes(address: string, state: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const { status } = await report(address, state);
    if (status !== 200) throw new Error(`report ${i + 1} of ${times} on ${state} was answered ${status}`);
  }
}

export function statePath(address: string, state: string): string {
  return `${machinePath(address)}/state?state=${encodeURIComponent(state)}`;
}

/** The path of a machine; empty for `default`, whose resources are at the root. */
export function machinePath(address: string): string {
  return address === 'default' ? '' : `/${address}`;
}

/** What the status document says, as far as the tests look. */
export interface StatusDocument {
  readonly machine: string;
  readonly dialect: string;
  readonly states: readonly string[];
  readonly status: string;
  readonly revision: number;
  readonly since: string;
  readonly changed: string;
  readonly quorums: readonly {
    readonly state: string;
    readonly event: string;
    readonly have: number;
    readonly need: number;
  }[];
  readonly timers: readonly { readonly at: string }[];
  readonly chart: { readonly hash: string; readonly source: string; readonly newer: boolean };
}

export async function statusOf(address: string): Promise<StatusDocument> {
  return (await send('GET', machinePath(address) || '/')).json();
}

/** One entry of the history, as the service shows it. */
interface ShownEntry {
  readonly revision: number;
  readonly at: string;
  readonly cause: string;
  readonly event: string | null;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly data?: unknown;
}

export interface HistoryDocument {
  readonly machine: string;
  readonly history: readonly ShownEntry[];
  readonly before?: number;
}

/** @param query such as `?limit=1000`. */
export async function historyOf(address: string, query = ''): Promise<HistoryDocument> {
  return (await send('GET', `${machinePath(address)}/history${query}`)).json();
}

/** A problem document (RFC 9457), with the members that the service adds. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly machine?: { readonly revision: number; readonly states: readonly string[] };
  readonly events?: readonly string[];
  readonly errors?: readonly {
    readonly severity: string;
    readonly line: number;
    readonly column: number;
    readonly path: string;
    readonly message: string;
  }[];
}

/** The body of an answer that must be a refusal. */
export async function problemOf(response: Response): Promise<Problem> {
  const type = response.headers.get('Content-Type');
  if (type !== 'application/problem+json') throw new Error(`${response.status} came as ${type}`);
  return response.json();
}

/** Executes one command at a machine's object itself, without the edge. */
export async function executeAt<C extends Command>(machine: Machine, command: C): Promise<Outcome<C>> {
  const [outcome] = await machine.execute([command]);
  if (outcome === undefined) throw new Error('a command has no outcome');
  return outcome as Outcome<C>;
}

/** Puts one query to a machine's object itself. */
export async function readAt<Q extends Query>(machine: Machine, query: Q): Promise<Answer<Q>> {
  const [answer] = await machine.read([query]);
  if (answer === undefined) throw new Error('a query has no answer');
  return answer as Answer<Q>;
}

/** Reports to a machine's object itself. */
export function updateAt(machine: Machine, report: Omit<Update, 'type'>): Promise<Outcome<Update>> {
  return executeAt(machine, { type: 'update', ...report });
}

/** The object of an address. */
export function objectAt(address: string): DurableObjectStub<Machine> {
  return env.MACHINES.getByName(address);
}

/** Looks into an object's storage, behind its back. */
export async function inStorage<T>(
  address: string,
  look: (storage: DurableObjectStorage, machine: Machine) => T | Promise<T>,
): Promise<T> {
  return runInDurableObject(objectAt(address), (machine: Machine, { storage }) => look(storage, machine));
}

/** Lets a second object of the address act, while the first is live. Both have the same storage. */
export async function atSecond<T>(address: string, act: (second: Machine) => Promise<T>): Promise<T> {
  return runInDurableObject(objectAt(address), (_, ctx) => act(new Machine(ctx, env)));
}

/** All rows of a table; none where there is no such table: some are created with their first row. */
export function rowsOf(sql: SqlStorage, table: string): Record<string, SqlStorageValue>[] {
  const found = sql.exec('SELECT 1 FROM sqlite_master WHERE name = ?', table).toArray();
  return found.length === 0 ? [] : sql.exec(`SELECT * FROM ${table}`).toArray();
}

/** Throws the object's memory away, as a deploy or an idle minute does. */
export async function evict(address: string): Promise<void> {
  await evictDurableObject(objectAt(address));
}

/** Shortens the pauses of objects, such as that between two calls of a machine to its tenant: an eviction waits for them. */
export function withoutPauses(): void {
  const wait = scheduler.wait.bind(scheduler);
  vi.spyOn(scheduler, 'wait').mockImplementation((ms, options) => wait(Math.min(ms, SHORT_PAUSE), options));
}

/** ms */
const SHORT_PAUSE = 5;

/** Makes an address as if it had never been used: for `default`, which test files share. */
export async function erase(address: string): Promise<void> {
  await inStorage(address, (storage) => storage.deleteAll());
  await evict(address);
}

/** What an object has left behind: its tables, and when its alarm is set for (ms since the epoch). */
export async function tracesOf(address: string): Promise<{ tables: string[]; alarm: number | null }> {
  return inStorage(address, async (storage) => ({
    tables: storage.sql
      .exec<{ name: string }>('SELECT name FROM sqlite_master ORDER BY name')
      .toArray()
      .map(({ name }) => name),
    alarm: await storage.getAlarm(),
  }));
}

/** The chart that a machine gives out: YAML. (workerd warns of `text()` on a type that is not `text/*`.) */
export async function chartOf(address: string): Promise<string> {
  const response = await send('GET', `${machinePath(address)}/chart`);
  if (response.status !== 200) throw new Error(`the chart of ${address} was answered ${response.status}`);
  return bodyOf(response);
}

/** The body as it was sent: `text()` would take a byte order mark away. */
export async function bodyOf(response: Response): Promise<string> {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await response.arrayBuffer());
}
