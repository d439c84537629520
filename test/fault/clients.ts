/**
 * Clients that query, report, claim, and hang up at random. A client repeats a call that died, with the same name or
 * key, as a new call: it cannot know whether the first took effect.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Update } from '../../src/commands.ts';
import type { Random } from '../process/coordination/random.ts';
import type { Answer, Link, Request } from './requests.ts';
import type { Shape } from './shapes.ts';
import { LostCall, type send } from './wire.ts';

/** The service that clients call, and the record of their calls. */
export interface Stage {
  readonly shape: Shape;
  /** The machine's URL; a server that was restarted has another one. */
  readonly url: string;
  /** The links that any client has made: any other may use them as well. */
  readonly links: Omit<Link, 'type'>[];
  readonly isOver: boolean;
  /** Whether clients make no pauses. */
  readonly isRushed: boolean;
  /** ms since the epoch. */
  readonly now: () => number;
  /** How requests are sent. */
  readonly send: typeof send;
  answered(client: string, request: Request, called: number, answer: Answer): void;
  /**
   * A call that died may have taken effect: the server ended while it was in flight, the client hung up, or an edge has
   * lost its connection to the object and says so.
   */
  died(client: string, request: Request, called: number, how: 'cut off' | 'hung up' | 'lost'): void;
}

/** How clients behave, as probabilities. */
const HABITS = {
  is: 0.25,
  status: 0.14,
  reports: 0.08,
  links: 0.07,
  operate: 0.06,
  /** Of its asks: those for one caller. After a report: asks for its caller, whose part is done. */
  isBy: 0.5,
  askAfter: 0.2,
  /** Queries a state that the client does not believe to be current. */
  stray: 0.2,
  withBy: 0.45,
  withKey: 0.35,
  withRevision: 0.1,
  otherEvent: 0.15,
  withData: 0.4,
  /** Repeats a request under the key that it was sent with; sends another request under that key. */
  repeat: 0.06,
  reuse: 0.01,
  /** Makes a new link, or opens the page of one; else it uses one. */
  makeLink: 0.35,
  showLink: 0.2,
  /** Uses a link that it has just made; makes one for the caller whose slot it has just claimed. */
  useAtOnce: 0.7,
  linkAfterClaim: 0.25,
  /** Hangs up before the response. */
  vanish: 0.015,
  retry: 0.85,
  /** Pauses before its next call. */
  think: 0.4,
};

/** Of clients that send only what the last release knows. */
const RELEASED: typeof HABITS = {
  ...HABITS,
  ...{ reports: 0, links: 0, operate: 0, isBy: 0, askAfter: 0, withData: 0, linkAfterClaim: 0 },
};

/** The longest pause between two calls, and the longest time until a client hangs up; ms. */
const THINKING = 80;
const PATIENCE = 4;

/** Callers that any client may speak for. */
const NAMES = Array.from({ length: 24 }, (_, i) => `web-${i}`);

/** What an operator does, by weight. */
const OPERATIONS = { pause: 4, resume: 4, override: 6, members: 4, strike: 2, inputs: 4 };

/** How long a pause lasts that ends by itself, in ms, and the share of them. */
const PAUSE = { from: 30, to: 120, ends: 0.85 };

export class Client {
  readonly #name: string;
  readonly #random: Random;
  readonly #stage: Stage;
  readonly #habits: typeof HABITS;
  /** The states that the client believes to be current. */
  #states: readonly string[];
  #revision = 1;
  #isPaused = false;
  /** Whether the machine has no list of members, though its chart asks for one. */
  #lacksMembers = false;
  #keys = 0;
  /** Reports that were sent with a key. */
  readonly #keyed: Update[] = [];
  /** The next call, if it follows from the last one: most often its repeat. */
  #again: Request | undefined;

  constructor(name: string, random: Random, stage: Stage) {
    this.#name = name;
    this.#random = random;
    this.#stage = stage;
    this.#habits = stage.shape.runs === 'deploys' ? RELEASED : HABITS;
    this.#states = stage.shape.states;
  }

