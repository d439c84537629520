/**
 * A client for programs, over `fetch`: in Node, in Workers and in browsers. It imports types and the
 * files `client-….ts`, so a bundler takes only these.
 *
 *     const release = new StateClient({ url: 'https://state.example.com', token }).machine('acme/release');
 *     if (await release.wait('canary', { by: hostname, seconds: 3600 })) {
 *       await deploy();
 *       await release.update('canary', { by: hostname });
 *     }
 */

import {
  type Answer,
  type ClientOptions,
  Connection,
  type No,
  noOf,
  path,
  pause,
} from './client-connection.ts';
import { errorOf, StateServiceError } from './client-error.ts';
import { eventsIn } from './client-events.ts';
import { Turns } from './client-turns.ts';
import type { MemberFact } from './member-list.ts';
import type { MemberStatus } from './objects/results.ts';
import type { ShownEntry } from './objects/shown-entry.ts';
import type { ShownNotifications } from './objects/shown-notifications.ts';
import type { Status } from './objects/status-document.ts';

export { type Answer, type ClientOptions, StateServiceError };

export interface UpdateOptions {
  /** The event. Default: `update`. */
  readonly event?: string;
  /** The caller's name: a caller counts once per visit and event. */
  readonly by?: string;
  /** `Idempotency-Key`. With neither this nor `by`, the client makes one, so that a repeat counts once. */
  readonly key?: string;
  /** The revision at which the report counts. */
  readonly revision?: number;
  /** The data of the report: anything that `JSON.stringify` can write, at most 4 KiB. */
  readonly data?: unknown;
}

export interface LinkOptions {
  /** The event. Default: `update`. */
  readonly event?: string;
  /** The person: the link reports under this name. It may be left out where the token fixes one. */
  readonly by?: string;
  /** How long the link may be used: at most 604,800 (7 days). Default: a day. */
  readonly seconds?: number;
}

/** A link for a person. */
export interface Link {
  readonly ok: true;
  readonly url: string;
  /** Until when it may be used (ISO 8601). */
  readonly until: string;
}

export interface AskOptions {
  /** The caller's name: asks whether there is something to do for it. */
  readonly by?: string;
}

export interface WaitOptions extends AskOptions {
  /** How long; by default without a limit. */
  readonly seconds?: number;
  readonly signal?: AbortSignal;
}

export interface MembersOptions {
  /** Only members with this relation to a current state: `missing` ones are expected and have not reported. */
  readonly is?: MemberFact;
}

/** A member as it is uploaded: its name, or its name and labels. */
export type Member =
  | string
  | { readonly name: string; readonly labels?: { readonly [label: string]: string } };

/** The options of a change by an operator. */
export interface ChangeOptions {
  /** The name for the history. */
  readonly by?: string;
}

export class StateClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** @param address `acme/release` or `acme/release@42`; by default the service's own machine. */
  machine(address = 'default'): MachineClient {
    return new MachineClient(this.#options, address);
  }
}

/** One machine. */
class MachineClient {
  readonly #connection: Connection;
  readonly #turns: Turns;

  constructor(options: ClientOptions, address: string) {
    this.#connection = new Connection(options, address === 'default' ? '' : `/${address}`);
    this.#turns = new Turns(options, this.#connection);
  }

