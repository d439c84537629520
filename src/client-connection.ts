/** The requests of the client to one machine. */
import { errorOf, StateServiceError } from './client-error.ts';
import type { RefusalCode } from './refusal.ts';

export interface ClientOptions {
  /** The service's URL: `https://state.example.com`. */
  readonly url: string;
  /** The token, if the service requires one. */
  readonly token?: string;
  /** A `fetch` other than the platform's own. */
  readonly fetch?: (request: Request) => Promise<Response>;
  /**
   * How often a request without an answer, or with 429 or a 5xx, is repeated, not before its `Retry-After`. Default: 5.
   * `override` and `resend` would be executed twice: they are repeated only after an answer that says that nothing was done.
   */
  readonly retries?: number;
}

interface Content {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** When the answer is of no use any more, ms since the epoch: the request is not repeated after it. */
  readonly until?: number;
}

interface Command extends Content {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Whether executing it twice has the effect of executing it once. */
  readonly isRepeatable: boolean;
}

interface Query extends Content {
  readonly method: 'GET';
}

/** Whether the service agreed, and if not, why. */
export type Answer = { readonly ok: true; readonly revision: number } | No;

/** Why the service did not agree. */
export interface No {
  readonly ok: false;
  readonly status: number;
  readonly code: RefusalCode;
  readonly detail: string;
}

export class Connection {
  readonly #options: ClientOptions;
  /** The machine's URL. */
  readonly base: string;

  /** @param machine the path of the machine. */
  constructor(options: ClientOptions, machine: string) {
    this.#options = options;
    this.base = `${options.url.replace(/\/$/, '')}${machine}`;
  }

  /** Sends a command. @throws any refusal that is not a no. */
  async answer(command: Command): Promise<Answer> {
    const response = await this.send(command);
    if (response.ok) {
      await response.body?.cancel();
      return {
        ok: true,
        revision: Number(/^(?:W\/)?"(\d+)"$/.exec(response.headers.get('ETag') ?? '')?.[1]),
      };
    }
    return noOf(response);
  }

  /**
   * Sends a request. Repeats it without an answer, or with 429 or a 5xx, with a growing pause after its `Retry-After`; one
   * that must not be executed twice only if it was not executed.
   */
  async send(sent: Command | Query): Promise<Response> {
    const { retries = 5, fetch = (request: Request) => globalThis.fetch(request) } = this.#options;
    const { signal, until = Number.POSITIVE_INFINITY } = sent;
    for (let tried = 0; ; tried++) {
      let trouble: StateServiceError;
      let later = 0;
      try {
        const response = await fetch(this.#requestOf(sent));
        const { status, headers } = response;
        if ((status < 500 && status !== 429) || status === 507) return response;
        later = Math.min(LONGEST_PAUSE, Number(headers.get('Retry-After')) * 1_000 || 0);
        trouble = await errorOf(response);
      } catch (error) {
        if (signal?.aborted) throw error;
        trouble = new StateServiceError(
          0,
          'no-answer',
          error instanceof Error ? error.message : String(error),
        );
      }
      const mayRepeat = sent.method === 'GET' || sent.isRepeatable || NOT_EXECUTED.has(trouble.code);
      const wait = later + Math.min(5_000, 100 * 2 ** tried) * (0.5 + Math.random() / 2);
      if (!mayRepeat || tried >= retries || Date.now() + wait > until) throw trouble;
      await pause(wait, signal);
    }
  }

  #requestOf({ method, path, headers, body, signal }: Command | Query): Request {
    const { token } = this.#options;
    return new Request(`${this.base}${path}`, {
      method,
      headers: { ...headers, ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) },
      ...(signal === undefined ? {} : { signal }),
      ...(body === undefined ? {} : { body }),
    });
  }
}

/** The longest `Retry-After` that is heeded, in ms. */
const LONGEST_PAUSE = 60_000;

/** The refusals that say that nothing was done, and that a repeat may succeed. */
const NOT_EXECUTED: ReadonlySet<string> = new Set([
  'too-many-requests',
  'overloaded',
  'unsupported',
  'issuer-unavailable',
] satisfies RefusalCode[]);

/** Reads a refusal. @throws any that is not a no. */
export async function noOf(response: Response): Promise<No> {
  const { status, code, message } = await errorOf(response);
  if (!NO.has(status) && !NONE_SUCH.has(code)) throw new StateServiceError(status, code, message);
  return { ok: false, status, code: code as RefusalCode, detail: message };
}

/** Statuses that mean no. */
const NO: ReadonlySet<number> = new Set([406, 412, 422]);

/** The refusals with 404 that mean no: the machine is there. */
const NONE_SUCH: ReadonlySet<string> = new Set(['no-such-member', 'no-such-notification']);

/** Waits for `ms`, or until the signal is aborted. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      done();
    };
    const timer = setTimeout(end, signal?.aborted ? 0 : ms);
    signal?.addEventListener('abort', end);
  });
}

/** Writes the path of a resource and its query, without what is undefined. */
export function path(resource: string, query: Readonly<Record<string, string | undefined>>): string {
  const said = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return `/${resource}?${new URLSearchParams(said)}`;
}