  async run(): Promise<void> {
    while (!this.#stage.isOver) {
      if (!this.#stage.isRushed && this.#random.chance(this.#habits.think))
        await pause(this.#random.below(THINKING));
      const request = this.#again ?? this.#choose();
      this.#again = undefined;
      if (request.type === 'update' && request.key !== undefined) this.#keyed.push(request);
      await this.#call(request);
    }
  }

  async #call(request: Request): Promise<void> {
    const hangUp = new AbortController();
    const patience = this.#random.chance(this.#habits.vanish) ? this.#random.below(PATIENCE) : undefined;
    const timer = patience === undefined ? undefined : setTimeout(() => hangUp.abort(), patience);
    const called = this.#stage.now();
    try {
      const answer = await this.#stage.send(this.#stage.url, request, hangUp.signal);
      this.#stage.answered(this.#name, request, called, answer);
      this.#learn(request, answer);
    } catch (error) {
      const isLost = error instanceof LostCall && this.#stage.shape.runs === 'edges';
      if (!isLost && !isOfTheNetwork(error)) throw error;
      // No server received it.
      if (wasRefused(error)) {
        this.#again = request;
        await pause(THINKING / 2);
        return;
      }
      const how = hangUp.signal.aborted ? 'hung up' : isLost ? 'lost' : 'cut off';
      this.#stage.died(this.#name, request, called, how);
      // The objects may be away for longer.
      if (isLost) await pause(this.#random.below(THINKING));
      const isSafe = request.type !== 'update' || request.by !== undefined || request.key !== undefined;
      if (isSafe && this.#random.chance(this.#habits.retry)) this.#again = request;
    } finally {
      clearTimeout(timer);
    }
  }

  #learn(request: Request, answer: Answer): void {
    const { status, revision, states, document } = answer;
    if (request.type === 'update' && status === 200 && request.by !== undefined) {
      const { state, by } = request;
      if (this.#random.chance(this.#habits.askAfter)) this.#again = { type: 'is', state, by };
    }
    const { link, visit } = answer;
    if (request.type === 'makeLink' && link !== undefined && visit !== undefined) {
      const { type: _, ...said } = request;
      const made = { ...said, link, visit };
      this.#stage.links.push(made);
      if (this.#random.chance(this.#habits.useAtOnce)) this.#again = { type: 'useLink', ...made };
    }
    if (request.type === 'claim' && status === 200 && this.#random.chance(this.#habits.linkAfterClaim)) {
      const { state, by } = request;
      this.#again = { type: 'makeLink', state, event: 'update', by };
    }
    this.#revision = revision;
    if (document !== undefined) {
      this.#isPaused = document.paused !== null;
      this.#lacksMembers = this.#stage.shape.zones !== undefined && document.members === null;
    }
    const seen = document?.states ?? states;
    if (seen !== undefined) this.#states = this.#stage.shape.states.filter((state) => seen.includes(state));
  }

  #choose(): Request {
    const { shape } = this.#stage;
    const { is, status, reports, links, operate } = this.#habits;
    const state = this.#pick(this.#random.chance(this.#habits.stray) ? shape.states : this.#states);
    // A pause without an end holds up the others, and so does a list of members that is missing: both end soon.
    const isHeldUp = this.#isPaused || this.#lacksMembers;
    switch (this.#draw({ is, status, reports, links, operate: isHeldUp ? 2 * operate : operate })) {
      case 'is':
        return { type: 'is', state, ...this.#caller(this.#habits.isBy) };
      case 'status':
        return { type: 'status' };
      case 'reports':
        return this.#lookAtReports(state);
      case 'links':
        return this.#link(state);
      case 'operate':
        return this.#operate();
      default:
        return shape.slots.includes(state) ? this.#work(state) : this.#update(state);
    }
  }

  #lookAtReports(state: string): Request {
    const { zones } = this.#stage.shape;
    if (zones !== undefined && this.#random.chance(0.3)) return { type: 'missing' };
    return { type: 'reports', state, limit: 1_000 };
  }

  /** Makes a link, or uses one of the newest, whoever has made it: again, or after its visit. */
  #link(state: string): Request {
    const link = this.#stage.links.at(-1 - Math.floor(this.#random.below(4)));
    if (link !== undefined && !this.#random.chance(this.#habits.makeLink))
      return { type: this.#random.chance(this.#habits.showLink) ? 'showLink' : 'useLink', ...link };
    const by = this.#random.chance(0.5) ? this.#pick(this.#own) : this.#pick(NAMES);
    return { type: 'makeLink', state, event: this.#event(), by };
  }

  #caller(share: number): { by?: string } {
    if (!this.#random.chance(share)) return {};
    return { by: this.#random.chance(0.3) ? this.#pick(this.#own) : this.#pick(NAMES) };
  }

  /** The callers that only this client speaks for. */
  get #own(): readonly string[] {
    return [this.#name, `${this.#name}-too`];
  }

  #operate(): Request {
    const { shape } = this.#stage;
    if (this.#isPaused && this.#random.chance(0.5)) return { type: 'resume' };
    const { zones, inputs } = shape;
    if (zones !== undefined && this.#lacksMembers && this.#random.chance(0.5)) return this.#setMembers(zones);
    const { members, strike, inputs: other, ...all } = OPERATIONS;
    const weights = {
      ...all,
      ...(zones === undefined ? {} : { members, strike }),
      ...(inputs === undefined ? {} : { inputs: other }),
    };
    const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);
    const shares = Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, weight / sum]));
    switch (this.#draw<keyof typeof OPERATIONS>(shares)) {
      case 'resume':
        return { type: 'resume' };
      case 'override':
        return { type: 'override', to: this.#pick(shape.states), reason: 'by hand' };
      case 'members':
        return this.#setMembers(zones ?? []);
      case 'strike':
        return { type: 'strike', member: this.#pick(NAMES) };
      case 'inputs':
        return this.#setInputs(inputs ?? {});
      default:
        return this.#pause();
    }
  }

  #pause(): Request {
    const { from, to, ends } = PAUSE;
    const lasts = Math.round(from + this.#random.below(to - from));
    const words = { by: this.#name, reason: 'a look' };
    return { type: 'pause', ...words, ...(this.#random.chance(ends) ? { lasts } : {}) };
  }

  /** Most of all callers are members, most of them with the label that they always have. */
  #setMembers(zones: readonly string[]): Request {
    if (this.#random.chance(0.05)) return { type: 'members' };
    const clients = Array.from({ length: 8 }, (_, i) => [`client-${i}`, `client-${i}-too`]).flat();
    const list = [...NAMES, ...clients].flatMap((name, i) => {
      if (this.#random.chance(0.15)) return [];
      const zone = this.#random.chance(0.1) ? this.#pick(zones) : zones[Number(i % 4 === 0)];
      return [[name, { zone }]];
    });
    return { type: 'members', list: JSON.stringify(list) };
  }

  #setInputs(inputs: Readonly<Record<string, readonly string[]>>): Request {
    const name = this.#pick(Object.keys(inputs));
    const changed = { [name]: this.#pick(inputs[name] ?? []) };
    if (this.#random.chance(0.8)) return { type: 'inputs', inputs: changed };
    // Those with which it has begun, or others.
    return {
      type: 'start',
      inputs: { ...this.#stage.shape.begin?.inputs, ...(this.#random.chance(0.5) ? {} : changed) },
    };
  }

  /** In a state with slots: claims a slot, then reports. */
  #work(state: string): Request {
    const by = this.#pick(this.#own);
    const chance = this.#random.below(1);
    if (chance < 0.35) return { type: 'claim', state, by };
    if (chance < 0.42 && this.#stage.shape.runs !== 'deploys') return { type: 'renew', state, by };
    if (chance < 0.5) return { type: 'release', state, by };
    return chance < 0.95 ? { ...this.#update(state), by } : this.#update(state);
  }

  #update(state: string): Update {
    const earlier = this.#keyed.at(-1 - Math.floor(this.#random.below(5)));
    if (earlier !== undefined && this.#random.chance(this.#habits.repeat)) return earlier;
    const update: Update = { type: 'update', state, event: this.#event() };
    // Where there are members, a report without a name is refused.
    const by = this.#caller(this.#stage.shape.zones === undefined ? this.#habits.withBy : 0.95);
    const revisions = this.#random.chance(this.#habits.withRevision) ? { revisions: [this.#revision] } : {};
    return { ...update, ...by, ...this.#key(earlier?.key), ...revisions, ...this.#data() };
  }

  #event(): string {
    const { events } = this.#stage.shape;
    return events.length > 0 && this.#random.chance(this.#habits.otherEvent) ? this.#pick(events) : 'update';
  }

  #data(): { data?: string } {
    if (!this.#random.chance(this.#habits.withData)) return {};
    const n = Math.floor(this.#random.below(100));
    return { data: JSON.stringify({ n, of: this.#name }) };
  }

  #key(earlier: string | undefined): { key?: string } {
    if (earlier !== undefined && this.#random.chance(this.#habits.reuse)) return { key: earlier };
    if (!this.#random.chance(this.#habits.withKey)) return {};
    this.#keys += 1;
    return { key: `${this.#name}/${this.#keys}` };
  }

  /** Picks one by its share of 1; undefined for what is left. */
  #draw<Name extends string>(shares: Readonly<Partial<Record<Name, number>>>): Name | undefined {
    let chance = this.#random.below(1);
    for (const [name, share] of Object.entries(shares) as [Name, number][]) {
      chance -= share;
      if (chance < 0) return name;
    }
    return undefined;
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
