/**
 * A client for programs, over `fetch`: in Node, in Workers and in browsers. It imports nothing but types, so it can be
 * taken along as this one file's worth of code by any bundler.
 *
 *     const release = new StateClient({ url: 'https://state.example.com', token }).machine('acme/release');
 *     if (await release.wait('canary', { seconds: 3600 })) {
 *       await deploy();
 *       await release.update('canary', { by: hostname });
 *     }
 */
import type { ShownEntry } from './objects/shown-entry.ts';
import type { Status } from './objects/status-document.ts';
import type { RefusalCode } from './refusal.ts';

export interface ClientOptions {
  /** Where the service is: `https://state.example.com`. */
  readonly url: string;
  /** Where the service asks for one. */
  readonly token?: string;
  /** Another `fetch` than the platform's own. */
  readonly fetch?: (request: Request) => Promise<Response>;
  /** How often a request that got no answer, or a 5xx, is sent again: 5 where it is left out. */
  readonly retries?: number;
}

export interface UpdateOptions {
  /** Another event than `update`. */
  readonly event?: string;
  /** Who reports: such a caller counts once per visit and event. */
  readonly by?: string;
  /** `Idempotency-Key`. Where there is neither this nor `by`, one is made, so that a retry counts once. */
  readonly key?: string;
  /** The revision at which it is meant to count. */
  readonly revision?: number;
  /** The data of the report: anything that `JSON.stringify` can write, at most 4 KiB. */
  readonly data?: unknown;
}

/** Yes, or why not. */
export type Answer =
  | { readonly ok: true; readonly revision: number }
  | { readonly ok: false; readonly status: number; readonly code: RefusalCode; readonly detail: string };

/** An answer that is neither yes nor no: a wrong request, a missing right, a service in trouble. */
export class StateServiceError extends Error {
  override readonly name = 'StateServiceError';
  /** Of HTTP; 0 where there was no answer. */
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, detail: string) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

export class StateClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** @param address `acme/release`, `acme/release@42`; left out, the service's own machine. */
  machine(address = 'default'): MachineClient {
    return new MachineClient(this.#options, address);
  }
}

/** One machine. */
class MachineClient {
  readonly #options: ClientOptions;
  readonly #base: string;

  constructor(options: ClientOptions, address: string) {
    this.#options = options;
    const path = address === 'default' ? '' : `/${address}`;
    this.#base = `${options.url.replace(/\/$/, '')}${path}`;
  }

  /** Is `state` current? */
  async is(state: string): Promise<boolean> {
    return (await this.#turn(state, 0)) === 'yes';
  }

  /**
   * Waits until `state` is current.
   *
   * @param seconds how long; without end where it is left out.
   * @returns false where the time is up, or the state cannot come any more: that is told at once.
   */
  async wait(
    state: string,
    { seconds = Number.POSITIVE_INFINITY, signal }: { seconds?: number; signal?: AbortSignal } = {},
  ): Promise<boolean> {
    const until = Date.now() + seconds * 1_000;
    for (;;) {
      const left = Math.max(0, until - Date.now());
      const turn = await this.#turn(state, Math.min(left, LONGEST_WAIT), signal);
      if (turn !== 'not yet') return turn === 'yes';
      if (Date.now() >= until) return false;
    }
  }

  /** Reports to `state`. Sent again where no answer came, and counted once all the same. */
  async update(state: string, options: UpdateOptions = {}): Promise<Answer> {
    const { event, by, revision, data } = options;
    const key = options.key ?? (by === undefined ? crypto.randomUUID() : undefined);
    const headers = {
      ...(key === undefined ? {} : { 'Idempotency-Key': key }),
      ...(revision === undefined ? {} : { 'If-Match': `"${revision}"` }),
      ...(data === undefined ? {} : { 'Content-Type': 'application/json' }),
    };
    const body = data === undefined ? undefined : JSON.stringify(data);
    return this.#answer('PUT', path('state', { state, event, by }), headers, body);
  }

  /** Takes or renews a slot of `state` for `by`. */
  async claim(state: string, by: string): Promise<Answer> {
    return this.#answer('POST', path('claims', { state, by }));
  }

  /** Gives the slot of `by` back without a report. */
  async release(state: string, by: string): Promise<Answer> {
    return this.#answer('DELETE', path('claims', { state, by }));
  }

  async status(): Promise<Status> {
    const response = await this.#send('GET', '', { Accept: 'application/json' });
    if (response.ok) return response.json();
    throw await errorOf(response);
  }

  /**
   * Every change as it happens, without an end: where the connection is lost it is made anew, and nothing is missed.
   *
   * @param after the id of the entry that was seen last; without it only what is new is told.
   */
  async *watch({ after, signal }: { after?: number; signal?: AbortSignal } = {}): AsyncGenerator<ShownEntry> {
    let seen = after;
    for (;;) {
      const response = await this.#send(
        'GET',
        '/watch',
        { Accept: 'text/event-stream', ...(seen === undefined ? {} : { 'Last-Event-ID': String(seen) }) },
        { signal },
      );
      if (!response.ok || response.body === null) throw await errorOf(response);
      try {
        for await (const data of eventsIn(response.body)) {
          const entry: ShownEntry = JSON.parse(data);
          if (entry.id === undefined) continue;
          seen = entry.id;
          yield entry;
        }
      } catch (error) {
        if (signal?.aborted) return;
        // Lost: made anew below.
        if (!(error instanceof Error)) throw error;
      }
      if (signal?.aborted) return;
      await pause(1_000);
    }
  }

