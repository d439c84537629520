import { WorkerEntrypoint } from 'cloudflare:workers';
import { type Address, parseWrittenAddress } from '../address.ts';
import { UPDATE } from '../chart/chart.ts';
import { RIGHTS, type Right } from '../grant.ts';
import { checkCaller, checkEvent, checkKey, checkState } from '../inputs.ts';
import { WAIT_MAX } from '../limits.ts';
import type { Current } from '../objects/results.ts';
import { type Refusal, type RefusalCode, refuse } from '../refusal.ts';
import type { Env } from './env.ts';
import { RemoteMachine } from './remote-machine.ts';

/** What the other Worker's wrangler.toml says of its binding: `props` of `[[services]]`. */
export interface ChartBindingProps {
  /** The address of the one machine that it is for: `acme/release`, `acme/release@42`, `default`. */
  readonly chart: string;
  /** What it may do there: `read` and `update` where that is left out. */
  readonly can?: readonly Right[];
  /** As whom the history names it: `binding` where that is left out. */
  readonly sub?: string;
}

/** What may be said beside a report. */
export interface BindingUpdate {
  /** Another event than `update`. */
  readonly event?: string;
  /** Who reports: such a caller counts once per visit and event. */
  readonly by?: string;
  /** A report that comes again under the same key is answered as it was the first time. */
  readonly key?: string;
  /** The revision at which it is meant to count. */
  readonly revision?: number;
}

/** Yes, or why not. A "no" is a value: only what the binding was never to be asked for is thrown. */
export type BindingAnswer =
  | { readonly ok: true; readonly revision: number }
  | { readonly ok: false; readonly code: RefusalCode; readonly detail: string; readonly retryAfter?: number };

/**
 * One machine as another Worker's binding: that one and no other, and there no more than its props allow. Props are
 * set where the binding is deployed; who calls cannot change them.
 */
export class ChartBinding extends WorkerEntrypoint<Env, ChartBindingProps> {
  /** Is `state` current? */
  async is(state: string): Promise<boolean> {
    return isYes(await this.#machine('read').read({ type: 'is', state: text(state, 'a state') }));
  }

  /**
   * Waits until `state` is current.
   *
   * @param seconds how long, at most 60.
   * @returns whether it came. No is told at once where it cannot come any more.
   */
  async wait(state: string, { seconds = 30 }: { readonly seconds?: number } = {}): Promise<boolean> {
    if (typeof seconds !== 'number' || !(seconds >= 0))
      throw new TypeError(`a binding waits for a number of seconds; not for ${seconds}`);
    const wait = Math.min(WAIT_MAX, seconds * 1_000);
    return isYes(await this.#machine('read').read({ type: 'is', state: text(state, 'a state'), wait }));
  }

  /** The status document: what `GET {machine}` answers. */
  async status(): Promise<Record<string, unknown>> {
    const answer = await this.#machine('read').read({ type: 'status' });
    if (!answer.ok) throw new BindingError(answer);
    if (answer.unchanged) throw new Error('a status that was not known cannot be unchanged');
    return JSON.parse(answer.status);
  }

  /** Reports to `state`: counted, and perhaps moved on, or why not. */
  async update(
    state: string,
    { event = UPDATE, by, key, revision }: BindingUpdate = {},
  ): Promise<BindingAnswer> {
    const machine = this.#machine('update');
    const wrong =
      checkState(text(state, 'a state')) ??
      checkEvent(text(event, 'an event')) ??
      (by === undefined ? undefined : checkCaller(text(by, '`by`'))) ??
      (key === undefined ? undefined : checkKey(text(key, 'a key')));
    if (wrong !== undefined) return no(wrong);
    if (revision !== undefined && !Number.isSafeInteger(revision)) {
      throw new TypeError(`a revision is a whole number; not ${revision}`);
    }
    const outcome = await machine.execute({
      type: 'update',
      state,
      event,
      ...(by === undefined ? {} : { by }),
      ...(key === undefined ? {} : { key }),
      ...(revision === undefined ? {} : { revisions: [revision] }),
      sub: this.#sub,
    });
    return outcome.ok ? { ok: true, revision: outcome.revision } : no(outcome);
  }

  /** Takes or renews a slot of `state` for `by`, or says why not. */
  async claim(state: string, by: string): Promise<BindingAnswer> {
    return this.#claim('claim', state, by);
  }

  /** Gives the slot of `by` back without a report. */
  async release(state: string, by: string): Promise<BindingAnswer> {
    return this.#claim('release', state, by);
  }

  /** Starts over from the newest chart. */
  async reset(): Promise<BindingAnswer> {
    const outcome = await this.#machine('admin').execute({ type: 'reset', sub: this.#sub });
    return outcome.ok ? { ok: true, revision: outcome.revision } : no(outcome);
  }

  async #claim(type: 'claim' | 'release', state: string, by: string): Promise<BindingAnswer> {
    const machine = this.#machine('update');
    const wrong = checkCaller(text(by, '`by`'));
    if (wrong !== undefined) return no(wrong);
    const command = { type, state: text(state, 'a state'), by, sub: this.#sub } as const;
    const outcome = await machine.execute(command);
    return outcome.ok ? { ok: true, revision: outcome.revision } : no(outcome);
  }

  /** The machine's object, for who may. @throws where the props are wrong, or do not allow it. */
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

/** What comes over an RPC is of any type, whatever is declared. @throws where it is no text. */
function text(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw new TypeError(`${what} is a text; not ${value}`);
}

/** A refusal that the caller did not ask for. Its name is the refusal's code: that is what crosses an RPC. */
class BindingError extends Error {
  constructor({ code, detail }: Refusal) {
    super(`${code}: ${detail}`);
    this.name = code;
  }
}

/** The refusals that are a plain no. */
const NO: ReadonlySet<RefusalCode> = new Set(['not-current', 'cannot-come']);

function isYes(answer: Current | Refusal): boolean {
  if (answer.ok) return true;
  if (NO.has(answer.code)) return false;
  throw new BindingError(answer);
}

function no({ code, detail, retryAfter }: Refusal): BindingAnswer {
  return { ok: false, code, detail, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

function parseChart(name: string | undefined): Address {
  const parsed = parseWrittenAddress(name ?? '');
  if (parsed.ok) return parsed.address;
  throw new TypeError(`the props of a ChartBinding name a chart, such as acme/release; not ${name}`);
}
