import { WorkerEntrypoint } from 'cloudflare:workers';
import { type Address, parseWrittenAddress } from '../address.ts';
import { type Inputs, UPDATE } from '../chart/chart.ts';
import { RIGHTS, type Right } from '../grant.ts';
import {
  checkCaller,
  checkEvent,
  checkKey,
  checkReason,
  checkState,
  parseData,
  parseInput,
} from '../inputs.ts';
import { WAIT_MAX } from '../limits.ts';
import { MEMBER_FACTS, type MemberFact, memberListReading } from '../member-list.ts';
import type { Current, MemberStatus } from '../objects/results.ts';
import { type Refusal, type RefusalCode, refuse, statusOf } from '../refusal.ts';
import { LINK_TTL, LINK_TTL_MAX } from '../request-limits.ts';
import { inSlices } from '../slices.ts';
import { writeMembers } from '../store/members-table.ts';
import { guardOf } from './auth.ts';
import { InputsShape } from './contract/document-parts.ts';
import type { Env } from './env.ts';
import { RemoteMachine } from './remote-machine.ts';
import { makeLink } from './signed-link.ts';

/** `props` of the service binding, in the other Worker's wrangler.toml. */
export interface ChartBindingProps {
  /** The address of the machine: `acme/release`, `acme/release@42`, `default`. */
  readonly chart: string;
  /** The rights of the binding. Default: `read` and `update`. */
  readonly can?: readonly Right[];
  /** The subject in the history. Default: `binding`. */
  readonly sub?: string;
}

/** The options of a question. */
export interface BindingAsk {
  /** The caller's name: the question is whether there is something to do for it. */
  readonly by?: string;
}

/** A member as it is uploaded: its name, or its name and labels. */
export type BindingMember =
  | string
  | { readonly name: string; readonly labels?: { readonly [label: string]: string } };

/** The options of a report. */
export interface BindingUpdate {
  /** Default: `update`. */
  readonly event?: string;
  /** The caller's name: a caller counts once per visit and event. */
  readonly by?: string;
  /** A repeat under the same key gets the first answer. */
  readonly key?: string;
  /** The revision at which the report is meant to count. */
  readonly revision?: number;
  /** The data of the report: anything that `JSON.stringify` can write. */
  readonly data?: unknown;
}

/** The outcome of a command. A refusal is a value; only misuse of the binding is thrown. */
export type BindingOutcome = { readonly ok: true; readonly revision: number } | BindingNo;

/** Why the machine has refused. */
interface BindingNo {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly detail: string;
  readonly retryAfter?: number;
}

/** The options of a link. */
export interface BindingLink {
  /** Default: `update`. */
  readonly event?: string;
  /** The person: the link reports under this name. */
  readonly by: string;
  readonly seconds?: number;
}

/** A link that was made: its path, and until when it may be used (ISO 8601). */
export type BindingLinked = { readonly ok: true; readonly path: string; readonly until: string } | BindingNo;

/**
 * One machine as a binding of another Worker. Its props name the machine and the rights. They are set when the binding is
 * deployed, and a call cannot change them.
 */