  async #turn(state: string, wait: number, signal?: AbortSignal): Promise<'yes' | 'not yet' | 'never'> {
    const query = { state, wait: wait === 0 ? undefined : `${Math.ceil(wait)}ms` };
    const response = await this.#send('GET', path('state', query), {}, { signal });
    if (response.status === 200) {
      await response.body?.cancel();
      return 'yes';
    }
    if (response.status !== 406) throw await errorOf(response);
    await response.body?.cancel();
    return response.headers.has('Retry-After') ? 'not yet' : 'never';
  }

  async #answer(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<Answer> {
    const response = await this.#send(method, path, headers, { body });
    if (response.ok) {
      await response.body?.cancel();
      return {
        ok: true,
        revision: Number(/^(?:W\/)?"(\d+)"$/.exec(response.headers.get('ETag') ?? '')?.[1]),
      };
    }
    const { status, code, message } = await errorOf(response);
    if (!NO.has(status)) throw new StateServiceError(status, code, message);
    return { ok: false, status, code: code as RefusalCode, detail: message };
  }

  /** Sends, and sends again where there is no answer or the service is in trouble, ever more slowly. */
  async #send(
    method: string,
    path: string,
    headers: Record<string, string>,
    { signal, body }: { readonly signal?: AbortSignal | undefined; readonly body?: string | undefined } = {},
  ): Promise<Response> {
    const { token, retries = 5, fetch = (request: Request) => globalThis.fetch(request) } = this.#options;
    for (let tried = 0; ; tried++) {
      const request = new Request(`${this.#base}${path}`, {
        method,
        headers: { ...headers, ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) },
        ...(signal === undefined ? {} : { signal }),
        ...(body === undefined ? {} : { body }),
      });
      let trouble: StateServiceError;
      try {
        const response = await fetch(request);
        if (response.status < 500 || response.status === 507) return response;
        trouble = await errorOf(response);
      } catch (error) {
        if (signal?.aborted) throw error;
        trouble = new StateServiceError(
          0,
          'no-answer',
          error instanceof Error ? error.message : String(error),
        );
      }
      if (tried >= retries) throw trouble;
      await pause(Math.min(5_000, 100 * 2 ** tried) * (0.5 + Math.random() / 2));
    }
  }
}

/** What one request may wait for at most, ms: the service's own bound. */
const LONGEST_WAIT = 60_000;

/** Statuses that are a plain no. */
const NO: ReadonlySet<number> = new Set([406, 412, 422]);

function path(resource: string, query: Readonly<Record<string, string | undefined>>): string {
  const said = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return `/${resource}?${new URLSearchParams(said)}`;
}

/** Reads problem details (RFC 9457); whatever else has answered is told by its status. */
async function errorOf(response: Response): Promise<StateServiceError> {
  const text = await response.text();
  try {
    const { type, detail }: { type?: string; detail?: string } = JSON.parse(text);
    if (type !== undefined && detail !== undefined) {
      return new StateServiceError(response.status, type.slice(type.lastIndexOf(':') + 1), detail);
    }
  } catch {
    // A proxy's page, or nothing.
  }
  return new StateServiceError(response.status, 'unknown', `the answer was ${response.status}`);
}

/** The data of server-sent events (WHATWG HTML, section 9.2.6), as far as ours use it: one line each. */
async function* eventsIn(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('data: ')) yield line.slice('data: '.length);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