  /** Whether `state` is current; with `by`, whether there is something to do for that caller. */
  async is(state: string, { by }: AskOptions = {}): Promise<boolean> {
    return (await this.#turns.ask({ state, by }, 0)) === 'yes';
  }

  /**
   * Waits until `state` is current; with `by`, until there is something to do for that caller.
   *
   * If that may take more than a minute, it waits over a WebSocket, which lets the machine sleep: a request that waits keeps
   * it awake, and billed. It asks when the WebSocket opens, after each change, and once a minute. It waits by requests
   * where no WebSocket opens: in Node before 22, in browsers with a token (their WebSockets have no headers), and
   * with a `fetch` of the caller's outside of Workers.
   *
   * @returns false if the time is over, or as soon as the state cannot become current any more, or the caller has nothing to
   *   do in it: it has reported already, or the state is for others.
   */
  async wait(
    state: string,
    { by, seconds = Number.POSITIVE_INFINITY, signal }: WaitOptions = {},
  ): Promise<boolean> {
    return this.#turns.wait({ state, by }, Date.now() + seconds * 1_000, signal);
  }

  /** Reports to `state`. A report without an answer is repeated, and counts once. */
  async update(state: string, options: UpdateOptions = {}): Promise<Answer> {
    const { event, by, revision, data } = options;
    const key = options.key ?? (by === undefined ? crypto.randomUUID() : undefined);
    const headers = {
      ...(key === undefined ? {} : { 'Idempotency-Key': key }),
      ...(revision === undefined ? {} : { 'If-Match': `"${revision}"` }),
      ...(data === undefined ? {} : { 'Content-Type': 'application/json' }),
    };
    const body = data === undefined ? undefined : JSON.stringify(data);
    return this.#connection.answer({
      method: 'PUT',
      path: path('state', { state, event, by }),
      headers,
      body,
      // It has a key or a name.
      isRepeatable: true,
    });
  }

  /** Makes a link for a person, who reports with it, once, in the present visit of `state`. */
  async link(state: string, { event, by, seconds }: LinkOptions): Promise<Link | No> {
    const ttl = seconds === undefined ? undefined : `${seconds}s`;
    const response = await this.#connection.send({
      method: 'POST',
      path: path('links', { state, event, by, ttl }),
      // Nothing is stored.
      isRepeatable: true,
    });
    if (!response.ok) return noOf(response);
    const { url, until }: Omit<Link, 'ok'> = await response.json();
    return { ok: true, url, until };
  }

  /** Starts the run with inputs. A repeat with the same inputs changes nothing. */
  async start(inputs: Status['inputs'] = {}): Promise<Answer> {
    return this.#connection.answer({
      method: 'POST',
      path: path('start', textsOf(inputs)),
      isRepeatable: true,
    });
  }

  /** Gives the running machine other inputs. A repeat with the same inputs changes nothing. */
  async setInputs(inputs: Status['inputs']): Promise<Answer> {
    return this.#connection.answer({
      method: 'PATCH',
      path: '/inputs',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(inputs),
      isRepeatable: true,
    });
  }

  /**
   * Moves the machine by hand to a state. It is not repeated where it may have been made, because a second move leaves the state
   * and enters it again: it throws, and the history says whether the machine was moved.
   */
  async override(to: string, reason: string, by?: string): Promise<Answer> {
    return this.#connection.answer({
      method: 'POST',
      path: path('override', { to, reason, by }),
      isRepeatable: false,
    });
  }

  /** The hooks that are told of the machine, and the newest messages to them. */
  async notifications(): Promise<ShownNotifications> {
    const response = await this.#connection.send({ method: 'GET', path: '/notifications' });
    if (response.ok) return response.json();
    throw await errorOf(response);
  }

  /**
   * Sends the messages about an entry of the history again: to one hook, or to all that were told. It is not repeated where
   * it may have been executed, because the messages would be sent once more: it throws.
   */
  async resend(entry: number, { to, by }: ChangeOptions & { readonly to?: string } = {}): Promise<Answer> {
    return this.#connection.answer({
      method: 'POST',
      path: path(`notifications/${entry}`, { to, by }),
      isRepeatable: false,
    });
  }

  /** Takes or renews a slot of `state` for `by`. */
  async claim(state: string, by: string): Promise<Answer> {
    return this.#connection.answer({
      method: 'POST',
      path: path('claims', { state, by }),
      isRepeatable: true,
    });
  }

  /** Renews the slot of `state` that `by` holds. If it holds none any more, it gets none: its work may overlap with another's. */
  async renew(state: string, by: string): Promise<Answer> {
    return this.#connection.answer({
      method: 'POST',
      path: path('claims', { state, by, renew: 'true' }),
      isRepeatable: true,
    });
  }

  /** Frees the slot of `by` without a report. */
  async release(state: string, by: string): Promise<Answer> {
    return this.#connection.answer({
      method: 'DELETE',
      path: path('claims', { state, by }),
      isRepeatable: true,
    });
  }

  /** The members, in natural order, each with what it is to the current states. None where the machine has no list of them. */
  async members({ is }: MembersOptions = {}): Promise<MemberStatus[]> {
    const members: MemberStatus[] = [];
    for (let after: string | undefined; ; ) {
      const response = await this.#connection.send({
        method: 'GET',
        path: path('members', { is, after, limit: PAGE }),
      });
      if (!response.ok) throw await errorOf(response);
      const page: { members: MemberStatus[]; after?: string } = await response.json();
      members.push(...page.members);
      if (page.after === undefined) return members;
      after = page.after;
    }
  }

  /** Replaces the list of members. Null takes it away: everybody may take part again. */
  async setMembers(members: readonly Member[] | null, { by }: ChangeOptions = {}): Promise<Answer> {
    const request = { path: path('members', { by }), isRepeatable: true };
    if (members === null) return this.#connection.answer({ method: 'DELETE', ...request });
    return this.#connection.answer({
      method: 'PUT',
      ...request,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(members),
    });
  }

  /** Strikes a member off the list. The answer is `no-such-member` if it is not in it, also if a repeat finds it gone. */
  async strikeMember(name: string, { by }: ChangeOptions = {}): Promise<Answer> {
    return this.#connection.answer({
      method: 'DELETE',
      path: path(`members/${encodeURIComponent(name)}`, { by }),
      isRepeatable: true,
    });
  }

  async status(): Promise<Status> {
    const response = await this.#connection.send({
      method: 'GET',
      path: '',
      headers: { Accept: 'application/json' },
    });
    if (response.ok) return response.json();
    throw await errorOf(response);
  }

  /**
   * Every change as it happens, without an end. A lost connection is opened again, and no change is missed.
   *
   * @param after the id of the last known entry; by default, only new entries.
   */
  async *watch({ after, signal }: { after?: number; signal?: AbortSignal } = {}): AsyncGenerator<ShownEntry> {
    let seen = after?.toString();
    for (;;) {
      const response = await this.#connection.send({
        method: 'GET',
        path: '/watch',
        headers: {
          Accept: 'text/event-stream',
          ...(seen === undefined ? {} : { 'Last-Event-ID': seen }),
        },
        signal,
      });
      if (!response.ok || response.body === null) throw await errorOf(response);
      try {
        for await (const { id = seen, data } of eventsIn(response.body)) {
          seen = id;
          if (data === undefined) continue;
          const entry: ShownEntry = JSON.parse(data);
          // A gap has no id.
          if (entry.id !== undefined) yield entry;
        }
      } catch (error) {
        if (signal?.aborted) return;
        // The connection is lost: the loop opens it again.
        if (!(error instanceof Error)) throw error;
      }
      if (signal?.aborted) return;
      await pause(1_000, signal);
      if (signal?.aborted) return;
    }
  }
}

/** The members of a page: as many as the service gives at a time. */
const PAGE = '1000';

function textsOf(inputs: Status['inputs']): Record<string, string> {
  return Object.fromEntries(Object.entries(inputs ?? {}).map(([name, value]) => [name, String(value)]));
}
