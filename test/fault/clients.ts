/**
 * Clients that query, report, claim, and hang up at random. A client repeats a call that died, with the same name or
 * key, as a new call: it cannot know whether the first took effect.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Update } from '../../src/commands.ts';
import type { Random } from '../process/coordination/random.ts';
import type { Shape } from './shapes.ts';
import type { Answer, Request, send } from './wire.ts';

/** The service that clients call, and the record of their calls. */
export interface Stage {
  readonly shape: Shape;
  /** The machine's URL; a server that was restarted has another one. */
  readonly url: string;
  readonly isOver: boolean;
  /** Whether clients make no pauses. */
  readonly isRushed: boolean;
  /** ms since the epoch. */
  readonly now: () => number;
  /** How requests are sent. */
  readonly send: typeof send;
  answered(client: string, request: Request, called: number, answer: Answer): void;
  /** A call that died may have taken effect: the server ended while it was in flight, or the client hung up. */
  died(client: string, request: Request, called: number, how: 'cut off' | 'hung up'): void;
}

/** How clients behave, as probabilities. */
const HABITS = {
  is: 0.3,
  status: 0.15,
  reports: 0.07,
  /** Queries a state that the client does not believe to be current. */
  stray: 0.2,
  withBy: 0.45,
  withKey: 0.35,
  withRevision: 0.1,
  otherEvent: 0.1,
  withData: 0.4,
  /** Repeats a request under the key that it was sent with; sends another request under that key. */
  repeat: 0.06,
  reuse: 0.01,
  /** Hangs up before the response. */
  vanish: 0.015,
  retry: 0.85,
  /** Pauses before its next call. */
  think: 0.4,
};

/** The longest pause between two calls, and the longest time until a client hangs up; ms. */
const THINKING = 80;
const PATIENCE = 4;

/** Callers that any client may speak for. */
const NAMES = Array.from({ length: 24 }, (_, i) => `web-${i}`);

export class Client {
  readonly #name: string;
  readonly #random: Random;
  readonly #stage: Stage;
  /** The states that the client believes to be current. */
  #states: readonly string[];
  #revision = 1;
  #keys = 0;
  /** Reports that were sent with a key. */
  readonly #keyed: Update[] = [];
  /** The call that the client will repeat. */
  #again: Request | undefined;

  constructor(name: string, random: Random, stage: Stage) {
    this.#name = name;
    this.#random = random;
    this.#stage = stage;
    this.#states = stage.shape.states;
  }

  async run(): Promise<void> {
    while (!this.#stage.isOver) {
      if (!this.#stage.isRushed && this.#random.chance(HABITS.think))
        await pause(this.#random.below(THINKING));
      const request = this.#again ?? this.#choose();
      this.#again = undefined;
      if (request.type === 'update' && request.key !== undefined) this.#keyed.push(request);
      await this.#call(request);
    }
  }

  async #call(request: Request): Promise<void> {
    const hangUp = new AbortController();
    const patience = this.#random.chance(HABITS.vanish) ? this.#random.below(PATIENCE) : undefined;
    const timer = patience === undefined ? undefined : setTimeout(() => hangUp.abort(), patience);
    const called = this.#stage.now();
    try {
      const answer = await this.#stage.send(this.#stage.url, request, hangUp.signal);
      this.#stage.answered(this.#name, request, called, answer);
      this.#learn(answer);
    } catch (error) {
      if (!isOfTheNetwork(error)) throw error;
      // No server received it.
      if (wasRefused(error)) {
        this.#again = request;
        await pause(THINKING / 2);
        return;
      }
      this.#stage.died(this.#name, request, called, hangUp.signal.aborted ? 'hung up' : 'cut off');
      const isSafe = request.type !== 'update' || request.by !== undefined || request.key !== undefined;
      if (isSafe && this.#random.chance(HABITS.retry)) this.#again = request;
    } finally {
      clearTimeout(timer);
    }
  }

  #learn({ revision, states, document }: Answer): void {
    this.#revision = revision;
    const seen = document?.states ?? states;
    if (seen !== undefined) this.#states = this.#stage.shape.states.filter((state) => seen.includes(state));
  }

  #choose(): Request {
    const chance = this.#random.below(1);
    const { shape } = this.#stage;
    const state = this.#pick(this.#random.chance(HABITS.stray) ? shape.states : this.#states);
    if (chance < HABITS.is) return { type: 'is', state };
    if (chance < HABITS.is + HABITS.status) return { type: 'status' };
    if (chance < HABITS.is + HABITS.status + HABITS.reports) return { type: 'reports', state, limit: 1_000 };
    return shape.slots.includes(state) ? this.#work(state) : this.#update(state);
  }

  /** In a state with slots: claims a slot, then reports. */
  #work(state: string): Request {
    const by = this.#pick([this.#name, `${this.#name}-too`]);
    const chance = this.#random.below(1);
    if (chance < 0.35) return { type: 'claim', state, by };
    if (chance < 0.42) return { type: 'renew', state, by };
    if (chance < 0.5) return { type: 'release', state, by };
    return chance < 0.95 ? { ...this.#update(state), by } : this.#update(state);
  }

  #update(state: string): Update {
    const earlier = this.#keyed.at(-1 - Math.floor(this.#random.below(5)));
    if (earlier !== undefined && this.#random.chance(HABITS.repeat)) return earlier;
    const { events } = this.#stage.shape;
    const event = events.length > 0 && this.#random.chance(HABITS.otherEvent) ? this.#pick(events) : 'update';
    const update: Update = { type: 'update', state, event };
    const by = this.#random.chance(HABITS.withBy) ? { by: this.#pick(NAMES) } : {};
    const revisions = this.#random.chance(HABITS.withRevision) ? { revisions: [this.#revision] } : {};
    return { ...update, ...by, ...this.#key(earlier?.key), ...revisions, ...this.#data() };
  }

  #data(): { data?: string } {
    if (!this.#random.chance(HABITS.withData)) return {};
    const n = Math.floor(this.#random.below(100));
    return { data: JSON.stringify({ n, of: this.#name }) };
  }

  #key(earlier: string | undefined): { key?: string } {
    if (earlier !== undefined && this.#random.chance(HABITS.reuse)) return { key: earlier };
    if (!this.#random.chance(HABITS.withKey)) return {};
    this.#keys += 1;
    return { key: `${this.#name}/${this.#keys}` };
  }

  #pick(names: readonly string[]): string {
    const all = names.length === 0 ? this.#stage.shape.states : names;
    return all[Math.floor(this.#random.below(all.length))] ?? '';
  }
}

/** Whether `fetch` failed before or during the response, or was aborted. Any other error is a bug. */
export function isOfTheNetwork(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === 'AbortError' || ['fetch failed', 'terminated'].includes(error.message);
}

/** Whether no server received the call. */
export function wasRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}