export class ChartBinding extends WorkerEntrypoint<Env, ChartBindingProps> {
  /** Is `state` current? With `by`: is there something to do for that caller? */
  async is(state: string, { by }: BindingAsk = {}): Promise<boolean> {
    return mayGo(await this.#machine('read').read(question(state, by)));
  }

  /**
   * Waits until `state` is current; with `by`, until there is something to do for that caller.
   *
   * @param seconds the time limit, at most 60.
   * @returns whether it came about; false at once if it cannot any more, or the caller has nothing to do in this visit.
   */
  async wait(
    state: string,
    { by, seconds = 30 }: BindingAsk & { readonly seconds?: number } = {},
  ): Promise<boolean> {
    if (typeof seconds !== 'number' || !(seconds >= 0))
      throw new TypeError(`a binding waits for a number of seconds; not for ${seconds}`);
    const wait = Math.min(WAIT_MAX, seconds * 1_000);
    return mayGo(await this.#machine('read').read({ ...question(state, by), wait }));
  }

  /** The status document, as `GET {machine}` returns it. */
  async status(): Promise<Record<string, unknown>> {
    const answer = await this.#machine('read').read({ type: 'status' });
    if (!answer.ok) throw new BindingError(answer);
    if (answer.unchanged) throw new Error('a status that was not known cannot be unchanged');
    return JSON.parse(answer.status);
  }

  /** Sends an event to `state`. */
  async update(
    state: string,
    { event = UPDATE, by, key, revision, data }: BindingUpdate = {},
  ): Promise<BindingOutcome> {
    const machine = this.#machine('update');
    const wrong =
      checkState(text(state, 'a state')) ??
      checkEvent(text(event, 'an event')) ??
      (by === undefined ? undefined : checkCaller(text(by, '`by`'))) ??
      (key === undefined ? undefined : checkKey(text(key, 'a key')));
    if (wrong !== undefined) return refused(wrong);
    if (revision !== undefined && !Number.isSafeInteger(revision)) {
      throw new TypeError(`a revision is a whole number; not ${revision}`);
    }
    const written = data === undefined ? NO_DATA : parseData(jsonOf(data), '`data`');
    if (!written.ok) return refused(written);
    const outcome = await machine.execute({
      type: 'update',
      state,
      event,
      ...(by === undefined ? {} : { by }),
      ...(key === undefined ? {} : { key }),
      ...(revision === undefined ? {} : { revisions: [revision] }),
      ...(written.value === undefined ? {} : { data: written.value }),
      sub: this.#sub,
    });
    return outcome.ok ? { ok: true, revision: outcome.revision } : refused(outcome);
  }

  /**
   * Makes a link for a person, `by`, who reports with it, once, in the present visit of `state`.
   *
   * @param seconds how long it may be used. Default: a day; at most seven.
   * @returns its path below the address of the service, which the caller knows.
   */
  async link(state: string, { event = UPDATE, by, seconds }: BindingLink): Promise<BindingLinked> {
    const machine = this.#machine('update');
    const guard = guardOf(this.env);
    const wrong =
      checkState(text(state, 'a state')) ??
      checkEvent(text(event, 'an event')) ??
      checkCaller(text(by, '`by`')) ??
      (guard.ok ? undefined : guard);
    if (wrong !== undefined) return refused(wrong);
    const ttl = seconds === undefined ? LINK_TTL : seconds * 1_000;
    if (!(ttl >= 1_000 && ttl <= LINK_TTL_MAX))
      throw new TypeError(`a link may be used for 1 to ${LINK_TTL_MAX / 1_000} seconds; not for ${seconds}`);
    const made = await makeLink(this.env, machine, { state, event, by, ttl, sub: this.#sub });
    if (!made.ok) return refused(made);
    return { ok: true, path: made.path, until: new Date(made.link.until).toISOString() };
  }

  /** Starts the run with inputs; the others have their defaults. A repeat with the same inputs changes nothing. */
  async start(inputs: Inputs = {}): Promise<BindingOutcome> {
    const machine = this.#machine('operate');
    const parsed = parseInput(InputsShape, inputs);
    if (!parsed.ok) throw new TypeError('inputs are numbers, texts and booleans by name');
    const outcome = await machine.execute({ type: 'start', inputs: parsed.value, sub: this.#sub });
    return outcome.ok ? { ok: true, revision: outcome.revision } : refused(outcome);
  }

  /** Takes or renews a slot of `state` for `by`. */
  async claim(state: string, by: string): Promise<BindingOutcome> {
    return this.#claim('claim', state, by);
  }

  /** Renews the slot of `state` that `by` holds; it takes none. */
  async renew(state: string, by: string): Promise<BindingOutcome> {
    return this.#claim('renew', state, by);
  }

  /** Frees the slot of `by` without a report. */
  async release(state: string, by: string): Promise<BindingOutcome> {
    return this.#claim('release', state, by);
  }

  /** The members, in natural order, each with what it is to the current states; `is: 'missing'`: those that have not reported. */
  async members({ is }: { readonly is?: MemberFact } = {}): Promise<readonly MemberStatus[]> {
    if (is !== undefined && !MEMBER_FACTS.includes(is))
      throw new TypeError(`members are ${MEMBER_FACTS.join(', ')}; not ${is}`);
    const answer = await this.#machine('read').read({ type: 'members', ...(is === undefined ? {} : { is }) });
    if (!answer.ok) throw new BindingError(answer);
    return answer.members;
  }

  /** Replaces the list of members. Null takes it away: everybody may take part again. */
  async setMembers(
    members: readonly BindingMember[] | null,
    { by }: BindingAsk = {},
  ): Promise<BindingOutcome> {
    const machine = this.#machine('operate');
    const wrong = by === undefined ? undefined : checkCaller(text(by, '`by`'));
    if (wrong !== undefined) return refused(wrong);
    const read = members === null ? undefined : await inSlices(memberListReading(jsonOf(members), true));
    if (read?.ok === false) return refused(read);
    const list = read === undefined ? {} : { list: writeMembers(read.members) };
    const caller = by === undefined ? {} : { by };
    const outcome = await machine.execute({ type: 'members', ...list, ...caller, sub: this.#sub });
    return outcome.ok ? { ok: true, revision: outcome.revision } : refused(outcome);
  }

  /** Strikes a member off the list. */
  async strikeMember(name: string, { by }: BindingAsk = {}): Promise<BindingOutcome> {
    const machine = this.#machine('operate');
    const wrong =
      checkCaller(text(name, 'a name')) ?? (by === undefined ? undefined : checkCaller(text(by, '`by`')));
    if (wrong !== undefined) return refused(wrong);
    const caller = by === undefined ? {} : { by };
    const outcome = await machine.execute({ type: 'strike', member: name, ...caller, sub: this.#sub });
    return outcome.ok ? { ok: true, revision: outcome.revision } : refused(outcome);
  }

  /** Moves the machine by hand to a state; `reason` is for the history. */
  async override(to: string, reason: string, { by }: BindingAsk = {}): Promise<BindingOutcome> {
    const machine = this.#machine('operate');
    const wrong =
      checkState(text(to, 'a state')) ??
      checkReason(text(reason, 'a reason')) ??
      (by === undefined ? undefined : checkCaller(text(by, '`by`')));
    if (wrong !== undefined) return refused(wrong);
    const caller = by === undefined ? {} : { by };
    const outcome = await machine.execute({ type: 'override', to, reason, ...caller, sub: this.#sub });
    return outcome.ok ? { ok: true, revision: outcome.revision } : refused(outcome);
  }

  /** Restarts the machine from its newest chart. */
  async reset(): Promise<BindingOutcome> {
    const outcome = await this.#machine('admin').execute({ type: 'reset', sub: this.#sub });
    return outcome.ok ? { ok: true, revision: outcome.revision } : refused(outcome);
  }

  async #claim(type: 'claim' | 'renew' | 'release', state: string, by: string): Promise<BindingOutcome> {
    const machine = this.#machine('update');
    const wrong = checkCaller(text(by, '`by`'));
    if (wrong !== undefined) return refused(wrong);
    const command = { type, state: text(state, 'a state'), by, sub: this.#sub } as const;
    const outcome = await machine.execute(command);
    return outcome.ok ? { ok: true, revision: outcome.revision } : refused(outcome);
  }

  /** Returns the machine. @throws if the props are wrong, or do not give the right. */
  #machine(right: Right): RemoteMachine {
    const { chart, can = ['read', 'update'] } = this.ctx.props ?? {};
    const address = parseChart(chart);
    if (!can.every((allowed) => RIGHTS.includes(allowed))) {
      throw new TypeError(`the props of a ChartBinding allow ${RIGHTS.join(', ')}, and nothing else`);
    }
    if (!can.includes(right)) {
      throw new BindingError(refuse('forbidden', `This binding of ${chart} may not ${right}.`));
    }
    return new RemoteMachine(this.env, address);
  }

  get #sub(): string {
    return this.ctx.props?.sub ?? 'binding';
  }
}

const NO_DATA = { ok: true, value: undefined } as const;

/** Writes a value as JSON. @throws if it cannot. */
function jsonOf(data: unknown): string {
  const written: string | undefined = JSON.stringify(data);
  if (written === undefined) throw new TypeError(`what is sent must be JSON; not a ${typeof data}`);
  return written;
}

/** Checks a text: RPC does not check types. @throws if it is none. */
function text(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw new TypeError(`${what} is a text; not ${value}`);
}

/** A refusal as an error. Its name is the refusal's code: the name crosses an RPC. */
class BindingError extends Error {
  constructor({ code, detail }: Refusal) {
    super(`${code}: ${detail}`);
    this.name = code;
  }
}

/** @throws if the name of the caller is wrong. */
function question(state: string, by: string | undefined) {
  const wrong = by === undefined ? undefined : checkCaller(text(by, '`by`'));
  if (wrong !== undefined) throw new BindingError(wrong);
  return { type: 'is', state: text(state, 'a state'), ...(by === undefined ? {} : { by }) } as const;
}

/** Whether the answer is yes. A refusal with 406 means no: not yet, or never. @throws any other refusal. */
function mayGo(answer: Current | Refusal): boolean {
  if (answer.ok) return true;
  if (statusOf(answer.code) === 406) return false;
  throw new BindingError(answer);
}

function refused({ code, detail, retryAfter }: Refusal): BindingNo {
  return { ok: false, code, detail, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

function parseChart(name: string | undefined): Address {
  const parsed = parseWrittenAddress(name ?? '');
  if (parsed.ok) return parsed.address;
  throw new TypeError(`the props of a ChartBinding name a chart, such as acme/release; not ${name}`);
}
